"""Tags that outlive their evidence: the value of the date before, for as long as it is valid."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from tasks.policy.tags import Tag
from tasks.transforms.lineage import heirs

_WAS = "_was_"


def inherited_tags(tags: pl.LazyFrame, customers: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """One row per present customer with a past: the tags of the earlier customer whom they go on from, in their order.

    Args:
        tags: those of the date before.
        customers: those of the date before.
        names: `lineage.aliases` of the date.
    """
    going_on = heirs(customers, names).filter("is_heir").select("one_id", "now").collect()
    if going_on["one_id"].equals(going_on["now"]):  # nobody has another id: then only who is gone is left out
        return tags.join(going_on.lazy(), on="one_id", how="semi", maintain_order="left")
    return tags.join(going_on.lazy(), on="one_id", maintain_order="left").with_columns(one_id="now").drop("now")


def under_past(people: pl.LazyFrame, previous: pl.LazyFrame | None, tags: Sequence[Tag]) -> pl.LazyFrame:
    """People as given, with the last value of each carried tag and when it was confirmed."""
    carried_tags = [tag for tag in tags if tag.when_null == "carry"]
    names = [name for tag in carried_tags for name in (tag.code, str(tag.confirmed_column))]
    if not names:
        return people
    if previous is None:
        return people.with_columns(pl.lit(None).alias(f"{_WAS}{name}") for name in names)
    stored = set(previous.collect_schema().names())
    past = [pl.col(name) if name in stored else pl.lit(None).alias(name) for name in names]
    return people.join(
        previous.select("one_id", *(each.name.prefix(_WAS) for each in past)),
        on="one_id",
        how="left",
        maintain_order="left",
    )


def carried(tag: Tag, now: pl.Expr) -> pl.Expr:
    """What is known today, else the last value while it is valid."""
    return pl.when(now.is_not_null()).then(now).when(_is_valid(tag)).then(pl.col(f"{_WAS}{tag.code}"))


def confirmed_on(tag: Tag, now: pl.Expr) -> pl.Expr:
    """The date on which the value was last known; null where there is none."""
    then = pl.col(f"{_WAS}{tag.confirmed_column}").cast(pl.Date)
    return pl.when(now.is_not_null()).then("as_of").when(_is_valid(tag)).then(then)


def _is_valid(tag: Tag) -> pl.Expr:
    """Whether the last value may still stand: confirmed at most `valid_days` ago."""
    then = pl.col(f"{_WAS}{tag.confirmed_column}").cast(pl.Date)
    return (then >= pl.col("as_of") - timedelta(days=tag.valid_days or 0)).fill_null(value=False)
