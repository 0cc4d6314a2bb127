"""Promotions: how much somebody bought in the last one of the calendar, and how many of their orders fell into any."""

from datetime import timedelta

import polars as pl

from tasks.policy.calendar import Window
from tasks.transforms.traits.ground import Ground

_YEAR = 365
_DIGITS = 4


def count_promotions(ground: Ground) -> pl.LazyFrame:
    """One row per customer with a qualifying order in the window of rfm.yaml, or in the last promotion."""
    days = ground.policy.rfm.window_days
    windows = ground.policy.calendar.windows(ground.as_of, max(days, _YEAR))
    in_window = pl.col("paid_on") > ground.as_of - timedelta(days=days)
    in_last = pl.any_horizontal(pl.lit(value=False), *(_within(window) for window in windows[-1:]))
    in_any = pl.any_horizontal(pl.lit(value=False), *(_within(window) for window in windows))
    counted = ground.orders.filter("is_qualifying").filter(in_window | in_last).group_by("one_id")
    return counted.agg(
        promotion_fen=pl.when(in_last).then("net_fen").otherwise(0).sum(),
        _promoted=(in_window & in_any).sum(), _orders=in_window.sum(),
    ).select(
        "one_id", "promotion_fen",
        promotion_rate=pl.when(pl.col("_orders") > 0).then((pl.col("_promoted") / pl.col("_orders")).round(_DIGITS)),
    )  # fmt: skip


def name_promotion(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """One row per customer as given, with `promotion`: the same for all, null where none began within a year."""
    windows = ground.policy.calendar.windows(ground.as_of, max(ground.policy.rfm.window_days, _YEAR))
    return customers.with_columns(promotion=pl.lit(windows[-1].code if windows else None, pl.String))


def _within(window: Window) -> pl.Expr:
    return pl.col("paid_on").is_between(window.starts_on, window.ends_on)
