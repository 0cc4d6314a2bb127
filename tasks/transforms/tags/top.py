"""The top by a measure: where it begins is found over everybody, and then told of each customer alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from tasks.policy.conditions import parse
from tasks.policy.tags import Tag, Top


@dataclass(frozen=True)
class Cut:
    """Where the top of a tag begins among those who compete; no order of rows decides anything."""

    size: int
    """How many customers it is meant to hold: a share is rounded down to whole ones."""
    last: object
    """The measure of the last of them; None where nobody competes."""
    following: object
    """The measure of whoever comes after them; None where nobody does."""
    dtype: pl.DataType
    """The measure's type."""


def cuts_of(people: pl.LazyFrame, tags: Iterable[Tag]) -> dict[str, Cut]:
    """The cut of each tag that is a top, over all of `people`."""
    tops = {tag.code: tag.top for tag in tags if tag.top is not None}
    if not tops:
        return {}
    known = people.collect_schema().names()
    found = people.select(_cut(top, known, code).alias(code) for code, top in tops.items()).collect(engine="streaming")
    return {code: _of(found[code]) for code in tops}


def is_top(top: Top, columns: Sequence[str], where: str, cut: Cut) -> pl.Expr:
    """Whether the customer stands among the first by the measure.

    With ties in: at least as high as the last of the first n. With ties out: higher than whoever comes after them.
    """
    measure, competes = _measured(top, columns, where)
    if cut.size <= 0:
        return pl.lit(value=False)
    if top.ties == "in":
        is_in = measure >= pl.lit(cut.last, cut.dtype)
    else:
        is_in = pl.lit(value=True) if cut.following is None else measure > pl.lit(cut.following, cut.dtype)
    return (competes & is_in).fill_null(value=False)


def _cut(top: Top, columns: Sequence[str], where: str) -> pl.Expr:
    """One struct over everybody: size, last, following."""
    measure, competes = _measured(top, columns, where)
    ranked = measure.filter(competes).sort(descending=True)
    base = competes.sum().cast(pl.Int64)
    size = pl.lit(top.count, pl.Int64) if top.count is not None else base * int(top.percent or 0) // 100
    last = ranked.gather(pl.min_horizontal(size, base) - 1, null_on_oob=True).first()
    following = ranked.gather(size, null_on_oob=True).first()
    return pl.struct(size.first().alias("size"), last.alias("last"), following.alias("following"))


def _measured(top: Top, columns: Sequence[str], where: str) -> tuple[pl.Expr, pl.Expr]:
    """The measure, and who competes."""
    measure = parse(top.by, columns, where=f"tag {where}")
    competes = measure.is_not_null()
    if top.among is not None:
        competes &= parse(top.among, columns, where=f"tag {where}").fill_null(value=False)
    return measure, competes


def _of(cut: pl.Series) -> Cut:
    fields = cut.struct.unnest()
    size, last, following = fields.row(0)
    return Cut(size, last, following, fields.schema["last"])
