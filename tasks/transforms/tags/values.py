"""A tag as an expression: conditions, values, bands, windows with a least number, the top by a measure."""

from collections.abc import Iterable, Sequence

import polars as pl

from tasks.policy.conditions import parse
from tasks.policy.tags import Band, Tag, Top

SEEN = "_seen_"
"""Prefix of the columns that hold what was seen for window, imported and keyword tags."""


def value_of(tag: Tag, columns: Iterable[str]) -> pl.Expr:
    """The tag's value as it is known today; null where nothing is known."""
    where, known = f"tag {tag.code}", tuple(columns)
    if tag.top is not None:
        return _is_top(tag.top, known, where)
    if tag.form in {"window", "imported", "keyword"}:
        seen = _counted(tag)
        return seen >= tag.at_least if tag.at_least is not None else _cut(seen, tag.bands)
    told = parse(tag.when or tag.value or tag.measure or "", known, where=where)
    if tag.values:
        told = pl.when(told.is_in([value.code for value in tag.values])).then(told)
    return _cut(told, tag.bands)


def _counted(tag: Tag) -> pl.Expr:
    """What was seen; of a window that found no row, 0 for whatever counts or adds up."""
    seen = pl.col(f"{SEEN}{tag.code}")
    return seen.fill_null(0) if tag.window and tag.window.take != "largest" else seen


def _cut(measure: pl.Expr, bands: Sequence[Band]) -> pl.Expr:
    """Code of the highest band that the measure reaches; the measure itself without bands."""
    if not bands:
        return measure
    chain: pl.Expr = pl.lit(None, pl.String)
    for band in sorted(bands, key=lambda band: band.at_least):
        chain = pl.when(measure >= band.at_least).then(pl.lit(band.code)).otherwise(chain)
    return chain


def _is_top(top: Top, columns: Sequence[str], where: str) -> pl.Expr:
    """Whether the customer stands among the first by the measure.

    With ties in: at least as high as the last of the first n. With ties out: higher than whoever comes after them.
    A share is rounded down to whole customers. No order of rows decides anything.
    """
    measure = parse(top.by, columns, where=where)
    competes = measure.is_not_null()
    if top.among is not None:
        competes &= parse(top.among, columns, where=where).fill_null(value=False)
    ranked = measure.filter(competes).sort(descending=True)
    base = competes.sum().cast(pl.Int64)
    size = pl.lit(top.count, pl.Int64) if top.count is not None else base * int(top.percent or 0) // 100
    last = ranked.gather(pl.min_horizontal(size, base) - 1, null_on_oob=True).first()
    following = ranked.gather(size, null_on_oob=True).first()
    is_in = measure >= last if top.ties == "in" else following.is_null() | (measure > following)
    return (competes & (size > 0) & is_in).fill_null(value=False)
