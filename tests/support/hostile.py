"""Files as an attacker, a broken download or a careless hand makes them: bytes built in the test, nothing stored."""

import gzip
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

Rows = Sequence[Sequence[Any]]
SHEET = "xl/worksheets/sheet1.xml"
_NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def zipped(members: Mapping[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file as any tool writes it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def zipped_on_windows(name: str, content: bytes, encoding: str = "gb18030") -> bytes:
    """A zip with one member whose name is in the code page of its maker, without the mark of UTF-8."""
    label = "x" * len(name.encode(encoding))
    return zipped({label: content}).replace(label.encode(), name.encode(encoding))


def zipped_info(changes: Mapping[str, Any], content: bytes = b"x", name: str = "orders.csv") -> bytes:
    """A zip with one member whose directory entry is changed."""
    info = zipfile.ZipInfo(name)
    for key, value in changes.items():
        setattr(info, key, value)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, content)
    return target.getvalue()


def zipped_under_lock(content: bytes) -> bytes:
    """A zip whose only member says that a password is needed."""
    data = bytearray(zipped({"orders.csv": content}, zipfile.ZIP_STORED))
    directory = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1
    return bytes(data)


def gzip_bomb(megabytes: int) -> bytes:
    """Zeros, packed to a thousandth."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as stream:
        for _ in range(megabytes):
            stream.write(bytes(1 << 20))
    return target.getvalue()


def zip_bomb(megabytes: int) -> bytes:
    """One member of zeros."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("orders.csv", "w") as stream:
        for _ in range(megabytes):
            stream.write(bytes(1 << 20))
    return target.getvalue()


def workbook(sheets: Mapping[str, Rows], *, hidden: Sequence[str] = ()) -> bytes:
    """An xlsx; text, numbers, truth values and instants become cells of their kind."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"default_date_format": "yyyy-mm-dd hh:mm:ss", "strings_to_urls": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for row, cells in enumerate(rows):
                for column, value in enumerate(cells):
                    if value is not None:
                        _write(sheet, row, column, value)
    return target.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, Formula):
        sheet.write_formula(row, column, value.text, None, value.value)
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    else:
        sheet.write(row, column, value)


class Formula(NamedTuple):
    """A formula with the value that was saved with it."""

    text: str
    value: Any


def old_workbook(rows: Rows) -> bytes:
    """An xls."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("订单")
    style = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            if isinstance(value, ErrorCell):
                sheet.row(row).set_cell_error(column, value.code)
            elif isinstance(value, datetime):
                sheet.write(row, column, value, style)
            elif value is not None:
                sheet.write(row, column, value)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


class ErrorCell(NamedTuple):
    """An error of an old workbook, by its code; 0x2A is #N/A."""

    code: int


def locked(plain: bytes, password: str) -> bytes:
    """A workbook locked with a password, as Kuaishou hands them over."""
    target = io.BytesIO()
    OOXMLFile(io.BytesIO(plain)).encrypt(password, target)
    return target.getvalue()


def patched(package: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """An xlsx with some parts replaced, added, or taken out (None)."""
    source, target = zipfile.ZipFile(io.BytesIO(package)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = {name: source.read(name) for name in source.namelist()} | dict(changes)
        for name, content in parts.items():
            if content is not None:
                archive.writestr(name, content)
    return target.getvalue()


def part_of(package: bytes, part: str) -> bytes:
    """One part of an xlsx."""
    return zipfile.ZipFile(io.BytesIO(package)).read(part)


def with_sheet(package: bytes, rows: bytes) -> bytes:
    """An xlsx whose first sheet has this XML for its rows."""
    xml = b'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>'
    return patched(package, {SHEET: xml % (_NAMESPACE, rows)})


def lying_zip(content: bytes, claimed: int) -> bytes:
    """A zip whose directory claims another size than its member has."""
    data = bytearray(zipped({"orders.csv": content}))
    directory = data.index(b"PK\x01\x02")
    data[22:26] = data[directory + 24 : directory + 28] = struct.pack("<I", claimed)
    return bytes(data)


def endless_directory(entries: int) -> bytes:
    """A zip whose end record claims a directory of so many entries."""
    return b"PK\x03\x04" + bytes(26) + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0, 0, entries * 2_048, 0, 0)


def sample(name: str) -> bytes:
    """One of the sample exports."""
    return (Path(__file__).parents[1] / "samples" / name).read_bytes()


YOUZAN = sample("youzan_orders_20260601.csv").decode("utf-8-sig")
YOUZAN_HEADER, YOUZAN_FIRST = (line.split(",") for line in YOUZAN.splitlines()[:2])


def youzan_rows(count: int, **cells: Mapping[int, Any]) -> list[list[Any]]:
    """Header and `count` copies of Youzan's first order (238.00 paid), some cells changed: header to row to value.

    Rows count from 0; their order numbers are `order_number(row)`.
    """
    rows: list[list[Any]] = [[*YOUZAN_HEADER]]
    for row in range(count):
        line: list[Any] = [*YOUZAN_FIRST]
        line[0] = order_number(row)
        for header, changes in cells.items():
            place = YOUZAN_HEADER.index(header)
            line[place] = changes.get(row, line[place])
        rows.append(line)
    return rows


def order_number(row: int) -> str:
    """The number of an order of `youzan_rows`."""
    return f"E202605021001000000{row:06d}"


def youzan(count: int, **cells: Mapping[int, Any]) -> str:
    """The same as CSV; a cell is written as it is, quotes and all."""
    return "\n".join(",".join(map(str, row)) for row in youzan_rows(count, **cells))


def written(folder: Path, name: str, content: bytes) -> Path:
    """The file, below a folder of its own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
