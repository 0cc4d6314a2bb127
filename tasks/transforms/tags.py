"""Tags: what the policy's conditions say of each customer, one column per tag, in the policy's order."""

from collections.abc import Sequence
from functools import reduce

import polars as pl

from tasks.policy.conditions import parse
from tasks.policy.models import Band, Policy, Tag


def tag_customers(customers: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """One row per customer with one_id, as_of and a column per tag. Sorted by one_id.

    A `when` tag is true or false; a condition that meets a null is false, because what is not
    known is not so. A `value` tag keeps its type and its nulls. A banded tag is the code of
    the highest band whose `at_least` the measure reaches, null below the lowest. A tag may
    read every column of `customers`, which are joined with their traits, and each tag above it.

    Raises:
        BadPolicyError: a condition cannot be read, or names a column that does not exist.
    """
    names = [tag.code for tag in policy.tags]
    tagged = reduce(_add_tag, policy.tags, customers)
    return tagged.select("one_id", "as_of", *names).sort("one_id")


def _add_tag(customers: pl.LazyFrame, tag: Tag) -> pl.LazyFrame:
    """Add the column of one tag."""
    known = customers.collect_schema().names()
    condition = parse(tag.when or tag.value or tag.measure or "", known, where=f"tag {tag.code}")
    if tag.when is not None:
        condition = condition.fill_null(value=False)
    elif tag.measure is not None:
        condition = _band_of(condition, tag.bands)
    return customers.with_columns(condition.alias(tag.code))


def _band_of(measure: pl.Expr, bands: Sequence[Band]) -> pl.Expr:
    """Code of the highest band that the measure reaches."""
    chain: pl.Expr = pl.lit(None, pl.String)
    for band in sorted(bands, key=lambda band: band.at_least):
        chain = pl.when(measure >= band.at_least).then(pl.lit(band.code)).otherwise(chain)
    return chain
