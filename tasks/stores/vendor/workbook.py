"""Workbooks: one sheet, every cell text, so that no phone becomes a number. The same rows give the same bytes.

The library writes a sheet's rows to a temporary file as they come; it lies in a folder of this user's alone
and is gone with it.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from tasks.errors import SecurityRefusedError
from tasks.policy.vendors import Vendor
from tasks.settings import Settings
from tasks.stores.abandoned import desk

_CREATED: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_CELL_MOST: Final = 32_767
"""Characters of a cell, counted in UTF-16 as Excel does."""
_PROBE: Final = 10_000
_FULL: Final = 0.95
"""How full a file is meant to be of the limit on its bytes, which are known only once it is packed."""


def workbook_parts(cells: pl.DataFrame, vendor: Vendor) -> Iterator[tuple[bytes, int]]:
    """Bytes and rows of one part after the other; a file that came out too large is made again with fewer rows."""
    _check_lengths(cells)
    clean = cells.select(pl.all().str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ").fill_null(""))
    start, most = 0, _rows_that_should_fit(clean, vendor)
    while start < cells.height:
        part = clean.slice(start, most)
        data = _workbook(part, vendor)
        if vendor.bytes_per_part and len(data) > vendor.bytes_per_part:
            most = _fewer(part.height, len(data), vendor.bytes_per_part)
            continue
        yield data, part.height
        start += part.height


def _rows_that_should_fit(cells: pl.DataFrame, vendor: Vendor) -> int:
    """Rows for the first try, by what the first few thousand take: a large workbook is dear to make twice."""
    if vendor.bytes_per_part is None or cells.height <= _PROBE:
        return vendor.rows_per_part
    around = len(_workbook(cells.clear(), vendor))
    taken = len(_workbook(cells.head(_PROBE), vendor)) - around
    return max(1, min(vendor.rows_per_part, int(_PROBE * (vendor.bytes_per_part - around) / taken * _FULL)))


def _fewer(rows: int, size: int, limit: int) -> int:
    """Rows that should fit, by the bytes that `rows` took.

    Raises:
        SecurityRefusedError: not even one row fits.
    """
    if rows == 1:
        raise SecurityRefusedError(
            f"one row makes a workbook of {size} bytes, the file may have {limit}",
            expected="rows that fit into a file of the vendor's", next_step="shorten the message's variables",
        )  # fmt: skip
    return max(1, min(rows - 1, int(rows * limit / size * _FULL)))


def _workbook(cells: pl.DataFrame, vendor: Vendor) -> bytes:
    import xlsxwriter  # noqa: PLC0415 - heavy, and most vendors take text

    into = io.BytesIO()
    with desk(Path(Settings().scratch)) as private:  # rows lie there in clear: what a killed process leaves is swept
        book = xlsxwriter.Workbook(into, {"constant_memory": True, "tmpdir": str(private), "strings_to_urls": False})
        book.set_properties({"created": _CREATED})
        sheet, as_text = book.add_worksheet("Sheet1"), book.add_format({"num_format": "@"})
        sheet.set_column(0, max(0, cells.width - 1), 20, as_text)
        lines = [tuple(cells.columns)] if vendor.with_header else []
        for number, row in enumerate(_rows(lines, cells)):
            for place, text in enumerate(row):
                if text:
                    sheet.write_string(number, place, text, as_text)
        book.close()
    return into.getvalue()


def _rows(header: list[tuple[str, ...]], cells: pl.DataFrame) -> Iterator[tuple[str, ...]]:
    yield from header
    yield from cells.iter_rows()


def _check_lengths(cells: pl.DataFrame) -> None:
    units = pl.all().str.len_chars() + pl.all().str.count_matches(r"[\x{10000}-\x{10FFFF}]")
    longest = cells.select(pl.max_horizontal(units.max())).item() if cells.height else 0
    if (longest or 0) > _CELL_MOST:
        raise SecurityRefusedError(
            f"a text has {longest} characters", expected=f"at most {_CELL_MOST}, what a cell of a workbook holds",
            next_step="shorten the message's variables",
        )  # fmt: skip
