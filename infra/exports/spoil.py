"""Rows that no reader may take: the declared share of a file whose amount, time or status is spoiled on purpose."""

import polars as pl

from infra.exports.draw import chance, draw
from tasks.sources.layouts import Layout

SPOILED = "is_spoiled"
"""True on the rows of a record of which one cell is spoiled: with it, the others are refused as well."""
_TEXTS = {"money": "约一百", "instant": "1899-12-31 00:00:00", "code": "火星状态"}


def mark(rows: pl.DataFrame, layout: Layout, in_1000: int) -> pl.DataFrame:
    """Add which records are spoiled, and in which column."""
    columns = spoilable(layout)
    is_hit = chance(f"{layout.name}/spoiled", in_1000, "record_number") if columns else pl.lit(value=False)
    where = draw(f"{layout.name}/where", max(len(columns), 1), "record_number")
    return rows.with_columns(is_hit.alias(SPOILED), where.alias("spoiled_column"))


def spoilable(layout: Layout) -> list[str]:
    """The columns without which a row cannot be: its money, when it happened, its status."""
    wanted = [layout.money, "ordered_at", "followed_at", "happened_at", "status"]
    found = {name: layout.columns[name] for name in wanted if name in layout.columns}
    return [name for name, cell in found.items() if cell.parse in _TEXTS and not (cell.lenient or cell.otherwise)]


def spoil(text: pl.Series, rows: pl.DataFrame, layout: Layout, name: str) -> pl.Series:
    """The column's texts, with nonsense where this column of a spoiled row is hit."""
    columns = spoilable(layout)
    if SPOILED not in rows.columns or name not in columns:
        return text
    is_here = rows[SPOILED] & (rows["spoiled_column"] == columns.index(name))
    return text.set(is_here, _TEXTS[layout.columns[name].parse])
