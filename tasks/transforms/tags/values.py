"""A tag as an expression: conditions, values, bands, windows with a least number, the top by a measure."""

from collections.abc import Iterable, Sequence

import polars as pl

from tasks.policy.conditions import parse
from tasks.policy.tags import Band, Tag
from tasks.transforms.tags.top import Cut, is_top

SEEN = "_seen_"
"""Prefix of the columns that hold what was seen for window, imported and keyword tags."""


def value_of(tag: Tag, columns: Iterable[str], cut: Cut | None = None) -> pl.Expr:
    """The tag's value as it is known today; null where nothing is known. A top needs its `cut`."""
    where, known = f"tag {tag.code}", tuple(columns)
    if tag.top is not None and cut is not None:
        return is_top(tag.top, known, tag.code, cut)
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
