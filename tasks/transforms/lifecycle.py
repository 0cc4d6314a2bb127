"""Lifecycle stages by days without an order; the first that fits wins, and one always does (algorithms §5)."""

from datetime import date, timedelta

import polars as pl

from tasks.policy.lifecycle import Lifecycle


def stage_customers(facts: pl.LazyFrame, orders: pl.LazyFrame, *, as_of: date, lifecycle: Lifecycle) -> pl.LazyFrame:
    """One row per customer as given, with `stage`; never null.

    `growing` and `returned` stand before `active`: they say how somebody came to be active.
    """
    days, since_first = pl.col("days_since_order"), (pl.lit(as_of) - pl.col("first_order_on")).dt.total_days()
    stage = (
        pl.when(pl.col("gross_orders") == 0).then(pl.lit("prospect"))
        .when(pl.col("life_orders") == 0).then(pl.lit("refunded_only"))
        .when((pl.col("purchase_days") == 1) & (days <= lifecycle.new_days)).then(pl.lit("new"))
        .when(since_first <= lifecycle.growing_days).then(pl.lit("growing"))
        .when("_has_returned").then(pl.lit("returned"))
        .when(days <= lifecycle.active_days).then(pl.lit("active"))
        .when(days <= lifecycle.at_risk_days).then(pl.lit("at_risk"))
        .when(days <= lifecycle.silent_days).then(pl.lit("silent"))
        .otherwise(pl.lit("lost"))
    )  # fmt: skip
    back = orders.pipe(returned_customers, as_of=as_of, lifecycle=lifecycle)
    marked = facts.join(back.with_columns(_has_returned=pl.lit(value=True)), on="one_id", how="left")
    return marked.with_columns(stage=stage).drop("_has_returned")


def returned_customers(orders: pl.LazyFrame, *, as_of: date, lifecycle: Lifecycle) -> pl.LazyFrame:
    """One row per customer who bought in the last `returned_days` after more than `at_risk_days` without a purchase.

    Looks at the recent purchase days and at the last one before them, not at the whole life.
    """
    start = as_of - timedelta(days=lifecycle.returned_days)
    bought = orders.filter("is_qualifying", pl.col("one_id").is_not_null()).select("one_id", day="paid_on")
    recent = bought.filter(pl.col("day") >= start).unique()
    before = bought.filter(pl.col("day") < start).group_by("one_id").agg(pl.col("day").max())
    gap = (pl.col("day") - pl.col("day").shift(1)).over("one_id", order_by="day").dt.total_days()
    return (
        pl.concat([recent, before.join(recent, on="one_id", how="semi")])
        .filter(gap > lifecycle.at_risk_days, pl.col("day") >= start)
        .select("one_id")
        .unique()
    )
