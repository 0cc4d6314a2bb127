"""Write an export: the rows of an invented shop in the format of any layout, streamed to disk."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from infra.exports.delimited import csv_parts
from infra.exports.documents import json_lines
from infra.exports.fill import file_rows
from infra.exports.print import Sheet
from infra.exports.quirks import PLAIN, Quirks
from infra.exports.sheets import workbook, write_sheet
from infra.exports.shop import Shop, known_at
from infra.exports.spoil import mark
from infra.exports.wrap import wrapped
from tasks.sources.layouts import Layout

_TITLE = "样例导出"


class Written(NamedTuple):
    """A file that was written, and the rows that stand in it."""

    path: Path
    layout: Layout
    rows: pl.DataFrame
    """One row per row of the file, in the layout's own columns."""
    exported_at: datetime


def write_export(
    folder: Path,
    shop: Shop,
    layout: Layout,
    at: datetime,
    *,
    quirks: Quirks = PLAIN,
    fmt: str = "",
    name: str = "",
    spoiled_in_1000: int = 0,
) -> Written:
    """Write what the shop's back office would export at an instant; the same shop gives the same bytes.

    Args:
        folder: where the file goes.
        shop: the whole shop; what happens after `at` is not shown.
        layout: format of the file; `fmt` is one of its `formats`, the first by default.
        at: instant of the export, UTC.
        quirks: what makes it a real one; those that the format cannot have are left out.
        fmt: csv, xlsx, jsonl or parquet.
        spoiled_in_1000: how many records of a thousand have a cell that no reader may take.
        name: file name without its ending; the layout's own pattern or name by default.
    """
    fmt = fmt or layout.formats[0]
    quirks = fitting(quirks, layout, fmt)
    rows = rows_at(shop, layout, at, spoiled_in_1000)
    path = folder / f"{name or file_name(layout, at, shop.plan.zone)}.{fmt}"
    write_rows(path, rows, Sheet(layout, quirks, shop.plan.zone, f"{shop.plan.seed}/{layout.name}"), fmt)
    return Written(wrapped(path, quirks.wrap), layout, rows, at)


def rows_at(shop: Shop, layout: Layout, at: datetime, spoiled_in_1000: int = 0) -> pl.DataFrame:
    """One row per row of the file that would be exported at an instant, in the layout's own columns."""
    rows = file_rows(known_at(shop, at), layout)
    return mark(rows, layout, spoiled_in_1000) if spoiled_in_1000 else rows


def file_name(layout: Layout, at: datetime, zone: str) -> str:
    """The name that the back office gives: `ExportOrderList202603211200`, or the layout's own name."""
    rule = layout.exported_at
    if rule is None:
        return layout.name
    local = at.astimezone(ZoneInfo(zone if layout.zone == "brand" else layout.zone))
    stamp = str(int(at.timestamp())) if rule.format == "epoch_s" else local.strftime(rule.format)
    literal = rule.pattern.partition("(?P<at>")[0].lstrip("^").replace("\\", "")
    names = (f"{literal}{stamp}", f"{layout.name}_{stamp}", f"{layout.name}-{stamp}", stamp)
    return next((name for name in names if _tells(rule.pattern, f"{name}.csv", stamp)), layout.name)


def _tells(pattern: str, name: str, stamp: str) -> bool:
    found = re.search(pattern, name)
    return found is not None and found["at"] == stamp


def fitting(quirks: Quirks, layout: Layout, fmt: str) -> Quirks:
    """The quirks that a file of this layout and format can have."""
    if fmt in {"jsonl", "parquet"}:
        return replace(PLAIN, wrap=quirks.wrap)
    if quirks.encoding.removesuffix("-sig") not in layout.encodings:
        quirks = replace(quirks, encoding="gb18030" if "gb18030" in layout.encodings else "utf-8")
    if fmt == "csv":
        return replace(quirks, times="dashes" if quirks.times == "cells" else quirks.times, numbers=False)
    return replace(
        quirks, encoding="utf-8", tabs=False, trailing_comma=False, money="plain" if quirks.numbers else quirks.money
    )


def write_rows(path: Path, rows: pl.DataFrame, sheet: Sheet, fmt: str) -> None:
    """Write rows of the layout's own columns as one file."""
    if fmt == "xlsx":
        _write_workbook(path, rows, sheet)
        return
    if fmt == "parquet":
        pl.concat(sheet.slices(rows)).rename(dict(zip(sheet.headers, sheet.titles, strict=True))).write_parquet(path)
        return
    with path.open("wb") as file:
        for part in text_parts(sheet.slices(rows), sheet, fmt):
            file.write(part)


def text_parts(slices: Iterator[pl.DataFrame], sheet: Sheet, fmt: str) -> Iterator[bytes]:
    """The bytes of a CSV or JSON lines file, one part per slice."""
    if fmt == "jsonl":
        return json_lines(sheet.headers, slices, _kinds(sheet))
    return csv_parts(sheet.titles, slices, sheet.quirks)


def _write_workbook(path: Path, rows: pl.DataFrame, sheet: Sheet) -> None:
    half = rows.height // 2
    parts = [rows.head(half), rows.slice(half)] if sheet.quirks.several_sheets and half else [rows]
    names = [f"Sheet{number}" for number in range(1, len(parts) + 1)]
    with workbook(path, names) as book:
        for number, part in enumerate(parts, start=1):
            write_sheet(book, number, _cells(part, sheet), _kinds(sheet), false_dimension=sheet.quirks.false_dimension)


def _cells(rows: pl.DataFrame, sheet: Sheet) -> Iterator[pl.DataFrame]:
    """Title lines, the header and the rows, all as columns of text."""
    names = sheet.headers
    titles = [[_TITLE] + [""] * (len(names) - 1)] * sheet.quirks.title_lines
    yield pl.DataFrame([*titles, sheet.titles], schema=dict.fromkeys(names, pl.String), orient="row")
    yield from sheet.slices(rows)


def _kinds(sheet: Sheet) -> dict[str, str]:
    """Headers whose cells are numbers or dates."""
    kinds = {}
    for header, name in sheet.printed.items():
        parse = sheet.layout.columns[name].parse
        if parse == "instant" and sheet.quirks.times == "cells":
            kinds[header] = "date"
        if parse in {"money", "integer"} and sheet.quirks.numbers:
            kinds[header] = "number"
    return kinds
