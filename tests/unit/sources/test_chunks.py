"""Laws of reading in chunks: their size changes nothing, no row is lost, and Python's own csv reader agrees."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from tasks.errors import BadFileError
from tasks.sources import records
from tasks.sources.decode import open_export
from tasks.sources.layouts import Layout
from tasks.sources.opened import Chunk, Wanted
from tasks.sources.read import read_export
from tests.support.examples import examples
from tests.unit.sources.reading import SAMPLES, context, frames, read_bytes, spill
from tests.unit.sources.test_poisoned import LINE, LINES_HEADER

CELL = st.text(alphabet='ab,"\n\r 一😀=\t;|', max_size=6)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8)
SIZES = st.sampled_from([4, 5, 7, 16, 61])
WHOLE = 1 << 20


def take(content: bytes, chunk_bytes: int = WHOLE) -> Chunk | str:
    """All rows of a file as one chunk, or why it was refused."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(content)
        try:
            chunks = list(open_export(path, "f.csv", frozenset(), chunk_bytes).chunks(Wanted()))
        except BadFileError as error:
            return str(error)
    rows, bad, counts, _ = zip(*chunks, strict=True)
    return Chunk(pl.concat(rows), pl.concat(bad), sum(counts))


def same(one: Chunk | str, other: Chunk | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return (
        one.rows.equals(other.rows) and one.undecodable.equals(other.undecodable) and one.rows_read == other.rows_read
    )


@settings(max_examples=examples(60))
@given(st.text(alphabet='ab,"\n\r一😀=\0', max_size=60), SIZES, st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_whatever_the_text_the_size_of_chunks_changes_nothing(text: str, size: int, encoding: str):
    content = f"a,b{' ' * 40}\n{text}".encode(encoding)
    assert same(take(content, size), take(content))


@settings(max_examples=examples(50))
@given(st.lists(st.sampled_from(["1,2\n", '"x",y\n', "x" * 30, '"', "\n", ",", '"a\nb",1\n']), max_size=12), SIZES)
def test_a_record_that_is_too_long_is_the_same_in_any_chunks(pieces: list[str], size: int):
    content = ("a,b\n" + "".join(pieces)).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "MAX_RECORD_BYTES", 40)
        patch.setattr(records, "_SHOWN_BYTES", 10)
        found, whole = take(content, size), take(content)
    assert same(found, whole) or (isinstance(found, str) and isinstance(whole, str))


@given(ROWS, st.sampled_from([",", "\t", ";", "|"]), st.sampled_from(["\n", "\r\n"]), SIZES)
def test_well_formed_files_read_as_pythons_csv_reads_them(
    rows: list[tuple[str, ...]], separator: str, line_end: str, size: int
):
    """Polars tells an unquoted empty cell from a quoted one; whoever reads the cells takes both for blank."""
    written = io.StringIO()
    csv.writer(written, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows(
        [("one", "two", "three"), *rows]
    )
    expected = list(csv.reader(io.StringIO(written.getvalue().replace("\r\n", "\n"), newline=""), delimiter=separator))
    chunk = take(written.getvalue().encode(), size)
    assert isinstance(chunk, Chunk)
    assert chunk.rows.drop("row_number").rows() == [tuple(row) for row in expected[1:]]
    assert chunk.rows["row_number"].to_list() == list(range(1, len(rows) + 1))


@settings(max_examples=examples(25))
@given(st.text(alphabet='ab,"\n\r\0', max_size=80), SIZES)
def test_every_row_is_read_or_refused(text: str, size: int):
    chunk = take(f"a,b\n{text}".encode(), size)
    if isinstance(chunk, Chunk):
        numbers = [*chunk.rows["row_number"], *chunk.undecodable["row_number"]]
        assert sorted(numbers) == list(range(1, chunk.rows_read + 1))


JSON_LINE = st.sampled_from(['{"a": 1, "b": "一"}', '{"a": {"c": [1, 2]}}', "{broken", "[1]", "", '{"a": "\\ud800"}'])


@given(st.lists(JSON_LINE, min_size=1, max_size=8), SIZES)
def test_json_is_the_same_in_any_chunks(lines: list[str], size: int):
    for text in ("\n".join(['{"a": 0}', *lines]), f"[{', '.join(['{}', *filter(None, lines)])}]"):
        assert same(take(text.encode(), size), take(text.encode()))


@settings(max_examples=examples(10), deadline=None)
@given(st.lists(LINE, min_size=1, max_size=30), st.sampled_from([16, 200]))
def test_lines_of_one_order_meet_whatever_chunk_they_stand_in(lines: list[tuple[str, ...]], size: int):
    texts = [f"{house},9,{basket},{item},1,{paid},0,0,0,1,{at}{end}" for house, basket, item, paid, at, end in lines]
    content = "\n".join([LINES_HEADER, *texts])
    with TemporaryDirectory() as folder:
        whole = read_bytes(Path(folder), content)
        parts = read_bytes(Path(folder), content, chunk_bytes=size)
    assert _told(parts) == _told(whole)


@pytest.mark.parametrize("name", [path.name for path in sorted(SAMPLES.iterdir()) if path.suffix in {".csv", ".jsonl"}])
def test_samples_are_the_same_in_any_chunks(name: str):
    from tasks.sources.read import read_export

    try:
        whole = read_export(SAMPLES / name, context(SAMPLES / name, shop_id="one"), spill())
    except BadFileError as error:
        with pytest.raises(BadFileError, match=error.found[:20]):
            read_export(SAMPLES / name, context(SAMPLES / name, shop_id="one", chunk_bytes=64), spill())
        return
    parts = read_export(SAMPLES / name, context(SAMPLES / name, shop_id="one", chunk_bytes=64), spill())
    assert _told(parts) == _told(whole)


def _told(export: Any) -> dict[str, object]:
    """Everything that an export says, in an order that does not depend on its parts; each part seals its contacts."""
    contacts = export.frame("contacts").select("pseudonym", "contact_type", "value")
    tables = {**frames(export), "quarantine": export.frame("quarantine"), "contacts": contacts}
    counts = {name: value for name, value in vars(export).items() if name not in {"tables", "refused", "contacts"}}
    return counts | {name: sorted(map(str, rows.unique().rows())) for name, rows in tables.items()}


HEADERS = ("order", "state", "at", "paid")
TOLD = Layout.model_validate(
    {
        "name": "till", "channel": "till", "about": "A till", "grain": "order", "shop": "main",
        "formats": ["csv", "xlsx", "jsonl", "parquet"], "money": "paid_fen", "constants": {"kind": "purchase"},
        "columns": {
            "order_id": {"header": "order", "parse": "id"},
            "status": {"header": "state", "parse": "code", "codes": {"paid": "paid"}},
            "ordered_at": {"header": "at", "parse": "instant"},
            "paid_at": {"header": "at", "parse": "instant"},
            "paid_fen": {"header": "paid", "parse": "money"},
            "gross_fen": {"header": "paid", "parse": "money"},
        },
    }
)  # fmt: skip


def _written(path: Path, rows: int) -> Path:
    """The same orders in the format that the file's name asks for."""
    frame = pl.DataFrame(
        [(f"R{n}", "paid", "2026-05-01 10:00:00", "12.50") for n in range(rows)], HEADERS, orient="row"
    )
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    elif path.suffix == ".json":
        frame.write_json(path)
    else:
        with Workbook(path) as book:
            for part in (frame[: rows // 3], frame[rows // 3 :]):
                part.write_excel(book, worksheet=f"from {part['order'][0]}")
    return path


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "jsonl", "json"])
def test_reading_tells_how_far_it_is_and_ends_at_the_end(tmp_path: Path, kind: str):
    rows = 70_000 if kind in {"parquet", "jsonl", "json"} else 2_000
    path, heard = _written(tmp_path / f"till.{kind}", rows), list[int]()
    export = read_export(path, context(path, heard=heard.append, chunk_bytes=1 << 10), spill(), [TOLD])
    assert export.rows_read == rows
    assert len([size for size in heard[:-1] if size > 0]) > 1, "told on the way"
    assert min(heard) >= 0
    assert sum(heard) == path.stat().st_size
    assert heard[-1] <= path.stat().st_size // 10, "and not all at the end"
