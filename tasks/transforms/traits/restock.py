"""Restock: what a customer keeps in stock, how long it lasts them, and when it is due to be bought again."""

from datetime import date

import polars as pl

from tasks.policy.habits import Restock
from tasks.transforms.traits.baskets import Baskets, named

_PAIR = ("one_id", "category")
_ROOM, _FIRST_DAY = 1 << 20, -(1 << 19)
"""A day is the days since `_FIRST_DAY`, below `_ROOM`."""


def due_next(baskets: Baskets, rule: Restock, as_of: date) -> pl.LazyFrame:
    """One row per customer with something due: the category, its cycle in days and the day on which it is due.

    The cycle is the median gap between the customer's purchase days of the category where there are enough of them,
    else that of all customers who came back to it. What is more than `late_cycles` cycles late is given up. The
    earliest due day goes first, then the category bought on more days, then the first name.
    """
    pairs, gaps = _days_and_gaps(baskets, rule)
    cycles = pairs.join(_own_cycles(pairs, gaps, rule), on=_PAIR, how="left").join(
        _cycles_of_categories(gaps, rule), on="category", how="left"
    )
    days = pl.coalesce("own_days", "category_days")
    due = (
        cycles.with_columns(restock_cycle_days=days)
        .filter(pl.col("restock_cycle_days").is_between(rule.shortest_days, rule.longest_days))
        .with_columns(restock_due_on=pl.col("last_on") + pl.duration(days="restock_cycle_days"))
        .filter(_late_days(as_of) <= rule.late_cycles * pl.col("restock_cycle_days"))
        .sort("one_id", "restock_due_on", "days", "category", descending=[False, False, True, False])
        .unique("one_id", keep="first", maintain_order=True)
        .select("one_id", "category", "restock_cycle_days", "restock_due_on")
    )
    return named(due, baskets.categories, "category", "restock_category")


def _days_and_gaps(baskets: Baskets, rule: Restock) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """One row per customer and category (days, last_on), and one per gap between two purchase days of it (gap)."""
    kept = baskets.lines.filter(pl.col("category").is_not_null())
    if rule.categories:
        listed = baskets.categories.filter(pl.col("category").is_in(rule.categories))["number"]
        kept = kept.filter(pl.col("category").is_in(listed.implode()))
    days = _days(kept, len(baskets.categories))
    pair = pl.col("packed") // _ROOM
    owner = {"one_id": pair // len(baskets.categories), "category": (pair % len(baskets.categories)).cast(pl.Int32)}
    gap = pl.when(pair == pair.shift()).then(pl.col("packed") - pl.col("packed").shift())
    gaps = days.select(**owner, gap=gap).drop_nulls("gap")
    last = (pl.col("packed") % _ROOM + _FIRST_DAY).cast(pl.Int32).cast(pl.Date)
    runs = days.with_columns(last_on=last, **owner).group_by(_PAIR)
    return runs.agg(days=pl.len().cast(pl.Int64), last_on=pl.col("last_on").max()), gaps


def _days(kept: pl.LazyFrame, categories: int) -> pl.LazyFrame:
    """One integer per customer, category and purchase day, in this order: number, category and day share it.

    Sorted as one number, for three columns of so many rows take several times the time and memory.
    """
    day = pl.col("paid_on").to_physical().cast(pl.Int64) - _FIRST_DAY
    pair = pl.col("one_id") * categories + pl.col("category").cast(pl.Int64)
    packed = kept.select(packed=pair * _ROOM + day).collect(engine="streaming").get_column("packed").sort()
    return packed.filter((packed != packed.shift(1)).fill_null(value=True)).to_frame().lazy()


def _own_cycles(pairs: pl.LazyFrame, gaps: pl.LazyFrame, rule: Restock) -> pl.LazyFrame:
    """One row per customer and category with enough purchase days: own_days."""
    often = pairs.filter(pl.col("days") >= rule.least_days).select(_PAIR)
    return gaps.join(often, on=_PAIR, how="semi").group_by(_PAIR).agg(own_days=_median("gap"))


def _cycles_of_categories(gaps: pl.LazyFrame, rule: Restock) -> pl.LazyFrame:
    """One row per category to which enough customers came back: category_days."""
    cycles = gaps.group_by("category").agg(category_days=_median("gap"), came_back=pl.col("one_id").n_unique())
    return cycles.filter(pl.col("came_back") >= rule.least_customers).drop("came_back")


def _median(name: str) -> pl.Expr:
    """The median of whole numbers, halves rounded up."""
    return (pl.col(name).median() + 0.5).floor().cast(pl.Int64)


def _late_days(as_of: date) -> pl.Expr:
    return (pl.lit(as_of) - pl.col("restock_due_on")).dt.total_days()
