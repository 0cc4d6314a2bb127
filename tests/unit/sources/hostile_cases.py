"""The table of hostile and broken inputs: what each is, and what must come of it.

Most are Youzan order exports of three orders of 238.00, of which the second (row 2) is spoilt.
"""

import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from tasks.sources.layouts import built_in
from tests.support import hostile
from tests.support.hostile import YOUZAN_HEADER, ErrorCell, Formula, order_number, youzan, youzan_rows


@dataclass(frozen=True)
class Refused:
    """The whole file is refused; the message holds this."""

    reason: str


@dataclass(frozen=True)
class Spoilt:
    """One row of three is quarantined, under these rules; the other two enter."""

    rules: tuple[str, ...]
    rows: tuple[int, ...] = (2,)


@dataclass(frozen=True)
class Read:
    """Every row enters, with this paid for the second order, in fen; or these columns of it."""

    paid_fen: int = 23_800
    about: str = ""
    cells: Mapping[str, Any] = field(default_factory=dict)


Outcome = Refused | Spoilt | Read
Case = tuple[str, str, bytes | Callable[[], bytes], Outcome]
"""Name, file name, bytes (or what builds them), outcome."""

NO_AMOUNT = Spoilt(("paid_fen_missing", "total_paid_unreadable"))
LAYOUTS = [
    layout.model_copy(update={"formats": ("csv", "xlsx", "parquet")}) if layout.name == "youzan_orders" else layout
    for layout in built_in()
]
"""Parquet has no back office; a brand's own warehouse may write it."""
PAID, MADE, REFUND, NUMBER, PAID_AT = "订单实付金额", "订单创建时间", "订单已退款金额", "订单号", "买家付款时间"
GOOD = youzan(3).encode()
BOOK = hostile.workbook({"订单": youzan_rows(3)})
HIGHEST = str(2**63)


def spoilt(**cells: Any) -> bytes:
    """Three orders, the second with other cells."""
    return youzan(3, **{header: {1: value} for header, value in cells.items()}).encode()


def book(**cells: Any) -> bytes:
    """The same as a workbook."""
    return hostile.workbook({"订单": youzan_rows(3, **{header: {1: value} for header, value in cells.items()})})


def line(change: Callable[[str], str]) -> bytes:
    """Three orders, the second line changed as text."""
    lines = youzan(3).split("\n")
    lines[2] = change(lines[2])
    return "\n".join(lines).encode()


def columns(change: Callable[[list[list[Any]]], list[list[Any]]]) -> bytes:
    """Three orders with other columns."""
    return "\n".join(",".join(row) for row in change(youzan_rows(3))).encode()


def parquet(change: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame) -> bytes:
    """Three orders as Parquet; the second 分销员 is called otherwise, as Parquet wants it."""
    rows = youzan_rows(3)
    names = [name if name not in rows[0][:at] else f"{name}_2" for at, name in enumerate(rows[0])]
    target = io.BytesIO()
    change(pl.DataFrame(rows[1:], schema=names, orient="row")).write_parquet(target)
    return target.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    """One bit flipped; counted from the end where negative."""
    changed = bytearray(data)
    changed[at] ^= 0x40
    return bytes(changed)


def without(header: str) -> Callable[[list[list[Any]]], list[list[Any]]]:
    at = YOUZAN_HEADER.index(header)
    return lambda rows: [[*row[:at], *row[at + 1 :]] for row in rows]


def renamed(old: str, new: str) -> bytes:
    return GOOD.replace(old.encode(), new.encode(), 1)


def zip_of(*members: tuple[str, bytes]) -> bytes:
    return hostile.zipped(dict(members))


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>'
)
CELL = b'<row r="%d"><c r="%s%d"><v>1</v></c></row>'
FAR_CELLS = CELL % (1, b"A", 1) + CELL % (1_048_576, b"XFD", 1_048_576)

ARCHIVES: list[Case] = [
    ("zip bomb", "a.zip", lambda: hostile.zip_bomb(32), Refused("as only a bomb does")),
    ("gzip bomb", "a.csv.gz", lambda: hostile.gzip_bomb(32), Refused("as only a bomb does")),
    ("zip in a zip", "a.zip", zip_of(("b.zip", zip_of(("c.csv", GOOD)))), Refused("an archive in an archive")),
    ("gz in a zip", "a.zip", zip_of(("b.csv.gz", gzip.compress(GOOD, mtime=0))), Refused("an archive in an archive")),
    ("gz in a gz", "a.gz", gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0), Refused("an archive in an archive")),
    ("absolute member name", "a.zip", zip_of(("/etc/cron.d/x", GOOD)), Refused("climbs out of its folder")),
    ("member name with ..", "a.zip", zip_of(("../../x.csv", GOOD)), Refused("climbs out of its folder")),
    ("member name with a drive", "a.zip", zip_of(("C:/x.csv", GOOD)), Refused("climbs out of its folder")),
    ("member name with backslashes", "a.zip", zip_of(("..\\x.csv", GOOD)), Refused("climbs out of its folder")),
    ("member name with a control character", "a.zip", zip_of(("x\x07.csv", GOOD)), Refused("no file should have")),
    (
        "member that is a symbolic link",
        "a.zip",
        hostile.zipped_info({"external_attr": 0o120777 << 16}, b"/etc/passwd"),
        Refused("is a symbolic link"),
    ),
    ("member under lock", "a.zip", hostile.zipped_under_lock(GOOD), Refused("is locked with a password")),
    ("zip cut off", "a.zip", zip_of(("a.csv", GOOD))[:-30], Refused("cut off or damaged")),
    ("zip that lies about a size", "a.zip", hostile.lying_zip(GOOD, 10), Refused("cut off or damaged")),
    ("zip with an endless directory", "a.zip", hostile.endless_directory(1 << 20), Refused("more members than")),
    ("zip with nothing in it", "a.zip", zip_of(), Refused("holds no export file")),
    ("zip with junk alone", "a.zip", zip_of(("__MACOSX/._a.csv", b"x")), Refused("holds no export file")),
    ("gz cut off", "a.csv.gz", gzip.compress(GOOD, mtime=0)[:-20], Refused("cut off or damaged")),
    ("gz with a flipped bit", "a.csv.gz", flipped(gzip.compress(GOOD, mtime=0), -6), Refused("cut off or damaged")),
    ("rar", "a.rar", b"Rar!\x1a\x07\x01\x00" + bytes(99), Refused("a RAR archive")),
    ("member named in GBK", "a.zip", lambda: hostile.zipped_on_windows("有赞订单.csv", GOOD), Read()),
    ("zip called csv", "a.csv", zip_of(("a.csv", GOOD)), Read()),
    ("gz of a workbook called csv", "a.csv", gzip.compress(BOOK, mtime=0), Read()),
]

WORKBOOKS: list[Case] = [
    ("workbook cut off", "a.xlsx", BOOK[:-50], Refused("cut off or damaged")),
    ("workbook cut in its first part", "a.xlsx", BOOK[:300], Refused("cut off or damaged")),
    ("workbook with a flipped bit", "a.xlsx", flipped(BOOK, 600), Refused("cut off or damaged")),
    (
        "workbook that inflates to a thousand times",
        "a.xlsx",
        lambda: hostile.patched(BOOK, {hostile.SHEET: bytes(80 << 20)}),
        Refused("inflates to"),
    ),
    ("workbook of 17 billion cells", "a.xlsx", hostile.with_sheet(BOOK, FAR_CELLS), Refused("needs more memory")),
    (
        "entity bomb",
        "a.xlsx",
        hostile.patched(BOOK, {"xl/sharedStrings.xml": BILLION_LAUGHS}),
        Refused("declares entities"),
    ),
    ("macros", "a.xlsm", hostile.patched(BOOK, {"xl/vbaProject.bin": b"x"}), Refused("a workbook with macros")),
    (
        "binary workbook",
        "a.xlsb",
        hostile.patched(BOOK, {"xl/workbook.xml": None, "xl/workbook.bin": b"x"}),
        Refused("a binary workbook"),
    ),
    ("workbook under lock", "a.xlsx", lambda: hostile.locked(BOOK, "geheim-77"), Refused("STRATA_PASSWORDS")),
    ("workbook under lock, password known", "a.xlsx", lambda: hostile.locked(BOOK, "known"), Read()),
    ("empty workbook", "a.xlsx", hostile.workbook({"订单": []}), Refused("no filled cell")),
    (
        "workbook with a header alone",
        "a.xlsx",
        hostile.workbook({"订单": youzan_rows(0)}),
        Refused("a header and no rows"),
    ),
    (
        "sheets of two layouts",
        "a.xlsx",
        lambda: hostile.workbook({"订单": youzan_rows(3), "b": [YOUZAN_HEADER[:40], YOUZAN_HEADER[:40]]}),
        Refused("have different headers"),
    ),
    (
        "link to another workbook",
        "a.xlsx",
        hostile.patched(BOOK, {"xl/externalLinks/externalLink1.xml": b"<x/>"}),
        Read(about="are not followed"),
    ),
    ("formula with its value", "a.xlsx", book(**{PAID: Formula("=1+1", 99.9)}), Read(9_990)),
    ("amount as a number with noise", "a.xlsx", book(**{PAID: 0.1 + 0.2}), Read(30)),
    ("instant as a date cell", "a.xlsx", book(**{MADE: datetime.fromisoformat("2026-05-02T10:01:00")}), Read()),
    ("error cell", "a.xlsx", book(**{PAID: Formula("=1/0", "#DIV/0!")}), NO_AMOUNT),
    (
        "error cell for an id",
        "a.xlsx",
        book(**{NUMBER: Formula("=NA()", "#N/A")}),
        Spoilt(("order_id_spreadsheet_error",)),
    ),
    ("id that became a number", "a.xlsx", book(**{NUMBER: 6_917_930_312_345_678_901}), Spoilt(("order_id_destroyed",))),
    (
        "sheet with a cell beyond its header",
        "a.xlsx",
        lambda: hostile.workbook({"订单": [row + ["x"] * (at == 2) for at, row in enumerate(youzan_rows(3))]}),
        Spoilt(("wrong_field_count",)),
    ),
    (
        "false dimension",
        "a.xlsx",
        lambda: hostile.patched(
            BOOK,
            {
                hostile.SHEET: hostile.part_of(BOOK, hostile.SHEET).replace(
                    b'<dimension ref="A1:BH4"/>', b'<dimension ref="A1"/>'
                )
            },
        ),
        Read(),
    ),
    (
        "lines above the header of a sheet",
        "a.xlsx",
        lambda: hostile.workbook({"订单": [["有赞"], [], *youzan_rows(3)]}),
        Read(about="1 lines above the header"),
    ),
    ("old workbook", "a.csv", lambda: hostile.old_workbook(youzan_rows(3)), Read()),
    (
        "old workbook with an error cell",
        "a.xls",
        lambda: hostile.old_workbook(youzan_rows(3, **{PAID: {1: ErrorCell(7)}})),
        NO_AMOUNT,
    ),
    ("old workbook cut off", "a.xls", lambda: hostile.old_workbook(youzan_rows(3))[:4_000], Refused("next: ")),
    ("web page called xls", "a.xls", b"<html><table><tr><td>1</td></tr></table></html>", Refused("a web page")),
    ("workbook called csv", "a.csv", BOOK, Read()),
    ("csv called xlsx", "a.xlsx", GOOD, Read()),
]

TEXTS: list[Case] = [
    ("empty file", "a.csv", b"", Refused("is empty")),
    ("white space alone", "a.csv", b" \r\n\t\n", Refused("is empty")),
    ("byte order mark alone", "a.csv", b"\xef\xbb\xbf", Refused("is empty")),
    ("2 MB of white space", "a.csv", lambda: b" \n" * (1 << 20), Refused("next: ")),
    ("header alone", "a.csv", GOOD.split(b"\n")[0], Refused("a header and no rows")),
    ("noise", "a.csv", bytes(range(256)) * 40, Refused("next: ")),
    ("NUL in a row", "a.csv", line(lambda text: text.replace("林小彤", "林\0彤")), Spoilt(("nul_byte",))),
    ("NUL in the header", "a.csv", GOOD.replace("订单号".encode(), b"\0", 1), Refused("UTF-16 or not text")),
    ("UTF-16 with its mark", "a.csv", GOOD.decode().encode("utf-16"), Refused("UTF-16")),
    ("UTF-16 without a mark", "a.csv", GOOD.decode().encode("utf-16-le"), Refused("UTF-16")),
    ("GB18030", "a.csv", GOOD.decode().encode("gb18030"), Read()),
    (
        "GB18030 where UTF-8 alone is written",
        "a.csv",
        hostile.sample("shopify_orders_export_1.csv").decode().encode("gb18030"),
        Refused("is gb18030"),
    ),
    ("two encodings", "a.csv", GOOD + b"\n" + GOOD.decode().split("\n")[1].encode("gb18030"), Refused("byte")),
    ("marked as UTF-8 and is GBK", "a.csv", b"\xef\xbb\xbf" + GOOD.decode().encode("gbk"), Refused("byte")),
    ("lone surrogate", "a.csv", GOOD.replace("林小彤".encode(), b"\xed\xa0\x80", 1), Refused("byte")),
    ("bytes cut in a character", "a.csv", GOOD[: GOOD.rindex("林".encode()) + 1], Refused("byte")),
    ("CR-only line ends", "a.csv", GOOD.replace(b"\n", b"\r"), Read()),
    ("CR-only line ends with one LF", "a.csv", GOOD.replace(b"\n", b"\r", 2), Refused("next: ")),
    ("BOM, CRLF, no final line end", "a.csv", b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"), Read()),
    (
        "a cell of 10 MB",
        "a.csv",
        lambda: line(lambda text: text.replace("林小彤", "x" * (10 << 20))),
        Spoilt(("record_too_long",)),
    ),
    ("one line of 50 million characters", "a.csv", lambda: b"x" * 50_000_000, Refused("next: ")),
    ("10,000 columns", "a.csv", lambda: b",".join(b"h%d" % at for at in range(10_000)) + b"\n1", Refused("next: ")),
    ("short row", "a.csv", line(lambda text: text.rpartition(",")[0]), Spoilt(("wrong_field_count",))),
    ("long row", "a.csv", line(lambda text: text + ",x"), Spoilt(("wrong_field_count",))),
    ("quote never closed", "a.csv", line(lambda text: text.replace("林小彤", '"林小彤')), Refused("never closed")),
    (
        "quote that swallows rows",
        "a.csv",
        GOOD.replace("林小彤".encode(), '"林小彤'.encode(), 1).replace(b",13800000101,", b',"13800000101,', 3),
        Refused("quote"),
    ),
    ("stray quote", "a.csv", line(lambda text: text.replace("林小彤", '林"小"彤')), Spoilt(("stray_quote",))),
    ("formula in a cell", "a.csv", spoilt(收银员="=HYPERLINK(1)"), Read()),
    ("header twice", "a.csv", GOOD, Read()),
    ("missing column", "a.csv", columns(without(PAID)), Refused(f"lacks {PAID}")),
    (
        "unknown column",
        "a.csv",
        columns(lambda rows: [[*row, "新列" if at == 0 else "x"] for at, row in enumerate(rows)]),
        Read(),
    ),
    ("columns in another order", "a.csv", columns(lambda rows: [row[::-1] for row in rows]), Read()),
    ("renamed column", "a.csv", renamed("订单创建时间", "创建时间"), Refused("lacks 订单创建时间")),
    ("headers in full width and with white space", "a.csv", renamed("收货人/提货人", " 收货人／提货人\u3000"), Read()),
    (
        "lines above the header",
        "a.csv",
        "有赞商家后台\n导出时间：2026-06-01\n".encode() + GOOD,
        Read(about="2 lines above"),
    ),
    ("headers of nobody", "a.csv", b"foo,bar\n1,2\n", Refused("no layout")),
    ("pdf", "a.csv", b"%PDF-1.7\n1 0 obj", Refused("a PDF")),
]

VALUES: list[Case] = [
    ("id as a spreadsheet shows it", "a.csv", spoilt(**{NUMBER: "6.91793E+18"}), Spoilt(("order_id_destroyed",))),
    ("id missing", "a.csv", spoilt(**{NUMBER: ""}), Spoilt(("order_id_missing",))),
    ("id wrapped and quoted", "a.csv", spoilt(**{NUMBER: f'="{order_number(1)}"'}), Read()),
    ("control character in an id", "a.csv", spoilt(**{NUMBER: "E2026\x07"}), Spoilt(("order_id_control_character",))),
    ("phone as a spreadsheet shows it", "a.csv", spoilt(买家手机号="1.38E+10"), Read()),
    ("30 February", "a.csv", spoilt(**{MADE: "2026-02-30 10:00:00"}), Spoilt(("ordered_at_unreadable",))),
    (
        "29 February of no leap year",
        "a.csv",
        spoilt(**{MADE: "2023-02-29 10:00:00"}),
        Spoilt(("ordered_at_unreadable",)),
    ),
    (
        "29 February",
        "a.csv",
        spoilt(**{MADE: "2024-02-29 10:00:00"}),
        Read(cells={"ordered_at": datetime.fromisoformat("2024-02-29T02:00:00+00:00")}),
    ),
    ("1899", "a.csv", spoilt(**{MADE: "1899-12-30 00:00:00"}), Spoilt(("ordered_at_implausible",))),
    ("9999", "a.csv", spoilt(**{MADE: "9999-12-31 00:00:00"}), Spoilt(("ordered_at_implausible",))),
    (
        "a time that clocks skipped",
        "a.csv",
        spoilt(**{MADE: "1986-05-04 02:30:00"}),
        Spoilt(("ordered_at_skipped_by_clock_change",)),
    ),
    ("day of a spreadsheet", "a.csv", spoilt(**{MADE: "46144.5"}), Spoilt(("ordered_at_unreadable",))),
    ("year of two digits", "a.csv", spoilt(**{MADE: "26-05-02 10:01"}), Spoilt(("ordered_at_implausible",))),
    (
        "month end in the zone of the brand",
        "a.csv",
        spoilt(**{MADE: "2026-05-01 00:00:00", PAID_AT: "2026-05-01 00:00:00"}),
        Read(cells={"paid_on": datetime.fromisoformat("2026-05-01").date()}),
    ),
    ("negative total", "a.csv", spoilt(**{PAID: "-1.00"}), Spoilt(("paid_fen_too_small", "refund_above_payment"))),
    ("total of zero", "a.csv", spoilt(**{PAID: "0.00"}), Read(0)),
    ("refund above the payment", "a.csv", spoilt(**{REFUND: "238.01"}), Spoilt(("refund_above_payment",))),
    ("payment before the order", "a.csv", spoilt(**{PAID_AT: "2026-05-01 00:00:00"}), Spoilt(("paid_before_ordered",))),
    ("number beyond 64 bits", "a.csv", spoilt(**{PAID: HIGHEST}), NO_AMOUNT),
    ("number of 400 digits", "a.csv", spoilt(**{PAID: "9" * 400}), NO_AMOUNT),
    ("not a number", "a.csv", spoilt(**{PAID: "NaN"}), NO_AMOUNT),
    ("infinity", "a.csv", spoilt(**{PAID: "Infinity"}), NO_AMOUNT),
    ("1e3", "a.csv", spoilt(**{PAID: "1e3"}), NO_AMOUNT),
    ("decimal comma", "a.csv", spoilt(**{PAID: '"12,50"'}), NO_AMOUNT),
    ("thousands and a sign", "a.csv", spoilt(**{PAID: '"￥1,299.90"'}), Read(129_990)),
    ("full-width digits", "a.csv", spoilt(**{PAID: "１２.５０"}), Read(1_250)),
    ("word for an amount", "a.csv", spoilt(**{PAID: "一百"}), NO_AMOUNT),
    ("unknown word for a status", "a.csv", spoilt(订单状态="飞走了"), Spoilt(("status_unknown_code",))),
    ("the same order twice", "a.csv", spoilt(**{NUMBER: order_number(0)}), Read()),
]

PARQUETS: list[Case] = [
    ("parquet", "a.parquet", parquet(), Read()),
    ("parquet called csv", "a.csv", parquet(), Read()),
    ("parquet cut off", "a.parquet", parquet()[:-100], Refused("cannot be read as Parquet")),
    ("parquet whose footer is elsewhere", "a.parquet", flipped(parquet(), -7), Refused("next: ")),
    ("parquet of its mark alone", "a.parquet", b"PAR1", Refused("cannot be read as Parquet")),
    ("parquet without rows", "a.parquet", parquet(lambda frame: frame.clear()), Refused("a header and no rows")),
    (
        "parquet with NaN for an amount",
        "a.parquet",
        parquet(lambda frame: frame.with_columns(pl.Series(PAID, [238.0, float("nan"), 238.0]))),
        NO_AMOUNT,
    ),
    (
        "parquet with real types",
        "a.parquet",
        parquet(
            lambda frame: frame.with_columns(
                pl.col(MADE, PAID_AT).str.to_datetime(), pl.col(PAID).cast(pl.Decimal(18, 2))
            )
        ),
        Read(),
    ),
]


def events(second: str) -> bytes:
    """Three events of Sensors, one JSON a line, the second as given."""
    lines = [
        json.dumps({"distinct_id": f"U{at}", "time": 1_777_622_460_000 + at, "type": "track", "event": "AddToCart"})
        for at in range(3)
    ]
    lines[1] = second
    return "\n".join(lines).encode()


DEEP = "[" * 100_000
JSONS: list[Case] = [
    ("line that is no JSON", "e.jsonl", events("{oops"), Spoilt(("not_a_json_object",))),
    ("line that is a list", "e.jsonl", events("[1]"), Spoilt(("not_a_json_object",))),
    ("lone surrogate in JSON", "e.jsonl", events('{"distinct_id": "\\ud800"}'), Spoilt(("not_a_json_object",))),
    ("deeply nested JSON", "e.jsonl", lambda: events('{"a": ' + DEEP), Spoilt(("not_a_json_object",))),
    ("JSON cut off", "e.json", b'[{"distinct_id": "U1", "time": 1', Refused("next: ")),
    ("JSON of numbers", "e.json", b"[1, 2, 3]", Refused("next: ")),
    (
        "time beyond 64 bits",
        "e.jsonl",
        events('{"distinct_id": "U1", "time": 99999999999999999999, "type": "track", "event": "AddToCart"}'),
        Spoilt(("event_month_missing", "happened_at_unreadable", "happened_on_missing")),
    ),
]

CASES = [*ARCHIVES, *WORKBOOKS, *TEXTS, *VALUES, *PARQUETS, *JSONS]
