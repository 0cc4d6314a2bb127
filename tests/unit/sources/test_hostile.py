"""Hostile and broken files on the real path: refused or quarantined with the reason, nothing lost, the rest enters."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.errors import BadFileError
from tasks.sources.read import Export, read_export
from tasks.sources.unpack import Refusal, unpack
from tests.support import hostile
from tests.support.source import ROOT
from tests.unit.sources.hostile_cases import BOOK, CASES, FAR_CELLS, GOOD, LAYOUTS, Case, Read, Refused, Spoilt
from tests.unit.sources.reading import balance, context, rules, spill

SHOPS = {"youzan": "qinghe_mall", "taobao": "qinghe_tmall", "sensors": "app"}


def take_in(folder: Path, files: dict[str, bytes]) -> dict[str, Export | BadFileError]:
    """What an ingest of these files makes of each export in them, as the steps do it: one bad file stops no other."""
    outcomes: dict[str, Export | BadFileError] = {}
    for name, content in files.items():
        path = hostile.written(folder / "inbox", name, content)
        for part in unpack(path, name, folder / "scratch", ("known",)):
            outcomes[part.name] = part.error if isinstance(part, Refusal) else read(part.path, part.name)
    return outcomes


def read(path: Path, name: str) -> Export | BadFileError:
    try:
        return read_export(path, context(path, name=name, shops=SHOPS), spill(), LAYOUTS)
    except BadFileError as error:
        return error


@pytest.mark.parametrize(("name", "file", "content", "expected"), CASES, ids=[case[0] for case in CASES])
def test_hostile(tmp_path: Path, name: str, file: str, content: Case, expected: Refused | Spoilt | Read):
    data = content() if callable(content) else content
    outcomes = take_in(tmp_path, {file: data, "good.csv": GOOD})
    good = outcomes.pop("good.csv")
    assert isinstance(good, Export)
    assert (good.rows_read, good.rows_refused) == (3, 0)
    [outcome] = outcomes.values()
    if isinstance(expected, Refused):
        assert isinstance(outcome, BadFileError), f"{name} was read"
        assert expected.reason in str(outcome)
        assert outcome.next_step
        assert "geheim" not in str(outcome)
    else:
        assert isinstance(outcome, Export), f"{name}: {outcome}"
        assert balance(outcome) == (0, 0)
        _check(outcome, expected)


def _check(export: Export, expected: Spoilt | Read) -> None:
    assert export.rows_read == 3
    if isinstance(expected, Spoilt):
        refused = export.frame("quarantine")
        assert tuple(sorted(rules(export))) == expected.rules
        assert tuple(sorted(set(refused["row_number"]))) == expected.rows
    else:
        assert rules(export) == {}
        second = export.frame("orders").filter(row_number=2)
        assert second["paid_fen"].to_list() == [expected.paid_fen]
        assert any(expected.about in line for line in ("", *export.about))
        assert {column: second[column][0] for column in expected.cells} == dict(expected.cells)


def test_there_are_enough_of_them():
    assert len({case[0] for case in CASES}) == len(CASES) >= 60


REPEATED = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (at, at) for at in range(1, 100_001))


def amplified() -> bytes:
    """A workbook of a few kilobytes in which one string of a megabyte stands a hundred thousand times."""
    shared = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    return hostile.patched(hostile.with_sheet(BOOK, REPEATED), {"xl/sharedStrings.xml": shared % (b"x" * 1_000_000)})


PRODUCT_COLUMNS = ("product_id", "department", "product_category", "product_type", "brand")


def amplified_parquet() -> bytes:
    """A Parquet file of a few kilobytes in which one string of a megabyte stands a hundred thousand times."""
    target = io.BytesIO()
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table(dict.fromkeys(PRODUCT_COLUMNS, repeated)), target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("build", "outcome"),
    [
        (lambda: hostile.gzip_bomb(128), "as only a bomb does"),
        (lambda: GOOD + b"\n" + b"x" * 50_000_000, "4 rows, 1 refused"),
        (lambda: b"[" + b"1," * 1_000_000 + b"1]", "next: "),
        (lambda: hostile.with_sheet(BOOK, FAR_CELLS), "needs more memory"),
        (amplified_parquet, "as only a bomb does"),
        pytest.param(amplified, "needs more memory", marks=pytest.mark.proof),
    ],
    ids=[
        "gzip bomb",
        "a cell of 50 MB",
        "a list of a million numbers",
        "17 billion cells",
        "parquet",
        "a string 100,000 times",
    ],
)
def test_memory_stays_bounded(tmp_path: Path, build: Callable[[], bytes], outcome: str):
    """Reading what is worst takes this process 300 MB more at most, and the process apart 3 GB."""
    good, bad = hostile.written(tmp_path, "good.csv", GOOD), hostile.written(tmp_path, "bad", build())
    command = [sys.executable, "-m", "tests.support.peak_child", str(good), str(bad)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, grown, apart = json.loads(told.stdout)
    assert outcome in found
    assert grown < 300 << 10
    assert apart < 3 << 20
