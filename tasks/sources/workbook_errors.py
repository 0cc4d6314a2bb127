"""Where the error cells of a workbook stand: calamine hands them on as blank, and a blank refund is none.

A formula that was never worked out has no value either: it is told as `#CALC!`, Excel's own word.
"""

import re
import struct
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET
from xml.parsers import expat
from zipfile import ZipFile

Errors = dict[int, dict[int, dict[int, str]]]
"""Sheet, row and column, all from 0, to the error's word."""

_NO_VALUE = re.compile(rb"<(?:/(?:\w+:)?f|(?:\w+:)?f(?:\s[^<>]*)?/)>\s*</(?:\w+:)?c>")
UNKNOWN = "#CALC!"
_WORDS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


def is_suspect(xml: bytes) -> bool:
    """Say whether this piece of a sheet may have an error cell, or a formula without a value."""
    has_error = b't="e"' in xml or b"t='e'" in xml
    has_formula = b"<f" in xml or b":f" in xml
    return has_error or (has_formula and _NO_VALUE.search(xml) is not None)


def errors_in_xlsx(path: Path, suspects: Collection[str]) -> Errors:
    """Error cells of the sheets whose parts are named."""
    if not suspects:
        return {}
    with ZipFile(path) as package:
        parts = _sheet_parts(package)
        return {at: _errors_in_part(package, part) for at, part in enumerate(parts) if part in suspects}


def _sheet_parts(package: ZipFile) -> list[str]:
    """The part of each sheet, in the order of the workbook; empty for one that has none."""
    relations = ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  no DOCTYPE gets here
    targets = {entry.get("Id", ""): entry.get("Target", "") for entry in relations}
    sheets = ET.fromstring(package.read("xl/workbook.xml")).iterfind("{*}sheets/{*}sheet")  # noqa: S314
    ids = [sheet.get(_RELATION) or sheet.get(_STRICT_RELATION) or "" for sheet in sheets]
    return [_resolved(targets.get(one, "")) for one in ids]


def _resolved(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


class _Sheet:
    """Follows the cells of one sheet's XML, also of one that leaves references out."""

    def __init__(self) -> None:
        self.found: dict[int, dict[int, str]] = defaultdict(dict)
        self.row = self.column = -1
        self.type: str | None = None
        self.has_formula = self.has_value = False
        self.text = ""
        self.listening = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(":")[2]
        if element == "row":
            self.row, self.column = int(attributes.get("r", self.row + 2)) - 1, -1
        elif element == "c":
            self._enter(attributes)
        elif element == "f":
            self.has_formula = True
        elif element == "v":
            self.has_value, self.listening = True, True

    def _enter(self, attributes: dict[str, str]) -> None:
        self.column += 1
        if reference := _REFERENCE.match(attributes.get("r", "")):
            self.row, self.column = int(reference[2]) - 1, column_of(reference[1])
        self.type, self.text = attributes.get("t"), ""
        self.has_formula = self.has_value = False

    def hear(self, text: str) -> None:
        if self.listening and self.type == "e":
            self.text += text

    def end(self, name: str) -> None:
        element = name.rpartition(":")[2]
        if element == "v":
            self.listening = False
        elif element == "c" and self.type == "e":
            self.found[self.row][self.column] = self.text or UNKNOWN
        elif element == "c" and self.has_formula and not self.has_value and self.type not in {"str", "inlineStr"}:
            self.found[self.row][self.column] = UNKNOWN


def column_of(letters: str) -> int:
    """Column from 0 of `A`, `B` … `XFD`."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _errors_in_part(package: ZipFile, part: str) -> dict[int, dict[int, str]]:
    sheet, parser = _Sheet(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = sheet.begin, sheet.end
    parser.CharacterDataHandler = sheet.hear
    with package.open(part) as stream:
        parser.ParseFile(stream)
    return dict(sheet.found)


_SHEET_AT, _BEGIN, _BOOL_OR_ERROR, _FORMULA = 0x85, 0x809, 0x205, 0x06
_HEAD, _OFFSET, _PLACE = struct.Struct("<HH"), struct.Struct("<I"), struct.Struct("<HH")
_CODE_AND_MARK = struct.Struct("<6xBB")
"""Of a cell that holds a truth value or an error: its code, and 1 for an error."""
_KIND_CODE_MARK = struct.Struct("<6xBxBxxxH")
"""Of a formula's result: 2 and 0xFFFF for an error, with its code between them."""
_NO_NUMBER, _IS_ERROR = 0xFFFF, 2


def errors_in_xls(path: Path) -> Errors:
    """Error cells of an old workbook, out of its records."""
    import olefile  # noqa: PLC0415  old workbooks alone need it

    with olefile.OleFileIO(path) as compound:
        name = "Workbook" if compound.exists("Workbook") else "Book"
        return _errors_in_records(compound.openstream(name))


def _errors_in_records(stream: IO[bytes]) -> Errors:
    found: Errors = {}
    starts: list[int] = []
    sheet = None
    for at, kind, body in _records(stream):
        if kind == _SHEET_AT:
            starts.append(_OFFSET.unpack_from(body)[0])
        elif kind == _BEGIN:
            sheet = starts.index(at) if at in starts else sheet
        elif sheet is not None and (word := _error_word(kind, body)):
            row, column = _PLACE.unpack_from(body)
            found.setdefault(sheet, {}).setdefault(row, {})[column] = word
    return found


def _records(stream: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Offset, kind and body of each record; a cut one ends them. No record is shorter than what is read of it."""
    at = 0
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        kind, size = _HEAD.unpack(head)
        yield at, kind, stream.read(size).ljust(_KIND_CODE_MARK.size, b"\0")
        at += _HEAD.size + size


def _error_word(kind: int, body: bytes) -> str | None:
    """The word of an error cell, or of a formula whose value is an error; None for any other record."""
    if kind == _BOOL_OR_ERROR:
        code, mark = _CODE_AND_MARK.unpack_from(body)
        return _WORDS.get(code, UNKNOWN) if mark == 1 else None
    if kind == _FORMULA:
        result, code, mark = _KIND_CODE_MARK.unpack_from(body)
        return _WORDS.get(code, UNKNOWN) if (result, mark) == (_IS_ERROR, _NO_NUMBER) else None
    return None
