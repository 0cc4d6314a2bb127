"""The layout's own columns from canonical ones: its sums, products, shares and choices turned round.

Works on the columns of a frame by name. A part that several sums leave open is 0, so that the others are determined.
"""

import re
from collections.abc import Iterator

import polars as pl

from infra.exports.abilities import codes_of
from infra.exports.rows import ORDER
from tasks.sources.layouts import Layout, Sum

_ZERO = pl.lit(0, pl.Int64)


def choose(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Give the columns of every choice what the chosen one holds: a code to the first that has a word for it.

    Where two choices rest on one column, the one that has no other comes first, and the other is
    then what its columns say.
    """
    for name, choice in sorted(layout.first_of.items(), key=lambda pair: len(pair[1].of)):
        if name not in rows.columns:
            continue
        if any(codes_of(layout, one) is not None for one in choice.of):
            rows = _spread(rows, layout, name, choice.of)
            continue
        free = [one for one in choice.of if one not in rows.columns and _can_hold(rows[name], layout, one)]
        rows = rows.with_columns(pl.col(name).alias(one) for one in free[:1])
        if not choice.when:
            rows = rows.with_columns(pl.coalesce(one for one in choice.of if one in rows.columns).alias(name))
    return rows


def _spread(rows: pl.DataFrame, layout: Layout, name: str, of: tuple[str, ...]) -> pl.DataFrame:
    """Each code stands in the first column that has a word for it; the columns before that are blank."""
    left = pl.col(name)
    for one in of:
        if one in layout.columns and layout.columns[one].parse == "code":
            is_here = left.is_in(sorted(codes_of(layout, one) or ()))
            rows = rows.with_columns(pl.when(is_here).then(left).alias(one))
            left = pl.when(~is_here).then(left)
    return rows


def _can_hold(values: pl.Series, layout: Layout, column: str) -> bool:
    """Whether a column can be printed so that those values are read from it."""
    pattern = layout.columns[column].extract if column in layout.columns else ""
    if not pattern:
        return True
    found = [(str(value), re.search(pattern, str(value))) for value in values.drop_nulls().head(3)]
    return all(match is not None and match[1] == text for text, match in found)


def solve(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Add every money column of the layout that follows from the canonical amounts in `rows`."""
    rows = _named_otherwise(rows, layout)
    for _ in range(len(layout.sums) * 4 + len(layout.products) + 2):
        added = _deduced(rows, layout) or _guessed(rows, layout)
        if not added:
            break
        rows = rows.with_columns(**added)
    return rows


def _named_otherwise(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Columns that are canonical ones under another name: a share's whole, refunds shown, the order's own amounts."""
    rows = rows.with_columns(pl.col(ORDER + name).alias(share.of) for name, share in layout.shares.items())
    weights = {share.by for share in layout.shares.values()} - {*rows.columns}
    rows = rows.with_columns(pl.col("gross_fen").alias(name) for name in weights)
    own = [name for name in layout.order_level if ORDER + name in rows.columns]
    rows = rows.with_columns(pl.col(ORDER + name).alias(name) for name in own)
    rule = layout.refund
    if rule is None or rule.column is None or rule.itemised_when:
        return rows
    of_order = rule.column in layout.order_level and ORDER + "refunded_fen" in rows.columns
    return rows.with_columns(pl.col(ORDER + "refunded_fen" if of_order else "refunded_fen").alias(rule.column))


def _deduced(rows: pl.DataFrame, layout: Layout) -> dict[str, pl.Expr]:
    """One column that a product or sum determines, if any does."""
    for name, (price, pieces) in layout.products.items():
        if name in rows.columns and price not in rows.columns and pieces in rows.columns:
            return {price: pl.col(name) // pieces}
    for name, one in layout.sums.items():
        open_parts = [part for part in (*one.plus, *one.minus) if part not in rows.columns]
        if name not in rows.columns and not open_parts:
            return {name: _total(one)}
        if name in rows.columns and len(open_parts) == 1:
            return {open_parts[0]: _part(name, one, open_parts[0], rows.columns)}
    return {}


def _total(one: Sum) -> pl.Expr:
    plus, minus = (pl.sum_horizontal(*parts, _ZERO) for parts in (one.plus, one.minus))
    return pl.max_horizontal(plus - minus, _ZERO)


def _part(name: str, one: Sum, part: str, columns: list[str]) -> pl.Expr:
    """The one open part of a sum; what an unpaid order would have cost stands there all the same."""
    others = [other for other in (*one.plus, *one.minus) if other != part]
    plus = pl.sum_horizontal(*(other for other in others if other in one.plus), _ZERO)
    minus = pl.sum_horizontal(*(other for other in others if other in one.minus), _ZERO)
    if part in one.minus:
        return plus - minus - pl.col(name)
    exact = pl.col(name) + minus - plus
    listed = next((pl.col(name) for name in (ORDER + "gross_fen", "gross_fen") if name in columns), _ZERO)
    would_have = listed + minus
    return exact if one.only_if is None else pl.when(pl.col(one.only_if).is_null()).then(would_have).otherwise(exact)


def _guessed(rows: pl.DataFrame, layout: Layout) -> dict[str, pl.Expr]:
    """Nothing for the part that most sums leave open; what is taken off before what is added."""
    opened = list(_open_parts(rows, layout))
    if not opened:
        return {}
    return {max(opened, key=lambda part: _leaves_open(part, opened, layout)): _ZERO}


def _leaves_open(part: str, opened: list[str], layout: Layout) -> tuple[bool, int, bool, str]:
    """How little is lost when a part is 0; the file's own money is the last that may be."""
    is_taken_off = any(part in one.minus for one in layout.sums.values())
    return part != layout.money, opened.count(part), is_taken_off, part


def _open_parts(rows: pl.DataFrame, layout: Layout) -> Iterator[str]:
    """Parts of which a file has columns and no value is known yet."""
    for one in layout.sums.values():
        yield from (part for part in (*one.plus, *one.minus) if part not in rows.columns and part not in layout.sums)
