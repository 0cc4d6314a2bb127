"""Exports of any number of rows: the shop is drawn and written piece by piece, so that memory stays flat."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from infra.exports.print import Sheet
from infra.exports.quirks import PLAIN, Quirks
from infra.exports.shop import Plan, open_shop, pieces
from infra.exports.write import file_name, fitting, rows_at, text_parts
from tasks.sources.layouts import Layout

PIECE = 100_000


def stream_export(
    folder: Path, plan: Plan, layout: Layout, at: datetime, *, quirks: Quirks = PLAIN, size: int = PIECE
) -> Path:
    """Write an export as CSV or JSON lines, whatever its size; the same plan and `size` give the same bytes.

    Raises:
        ValueError: the layout has neither format.
    """
    fmt = next((one for one in layout.formats if one in {"csv", "jsonl"}), "")
    if not fmt:
        raise ValueError(
            f"{layout.name} is {' or '.join(layout.formats)}: only csv and jsonl are written piece by piece"
        )
    sheet = Sheet(layout, fitting(quirks, layout, fmt), plan.zone, f"{plan.seed}/{layout.name}")
    path = folder / f"{file_name(layout, at, plan.zone)}.{fmt}"
    with path.open("wb") as file:
        for part in text_parts(_slices(plan, layout, at, sheet, size), sheet, fmt):
            file.write(part)
    return path


def _slices(plan: Plan, layout: Layout, at: datetime, sheet: Sheet, size: int) -> Iterator[pl.DataFrame]:
    """Slices of text; only what stands in one order's time can be drawn in pieces, people are known to all of them."""
    in_pieces = layout.grain in {"order", "line", "refund", "event"}
    for piece in pieces(plan, size if in_pieces else max(plan.orders, 1)):
        yield from sheet.slices(rows_at(open_shop(piece), layout, at))
