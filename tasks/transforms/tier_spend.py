"""Spend that counts towards tiers: when an order starts and stops to count, and what refunds take off it.

An order counts from its counting day (payment + maturity) for `qualify_window_days`. A refund
before the counting day acts on the counting day, a later one on its own day.
"""

from datetime import date, timedelta

import polars as pl

from tasks.policy.models import Tiers
from tasks.transforms.orders import ORDER


def with_counting_days(orders: pl.LazyFrame, refunds: pl.LazyFrame, *, as_of: date, tiers: Tiers) -> pl.LazyFrame:
    """One row per net order as given, with `counted_on` and `spend_fen`, its worth for tiers at `as_of`.

    With `refund_effect: none` a refund after the counting day takes nothing off.
    """
    counted = orders.with_columns(counted_on=pl.col("paid_on") + timedelta(days=tiers.maturity_days))
    if tiers.refund_effect != "none":
        return counted.with_columns(spend_fen=pl.col("net_fen"))
    back = refund_moves(counted, refunds, as_of=as_of, tiers=tiers).group_by(ORDER).agg(pl.col("back_fen").sum())
    worth = pl.col("paid_fen") - pl.col("back_fen").fill_null(0)
    return counted.join(back, on=ORDER, how="left").with_columns(spend_fen=worth).drop("back_fen")


def spend_at(as_of: date, tiers: Tiers) -> pl.Expr:
    """Aggregation over a customer's orders: net spend in the qualifying window that ends at `as_of`."""
    in_window = pl.col("counted_on").is_between(
        as_of - timedelta(days=tiers.qualify_window_days), as_of, closed="right"
    )
    return pl.when(in_window).then("spend_fen").otherwise(0).sum().alias("tier_spend_fen")


def refund_moves(counted: pl.LazyFrame, refunds: pl.LazyFrame, *, as_of: date, tiers: Tiers) -> pl.LazyFrame:
    """One row per refund of an order by `as_of`: `back_fen` taken off on `moved_on`, never more than was paid."""
    due = refunds.filter(pl.col("refunded_on") <= as_of).join(
        counted.select(*ORDER, "one_id", "counted_on", "paid_fen"), on=ORDER
    )
    if tiers.refund_effect == "none":
        due = due.filter(pl.col("refunded_on") <= pl.col("counted_on"))
    so_far = pl.min_horizontal(pl.col("refund_fen").cum_sum(), pl.col("paid_fen")).over(ORDER, order_by="refunded_on")
    return (
        due.group_by(*ORDER, "one_id", "counted_on", "paid_fen", "refunded_on")
        .agg(pl.col("refund_fen").sum())
        .with_columns(_so_far=so_far)
        .with_columns(
            back_fen=pl.col("_so_far") - pl.col("_so_far").shift(1, fill_value=0).over(ORDER, order_by="refunded_on"),
            moved_on=pl.max_horizontal("refunded_on", "counted_on"),
        )
        .select(*ORDER, "one_id", "counted_on", "moved_on", "back_fen")
    )


def spend_changes(
    counted: pl.LazyFrame, moves: pl.LazyFrame, *, after: date, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per customer and day in `(after, as_of]` on which the spend in the window changed.

    `change_fen` is the change, `new_fen` the part that new orders brought, so above 0 on the
    days with a new qualifying order.
    """
    who = pl.col("one_id").is_not_null()
    paid = counted.filter(who).select("one_id", "counted_on", moved_on="counted_on", fen="paid_fen")
    back = moves.filter(who).select("one_id", "counted_on", "moved_on", fen=-pl.col("back_fen"))
    window = timedelta(days=tiers.qualify_window_days)
    parts = [
        change
        for rows in (paid, back)
        for change in (_arriving(rows, after, as_of, window), _leaving(rows, after, as_of, window))
    ]
    return pl.concat(parts).group_by("one_id", "day").agg(pl.col("change_fen", "new_fen").sum())


def _arriving(rows: pl.LazyFrame, after: date, as_of: date, window: timedelta) -> pl.LazyFrame:
    """What starts to count, or stops through a refund, within the period."""
    moved_on = pl.col("moved_on")
    arrives = moved_on.is_between(after, as_of, closed="right") & (moved_on < pl.col("counted_on") + window)
    is_new = moved_on == pl.col("counted_on")
    return rows.filter(arrives).select(
        "one_id", day=moved_on, change_fen="fen", new_fen=pl.when(is_new).then("fen").otherwise(0)
    )


def _leaving(rows: pl.LazyFrame, after: date, as_of: date, window: timedelta) -> pl.LazyFrame:
    """What falls out of the window within the period; a refund that came later takes nothing with it."""
    counted_on = pl.col("counted_on")
    leaves = counted_on.is_between(after - window, as_of - window, closed="right")
    return rows.filter(leaves, pl.col("moved_on") < counted_on + window).select(
        "one_id", day=counted_on + window, change_fen=-pl.col("fen"), new_fen=pl.lit(0, pl.Int64)
    )
