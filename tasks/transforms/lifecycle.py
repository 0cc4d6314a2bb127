"""Lifecycle stages by days without an order; the first that fits wins, and one always does (algorithms §5).

The days are the policy's for everyone, or follow from each customer's own purchase cycle.
"""

from datetime import date, timedelta

import polars as pl

from tasks.policy.lifecycle import Lifecycle
from tasks.transforms.cycle import edges, median_gaps, with_cycle


def stage_customers(facts: pl.LazyFrame, orders: pl.LazyFrame, *, as_of: date, lifecycle: Lifecycle) -> pl.LazyFrame:
    """One row per customer as given, with `stage`; never null.

    `growing` and `returned` stand before `active`: they say how somebody came to be active.
    """
    columns = facts.collect_schema().names()
    back = orders.pipe(gaps_back, as_of=as_of, lifecycle=lifecycle)
    timed = facts.pipe(_with_edges, orders, lifecycle).join(back, on="one_id", how="left")
    return timed.select(*columns, stage=_stage(as_of, lifecycle))


def _with_edges(facts: pl.LazyFrame, orders: pl.LazyFrame, lifecycle: Lifecycle) -> pl.LazyFrame:
    """Customers as given with the last days of `active`, `at_risk` and `silent` for each of them."""
    fixed = (pl.lit(days) for days in (lifecycle.active_days, lifecycle.at_risk_days, lifecycle.silent_days))
    if lifecycle.basis == "days":
        return facts.with_columns(expr.alias(name) for expr, name in zip(fixed, _EDGES, strict=True))
    own = with_cycle(facts, median_gaps(orders.filter(pl.col("one_id").is_not_null())), lifecycle.cycle)
    return own.with_columns(expr.alias(name) for expr, name in zip(edges(pl.col("cycle_g2")), _EDGES, strict=True))


_EDGES = ("_active", "_at_risk", "_silent")


def _stage(as_of: date, lifecycle: Lifecycle) -> pl.Expr:
    days, since_first = pl.col("days_since_order"), (pl.lit(as_of) - pl.col("first_order_on")).dt.total_days()
    return (
        pl.when(pl.col("gross_orders") == 0).then(pl.lit("prospect"))
        .when(pl.col("life_orders") == 0).then(pl.lit("refunded_only"))
        .when((pl.col("purchase_days") == 1) & (days <= lifecycle.new_days)).then(pl.lit("new"))
        .when(since_first <= lifecycle.growing_days).then(pl.lit("growing"))
        .when(pl.col("gap_back") > pl.col("_at_risk")).then(pl.lit("returned"))
        .when(days <= pl.col("_active")).then(pl.lit("active"))
        .when(days <= pl.col("_at_risk")).then(pl.lit("at_risk"))
        .when(days <= pl.col("_silent")).then(pl.lit("silent"))
        .otherwise(pl.lit("lost"))
    )  # fmt: skip


def gaps_back(orders: pl.LazyFrame, *, as_of: date, lifecycle: Lifecycle) -> pl.LazyFrame:
    """One row per customer who bought in the last `returned_days`: gap_back, the longest gap that such a day ended.

    Looks at the recent purchase days and at the last one before them, not at the whole life. A gap that ends no
    silence under this policy may be left out.
    """
    start = as_of - timedelta(days=lifecycle.returned_days)
    bought = orders.filter("is_qualifying", pl.col("one_id").is_not_null()).select("one_id", day="paid_on")
    recent = bought.filter(pl.col("day") >= start).unique()
    before = bought.filter(pl.col("day") < start).group_by("one_id").agg(pl.col("day").max())
    gap = (pl.col("day") - pl.col("day").shift(1)).over("one_id", order_by="day").dt.total_days()
    return (
        pl.concat([recent, before.join(recent, on="one_id", how="semi")])
        .with_columns(gap_back=gap)
        .filter(pl.col("gap_back") > _least_silence(lifecycle), pl.col("day") >= start)
        .group_by("one_id")
        .agg(pl.col("gap_back").max())
    )


def _least_silence(lifecycle: Lifecycle) -> int:
    """The least of all customers' last days of `at_risk`."""
    if lifecycle.basis == "days":
        return lifecycle.at_risk_days
    return (3 * 2 * lifecycle.cycle.least_days + 2) // 4
