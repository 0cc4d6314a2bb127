"""Workbooks become the text that an export in CSV would have; a hostile one harms nothing."""

import time as clock
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import BadFileError
from tasks.sources.opened import Opened, Wanted
from tasks.sources.workbook import open_workbook
from tasks.sources.workbook_cells import TEXT_OF
from tests.support import hostile
from tests.support.hostile import ErrorCell, Formula
from tests.unit.sources.reading import read_one

MAY = datetime(2026, 5, 1)  # noqa: DTZ001  a wall clock, as cells are
KNOWN = frozenset({"order_id", "paid", "note", "at"})
HEADER = ["order_id", "paid", "note"]


def opened(folder: Path, content: bytes, known: frozenset[str] = KNOWN) -> Opened:
    return open_workbook(hostile.written(folder, "orders.bin", content), "orders.xlsx", known)


def read(folder: Path, content: bytes, wanted: Wanted | None = None) -> tuple[list[tuple[Any, ...]], list[Any], int]:
    """Rows, rows that could not be taken apart, and how many there were."""
    chunks = list(opened(folder, content).chunks(wanted or Wanted()))
    rows = pl.concat([chunk.rows for chunk in chunks]).rows()
    bad = pl.concat([chunk.undecodable for chunk in chunks]).rows()
    return rows, bad, sum(chunk.rows_read for chunk in chunks)


def refused(folder: Path, content: bytes) -> str:
    with pytest.raises(BadFileError) as error:
        list(opened(folder, content).chunks(Wanted()))
    return str(error.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.0, "12345"),
        (13800000101.0, "13800000101"),
        (123456789012345.0, "123456789012345"),
        (1e15, "1.00000E+15"),
        (6917930312345678901.0, "6.91793E+18"),
        (-6917930312345678901.0, "-6.91793E+18"),
        (1299.9, "1299.9"),
        (0.1 + 0.2, "0.3"),
        (-12.0, "-12"),
        (-0.0, "0"),
        (1e-7, "0.0000001"),
        (float("nan"), "nan"),
        (float("inf"), "INF"),
        (7, "7"),
        (10**15, "1.00000E+15"),
        (True, "TRUE"),
        (False, "FALSE"),
        (MAY.replace(hour=11, minute=23, second=44, microsecond=999_600), "2026-05-01 11:23:45"),
        (
            MAY.replace(year=9999, month=12, day=31, hour=23, minute=59, second=59, microsecond=999_999),
            "9999-12-31 23:59:59",
        ),
        (date(2026, 5, 1), "2026-05-01 00:00:00"),
        (time(9, 5), "09:05:00"),
        (timedelta(hours=42, seconds=1), "42:00:01"),
        (timedelta(seconds=-61), "-00:01:01"),
    ],
)
def test_a_cell_as_text(value: object, text: str):
    assert TEXT_OF[type(value)](value) == text


def test_cells_of_every_kind(tmp_path: Path):
    rows = [
        ["order_id", "paid", "at"],
        ["00123", 1299.9, MAY.replace(hour=11, minute=23, second=45)],
        [6917930312345678901, Formula("=1+1", 2), date(2026, 5, 1)],
        [Formula('="a"&"b"', "ab"), True, None],
    ]
    assert read(tmp_path, hostile.workbook({"s": rows})) == (
        [
            (1, "00123", "1299.9", "2026-05-01 11:23:45"),
            (2, "6.91793E+18", "2", "2026-05-01 00:00:00"),
            (3, "ab", "TRUE", None),
        ],
        [],
        3,
    )


def test_an_old_workbook(tmp_path: Path):
    rows = [HEADER, ["1", 12345, "备注"], [6917930312345678901.0, 1299.9, ErrorCell(0x2A)], ["3", MAY]]
    found = opened(tmp_path, hostile.old_workbook(rows))
    assert found.format == "xls"
    [chunk] = found.chunks(Wanted())
    assert chunk.rows.rows() == [
        (1, "1", "12345", "备注"),
        (2, "6.91793E+18", "1299.9", "#N/A"),
        (3, "3", "2026-05-01 00:00:00", None),
    ]


def test_error_cells_are_told_and_not_blank(tmp_path: Path):
    rows = [
        ["title"],
        [None, *HEADER],
        [None, "1", Formula("=1/0", "#DIV/0!"), "x"],
        [None, "2", 5, Formula("=NA()", "#N/A")],
    ]
    assert read(tmp_path, hostile.workbook({"note": [["x"]], "s": rows}))[0] == [
        (1, None, "1", "#DIV/0!", "x"),
        (2, None, "2", "5", "#N/A"),
    ]


def test_a_formula_that_was_never_worked_out_is_told_and_not_blank(tmp_path: Path):
    cells = b'<row r="2"><c r="A2" t="inlineStr"><is><t>1</t></is></c><c r="B2"><f>1+1</f></c></row>'
    header = b'<row r="1"><c t="inlineStr"><is><t>order_id</t></is></c><c t="inlineStr"><is><t>paid</t></is></c></row>'
    assert read(tmp_path, hostile.with_sheet(hostile.workbook({"s": [["x"]]}), header + cells))[0] == [
        (1, "1", "#CALC!")
    ]


def test_lines_above_the_header_are_skipped_and_blank_rows_are_none(tmp_path: Path):
    rows = [["企业微信客户"], [], ["导出时间 2026-06-01"], HEADER, ["1", "2.00", ""], [], ["2", "3.00", "x"]]
    found = opened(tmp_path, hostile.workbook({"s": rows}))
    assert (found.headers, found.about) == (tuple(HEADER), ("sheet 's': 2 lines above the header were skipped",))
    [chunk] = found.chunks(Wanted())
    assert chunk.rows.rows() == [(1, "1", "2.00", None), (2, "2", "3.00", "x")]


def test_a_table_that_begins_in_the_middle_of_the_sheet(tmp_path: Path):
    rows = [[], [], [None, None, *HEADER], [None, None, "1", "2.00", "x"]]
    assert read(tmp_path, hostile.workbook({"s": rows}))[0] == [(1, "1", "2.00", "x")]


def test_sheets_with_the_same_headers_run_on_in_whatever_order_of_columns(tmp_path: Path):
    content = hostile.workbook(
        {
            "说明": [["如何填写"], ["note"]],
            "1": [HEADER, ["1", "2.00", "x"], ["2", "3.00", "y"]],
            "2": [["note", "order_id", "paid"], ["z", "3", "4.00"]],
            "empty": [],
        }
    )
    found = opened(tmp_path, content)
    assert found.about == ("sheet '说明' was left out: no layout knows it (2 rows)",)
    assert [row for chunk in found.chunks(Wanted()) for row in chunk.rows.rows()] == [
        (1, "1", "2.00", "x"),
        (2, "2", "3.00", "y"),
        (3, "3", "4.00", "z"),
    ]


def test_chunks_may_be_asked_for_twice_and_for_some_columns(tmp_path: Path):
    found = opened(tmp_path, hostile.workbook({"s": [HEADER, ["1", "2.00", "x"]]}))
    assert [chunk.rows.rows() for chunk in found.chunks(Wanted())] == [[(1, "1", "2.00", "x")]]
    [chunk] = found.chunks(Wanted(columns=frozenset({"paid"})))
    assert chunk.rows.columns == ["row_number", "paid"]


def test_a_false_dimension_is_not_believed(tmp_path: Path):
    plain = hostile.workbook({"s": [HEADER, ["1", "2.00", "x"]]})
    xml = hostile.part_of(plain, hostile.SHEET)
    assert b'<dimension ref="A1:C2"/>' in xml
    lying = hostile.patched(plain, {hostile.SHEET: xml.replace(b'"A1:C2"', b'"A1"')})
    assert read(tmp_path, lying)[0] == [(1, "1", "2.00", "x")]


def test_a_cell_without_a_header_refuses_its_row(tmp_path: Path):
    rows = [HEADER, ["1", "2.00", "x"], ["2", "3.00", "y", "beyond"], ["3"]]
    good, bad, count = read(tmp_path, hostile.workbook({"s": rows}))
    assert (good, bad, count) == (
        [(1, "1", "2.00", "x"), (3, "3", None, None)],
        [(2, "wrong_field_count", "2,3.00,y,beyond")],
        3,
    )


def test_a_cell_that_no_spreadsheet_can_hold_refuses_its_row(tmp_path: Path):
    plain = hostile.workbook({"s": [HEADER, ["1", "2.00", "MARK"], ["2", "3.00", "y"]]})
    shared = "xl/sharedStrings.xml"
    long = hostile.part_of(plain, shared).replace(b"MARK", b"x" * 70_000)
    good, bad, count = read(tmp_path, hostile.patched(plain, {shared: long}))
    assert (good, bad, count) == ([(2, "2", "3.00", "y")], [(1, "record_too_long", "")], 2)


def test_the_first_of_merged_cells_has_the_value(tmp_path: Path):
    plain = hostile.workbook({"s": [HEADER, ["1", "2.00", "x"], [None, "3.00", "y"]]})
    merged = b'<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells></worksheet>'
    xml = hostile.part_of(plain, hostile.SHEET).replace(b"</worksheet>", merged)
    assert read(tmp_path, hostile.patched(plain, {hostile.SHEET: xml}))[0] == [
        (1, "1", "2.00", "x"),
        (2, None, "3.00", "y"),
    ]


def test_links_to_other_workbooks_are_not_followed(tmp_path: Path):
    rows = [HEADER, ["1", Formula("='[http://192.0.2.1/x.xlsx]S'!A1", 7), "x"]]
    content = hostile.patched(hostile.workbook({"s": rows}), {"xl/externalLinks/externalLink1.xml": b"<x/>"})
    found = opened(tmp_path, content)
    assert "links to other workbooks are not followed" in found.about[0]
    [chunk] = found.chunks(Wanted())
    assert chunk.rows.rows() == [(1, "1", "7", "x")]


def test_sheets_of_two_layouts_are_refused(tmp_path: Path):
    content = hostile.workbook({"a": [HEADER, ["1", "2", "x"]], "b": [["order_id", "paid", "at"], ["1", "2", "y"]]})
    assert "'a' and 'b' have different headers" in refused(tmp_path, content)
    assert "save each of these sheets" in refused(tmp_path, content)


PLAIN = hostile.workbook({"s": [HEADER, ["1", "2.00", "x"]]})
CELL = b'<row r="%d"><c r="%s%d"><v>1</v></c></row>'
BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>'
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (hostile.patched(PLAIN, {"xl/sharedStrings.xml": BILLION_LAUGHS}), "declares entities"),
        (hostile.patched(PLAIN, {hostile.SHEET: "<worksheet/>".encode("utf-16")}), "is not UTF-8"),
        (hostile.patched(PLAIN, {"xl/vbaProject.bin": b"x"}), "a workbook with macros"),
        (hostile.patched(PLAIN, {"xl/workbook.xml": None, "xl/workbook.bin": b"x"}), "a binary workbook"),
        (hostile.patched(PLAIN, {"xl/workbook.xml": None}), "without a workbook"),
        (hostile.patched(PLAIN, {"xl/workbook.xml": b"<workbook"}), "cannot be read as a workbook"),
        (hostile.patched(PLAIN, {hostile.SHEET: None}), "cannot be read as a workbook"),
        (hostile.patched(PLAIN, {hostile.SHEET: b"<worksheet><sheetData><row>"}), "cannot be read as a workbook"),
        (hostile.patched(PLAIN, {hostile.SHEET: bytes(90 << 20)}), "inflates to"),
        (PLAIN[:-100], "cut off or damaged"),
        (PLAIN[:200], "cut off or damaged"),
        (hostile.workbook({"s": []}), "no filled cell"),
        (hostile.workbook({"s": [[f"h{column}" for column in range(2_001)]]}), "a sheet has 2001 columns"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000), "cannot be read as a workbook"),
        (hostile.old_workbook([HEADER, ["1"]])[:3_000], "cannot be read as a workbook"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str):
    assert reason in refused(tmp_path, content)
    assert "next: " in refused(tmp_path, content)


@pytest.mark.parametrize(
    "rows",
    [
        CELL % (1, b"A", 1) + CELL % (1_048_576, b"XFD", 1_048_576),
        CELL % (1, b"A", 1) + CELL % (1_048_576, b"ZZ", 1_048_576),
    ],
    ids=["17 billion cells", "700 million cells"],
)
def test_a_sheet_that_claims_more_cells_than_memory_holds_is_refused(tmp_path: Path, rows: bytes):
    """In our own process the library would abort, and the whole run with it."""
    began = clock.monotonic()
    assert "needs more memory" in refused(tmp_path, hostile.with_sheet(PLAIN, rows))
    assert clock.monotonic() - began < 60


def test_a_reader_that_is_left_alone_ends(tmp_path: Path):
    """Headers are read, the layout is unknown, nobody asks for rows: the process apart must not stay."""
    import gc

    import psutil

    found = opened(tmp_path, hostile.workbook({"s": [HEADER, *[["1", "2.00", "x" * 99]] * 5_000]}))
    before = {child.pid for child in psutil.Process().children()}
    del found
    gc.collect()
    assert {child.pid for child in psutil.Process().children()} < before


@pytest.mark.parametrize(
    ("value", "parse", "expected"),
    [
        (MAY, "date", (MAY.date(), None)),
        (6917930312345678901.0, "id", (None, "destroyed")),
        (6917930312345678901.0, "nick", (None, "destroyed")),
        (1e15, "money", (None, "unreadable")),
        (1299.9, "money", (129_990, None)),
        (12345.0, "id", ("12345", None)),
        (13800000101.0, "phone", ("13800000101", None)),
    ],
)
def test_what_a_cell_becomes_is_understood(value: Any, parse: str, expected: tuple[object, str | None]):
    text = value if isinstance(value, str) else TEXT_OF[type(value)](value)
    assert read_one(text, parse=parse) == expected


@pytest.mark.parametrize("parse", ["id", "nick", "text"])
def test_an_error_cell_is_no_text(parse: str):
    assert read_one("#N/A", parse=parse) == (None, "spreadsheet_error")
