"""Who is in which audience: one column `in_<code>` for each, beside the columns that they read."""

from collections.abc import Iterable
from fractions import Fraction
from functools import reduce

import polars as pl

from tasks.policy import conditions
from tasks.policy.audience_graph import in_order
from tasks.policy.audiences import Audience, TopOf


def add_audiences(base: pl.LazyFrame, audiences: Iterable[Audience]) -> pl.LazyFrame:
    """One row per customer as given, with a column per audience; never null: what is not known is not met.

    `audiences` may read each other in any order, as long as all that they read are among them.

    Raises:
        BadPolicyError: an audience cannot be read, or audiences read each other in a circle.
    """
    return reduce(_add, in_order(audiences), base)


def _add(base: pl.LazyFrame, audience: Audience) -> pl.LazyFrame:
    member = _is_member(audience, base.collect_schema().names())
    if audience.top is None:
        return base.with_columns(member.alias(audience.column))
    first = _first(base, audience, audience.top, member)
    joined = base.join(first, on="one_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(audience.column).fill_null(value=False))


def _is_member(audience: Audience, columns: Iterable[str]) -> pl.Expr:
    """Whether somebody meets the condition, is in an included audience and in no excluded one."""
    is_in = [pl.col(f"in_{code}") for code in audience.include]
    is_out = [~pl.col(f"in_{code}") for code in audience.exclude]
    asked = [*is_out, *([pl.any_horizontal(is_in)] if is_in else [])]
    if audience.where is not None:
        met = conditions.parse(audience.where, columns, where=f"audience {audience.code}: where")
        asked.append(met.cast(pl.Boolean).fill_null(value=False))
    return pl.all_horizontal(asked) if asked else pl.lit(value=True)


def _first(base: pl.LazyFrame, audience: Audience, top: TopOf, member: pl.Expr) -> pl.LazyFrame:
    """One row per member who stands high enough: one_id and the audience's column, true."""
    by = conditions.parse(top.by, base.collect_schema().names(), where=f"audience {audience.code}: top.by")
    competing = base.filter(member).select("one_id", _by=by).drop_nulls("_by")
    ranked = competing.sort("_by", "one_id", descending=[True, False], nulls_last=True).with_row_index("_place")
    return ranked.filter(pl.col("_place") < _size(top)).select("one_id", pl.lit(value=True).alias(audience.column))


def _size(top: TopOf) -> pl.Expr:
    """How many of those who compete; a share is rounded down."""
    if top.percent is None:
        return pl.lit(top.most)
    share = Fraction(top.percent) / 100
    return pl.len().cast(pl.Int64) * share.numerator // share.denominator
