"""One SMS campaign of a million people, from tags to the files that a vendor picks up, stage by stage.

Twice from the same lake: as requests for Aliyun, and as plain CSV. DuckDB, which shares no code with the publisher,
reads the files and says whether each promised contact is in them once, and nobody else.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb

from tests.bench.campaign_lake import PROMISED, VENDORS, write_lake
from tests.bench.measure import Measured, measure
from tests.bench.stages import Stage

GOAL_SECONDS, GOAL_GB = 60.0, 2.0
"""At most a minute and 2 GB for a million people on two cores, Prefect's start not counted."""
_READ = {
    "aliyun": "select unnest(json_extract_string(PhoneNumberJson, '$[*]')) as phone "
              "from read_json('{files}', format='newline_delimited', columns={{PhoneNumberJson: 'JSON'}})",
    "csv": "select phone from read_csv('{files}', header=true, all_varchar=true)",
}  # fmt: skip


def report(people: int, rounds: int) -> bool:
    """Measure and print; False when a file holds somebody twice, too few, or whom it must not."""
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder:
        root = Path(folder) / "lake"
        customers = write_lake(root, people)
        sys.stdout.write(f"\none SMS campaign to {people:,} of {customers:,} customers\n")
        good = [_vendor(root, vendor, people, rounds) for vendor in VENDORS]
    return all(good)


def send(root: Path, vendor: str, sent: Path) -> tuple[Measured, list[Stage]]:
    """Send from a copy of the lake, in a process of its own; what it took in all and stage by stage."""
    shutil.rmtree(sent, ignore_errors=True)
    shutil.copytree(root, sent, copy_function=os.link)  # objects are never changed, pointers are replaced
    result = sent.parent / f"{vendor}.json"
    told = measure("campaign", sent, result)
    return told, [Stage(**one) for one in json.loads(result.read_text(encoding="utf-8"))]


def verdict(sent: Path, vendor: str, people: int) -> str:
    """What DuckDB finds in the published files; empty when all is well."""
    read = _READ[vendor].format(files=f"{sent}/outbox/bench_{vendor}/autumn/*/rev-*/part-*")
    with duckdb.connect() as connection:
        connection.execute(f"create view found as {read}")
        connection.execute(f"create view promised as select phone from '{sent.parent}/{PROMISED}'")
        rows, phones = connection.execute("select count(*), count(distinct phone) from found").fetchall()[0]
        (strangers,) = connection.execute("select count(*) from found anti join promised using (phone)").fetchall()[0]
    right = (people, people, 0)
    return "" if (rows, phones, strangers) == right else f"{rows} rows, {phones} phones, {strangers} not promised"


def _vendor(root: Path, vendor: str, people: int, rounds: int) -> bool:
    sent = root.parent / "sent"
    (best, stages), *_ = sorted((send(root, vendor, sent) for _ in range(rounds)), key=lambda one: one[0].seconds)
    wrong = verdict(sent, vendor, people)
    _say(vendor, best, stages, wrong)
    return not wrong


def _say(vendor: str, whole: Measured, stages: list[Stage], wrong: str) -> None:
    lines = [f"{vendor:24}{'seconds':>9}{'cpu':>9}{'rows':>13}{'peak GiB':>10}"]
    lines += [f"{s.name:24}{s.seconds:9.2f}{s.cpu_seconds:9.2f}{s.rows:13,}{s.peak_gib:10.2f}" for s in stages]
    peak = max(one.peak_gib for one in stages)  # each stage begins anew, so the process knows only that of the last
    lines.append(f"{'in all':24}{whole.seconds:9.2f}{whole.cpu_seconds:9.2f}{'':13}{peak:10.2f}")
    lines.append(f"files, read by DuckDB: {f'WRONG: {wrong}' if wrong else 'each promised contact once, nobody else'}")
    held = peak * 2**30 / 1e9
    lines.append(
        f"goal: at most {GOAL_SECONDS:.0f} s ({whole.seconds:.1f}) and {GOAL_GB} GB ({held:.2f}) at a million people"
    )
    sys.stdout.write("\n".join(lines) + "\n")
