"""The tier that refunds alone would leave: money paid back since the date before, counted as if on that date."""

from datetime import date, timedelta

import polars as pl

from tasks.policy.tiers import Tiers
from tasks.transforms.orders import ORDER
from tasks.transforms.reviews import is_review
from tasks.transforms.tier_replay import NO_TIER
from tasks.transforms.tier_spend import spend_at, with_counting_days
from tasks.transforms.tiers import OUT, step


def tiers_after_refunds(
    state: pl.LazyFrame, orders: pl.LazyFrame, refunds: pl.LazyFrame, *, at: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per customer of `state` (one_id and the tier's state at `at`): the tier that refunds alone would leave.

    `orders` are net orders with all `refunds` taken off, those after `at` included.
    """
    counted = with_counting_days(orders, refunds, as_of=date.max, tiers=tiers)
    rows = (
        state.drop("tier_spend_fen")
        .with_columns(is_fraud=pl.col("tier_level") < 0)
        .join(counted.group_by("one_id").agg(spend_at(at, tiers)), on="one_id", how="left")
        .join(_granted(state, counted, refunds, tiers), on="one_id", how="left")
        .with_columns(pl.col("tier_spend_fen").fill_null(0))
    )
    codes = {OUT: NO_TIER} | {level: tier.code for level, tier in enumerate(tiers.tiers)}
    after = step(rows, on=pl.lit(at), review=is_review(at, tiers), tiers=tiers)
    return after.select("one_id", tier=pl.col("tier_level").replace_strict(codes, return_dtype=pl.String))


def _granted(state: pl.LazyFrame, counted: pl.LazyFrame, refunds: pl.LazyFrame, tiers: Tiers) -> pl.LazyFrame:
    """One row per customer of whose granting window a refund took something since: what is left of its spend."""
    window, end = timedelta(days=tiers.qualify_window_days), pl.col("tier_window_end")
    within = pl.col("counted_on").is_between(end - window, end, closed="right")
    last = refunds.group_by(ORDER).agg(_back_on=pl.col("refunded_on").max())
    spent = counted.join(state.select("one_id", "tier_window_end"), on="one_id").filter(within)
    left = (
        spent.join(last, on=ORDER, how="left")
        .group_by("one_id")
        .agg(
            granted_spend_fen=pl.col("net_fen").sum(),
            _is_thinned=(pl.max_horizontal("_back_on", "counted_on") > end).any(),
        )
    )
    return left.filter("_is_thinned").drop("_is_thinned")
