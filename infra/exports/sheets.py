"""Columns of text as a workbook, with what real ones do: inline strings, real date cells, a false dimension.

Written as XML by hand, because no library writes the faults that real exports have.
"""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
_OPEN, _CLOSE = f'{_HEAD}<worksheet xmlns="{_MAIN}">', "</sheetData></worksheet>"
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that the same rows give the same bytes."""


@contextmanager
def workbook(path: Path, sheets: Iterable[str]) -> Iterator[zipfile.ZipFile]:
    """An open workbook with all but its sheets; each is then written with `write_sheet`."""
    names = list(sheets)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in _frame(names):
            with _member(book, name) as part:
                part.write(text.encode())
        yield book


def _member(book: zipfile.ZipFile, name: str) -> IO[bytes]:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    return book.open(info, "w", force_zip64=True)


def _frame(names: list[str]) -> Iterator[tuple[str, str]]:
    numbers = range(1, len(names) + 1)
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_OFFICE}.worksheet+xml"/>' for n in numbers
    )
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    yield (
        "[Content_Types].xml",
        (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_OFFICE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_OFFICE}.styles+xml"/>{parts}</Types>'
        ),
    )
    yield (
        "_rels/.rels",
        _relations(f'<Relationship Id="rId1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/>'),
    )
    yield (
        "xl/workbook.xml",
        (f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{listed}</sheets></workbook>'),
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        _relations(f'{links}<Relationship Id="rId{len(names) + 1}" Type="{_LINKS}/styles" Target="styles.xml"/>'),
    )
    yield "xl/styles.xml", _STYLES


def _relations(inner: str) -> str:
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def write_sheet(
    book: zipfile.ZipFile, number: int, slices: Iterable[pl.DataFrame], kinds: dict[str, str], *, false_dimension: bool
) -> None:
    """Write the rows of one sheet, header and title lines included; `kinds` tells `number` and `date` columns."""
    dimension = '<dimension ref="A1"/>' if false_dimension else ""
    row = 1
    with _member(book, f"xl/worksheets/sheet{number}.xml") as part:
        part.write(f"{_OPEN}{dimension}<sheetData>".encode())
        for rows in slices:
            part.write(_rows(rows, row, kinds).encode())
            row += rows.height
        part.write(_CLOSE.encode())


def _rows(rows: pl.DataFrame, first: int, kinds: dict[str, str]) -> str:
    at = rows.with_row_index("_row", offset=first)
    cells = [_cell(name, letters(index), kinds.get(name, "text")) for index, name in enumerate(rows.columns)]
    line = pl.concat_str(pl.format('<row r="{}">', "_row"), *cells, pl.lit("</row>"))
    return "".join(at.select(line.alias("xml")).to_series())


def letters(index: int) -> str:
    """The column's letters: 0 is A, 26 is AA."""
    before, letter = divmod(index, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + letter)


def _cell(name: str, column: str, kind: str) -> pl.Expr:
    text = pl.col(name)
    escaped = text.str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)
    inline = pl.format(
        f'<c r="{column}{{}}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>', "_row", escaped
    )
    value = {"number": text.str.replace(r"\.0+$", ""), "date": _serial(text)}.get(kind)
    style = ' s="1"' if kind == "date" else ""
    cell = (
        inline
        if value is None
        else pl.coalesce(pl.format(f'<c r="{column}{{}}"{style}><v>{{}}</v></c>', "_row", value), inline)
    )
    return pl.when(text == "").then(pl.lit("")).otherwise(cell)


def _serial(text: pl.Expr) -> pl.Expr:
    """Days since 1899-12-30, as a spreadsheet counts; null for what is no time."""
    seconds = text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.timestamp("ms") // 1000 + 25_569 * 86_400
    return (seconds / 86_400).round(9).cast(pl.String)
