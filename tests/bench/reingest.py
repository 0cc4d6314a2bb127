"""One changed month of a 24-month history read again: which partitions are rewritten, how many bytes, how many seconds.

The lake holds one export per month. Then a later export of one month comes in, in which one order of a hundred was
partly refunded; nothing else differs. It touches that month, and what is not paid yet: those orders have no month.
"""

import re
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prefect.testing.utilities import prefect_test_harness

from tasks.refs import StoredFile
from tests.bench.taobao import write_month
from tests.support.quarter import QINGHE, Brand

MONTHS = 24
STARTING_SECONDS = 180
"""What Prefect's own server may take to start on a busy machine; not counted."""
UNPAID = "__HIVE_DEFAULT_PARTITION__"
_PARTITION = re.compile(r"([a-z_]+)=([^/]+)/")
_BESIDE = frozenset({"files", "runs"})
"""Every run adds a row to these."""
Manifest = Mapping[str, tuple[StoredFile, ...]]


@dataclass(frozen=True)
class Rewritten:
    """What the second export of a month did to the lake."""

    month: str
    partitions: dict[str, frozenset[str]]
    """Table to its partitions in which a file came or went."""
    standing: dict[str, int]
    """Table to the number of its partitions."""
    bytes_written: int
    bytes_standing: int
    seconds: float


def report(orders_a_month: int) -> bool:
    """Measure and print; False when a partition of another month was touched."""
    with tempfile.TemporaryDirectory(prefix="strata-bench-") as folder, prefect_test_harness(STARTING_SECONDS):
        rewritten = measure_again(Path(folder), orders_a_month)
    _say(rewritten, orders_a_month)
    return is_within(rewritten)


def measure_again(folder: Path, orders_a_month: int, months: int = MONTHS) -> Rewritten:
    """Fill a lake with the history, then read the last month but one again."""
    brand = Brand(str(folder / "lake"), QINGHE)
    (folder / "exports").mkdir()
    for number in range(months):
        write_month(folder / "exports" / f"{number:02}.csv", first_of(number), orders_a_month)
    brand.ingest(folder / "exports", received_at="2026-06-02", exported_at="2026-06-01")
    before = brand.tables.manifest(brand.tables.snapshot())
    write_month(folder / "again.csv", first_of(months - 2), orders_a_month, refunded=True)
    began = time.perf_counter()
    brand.ingest(folder / "again.csv", received_at="2026-07-02", exported_at="2026-07-01")
    seconds = time.perf_counter() - began
    after = brand.tables.manifest(brand.tables.snapshot())
    return _compare(f"{first_of(months - 2):%Y-%m}", before, after, seconds)


def first_of(number: int) -> datetime:
    """Return the beginning of a month of the history, the first of which is January 2024."""
    return datetime(2024 + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def is_within(rewritten: Rewritten) -> bool:
    """Whether no partition but those of the month and of unpaid orders was written."""
    return frozenset().union(*rewritten.partitions.values()) <= {rewritten.month, UNPAID}


def _compare(month: str, before: Manifest, after: Manifest, seconds: float) -> Rewritten:
    moved = {table: {*before.get(table, ())} ^ {*files} for table, files in after.items() if table not in _BESIDE}
    new = {file for files in after.values() for file in files} - {file for files in before.values() for file in files}
    return Rewritten(
        month=month,
        partitions={table: frozenset(map(_partition, files)) for table, files in moved.items() if files},
        standing={table: len({*map(_partition, files)}) for table, files in after.items()},
        bytes_written=sum(file.bytes for file in new),
        bytes_standing=sum(file.bytes for files in after.values() for file in files),
        seconds=seconds,
    )


def _partition(file: StoredFile) -> str:
    return ", ".join(value for _, value in _PARTITION.findall(file.path)) or "the whole"


def _say(rewritten: Rewritten, orders_a_month: int) -> None:
    mebibyte = 1024**2
    lines = [f"\none changed month of {MONTHS} with {orders_a_month:,} orders each, read again"]
    lines += [
        f"{table:12} {len(touched):3} of {rewritten.standing[table]:3} partitions: {', '.join(sorted(touched))}"
        for table, touched in sorted(rewritten.partitions.items())
    ]
    lines.append(
        f"{rewritten.bytes_written / mebibyte:.1f} of {rewritten.bytes_standing / mebibyte:.1f} MiB written "
        f"in {rewritten.seconds:.1f} s"
    )
    sys.stdout.write("\n".join(lines) + "\n")
