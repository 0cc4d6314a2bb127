"""Spend that counts towards tiers: when an order starts and stops to count, and what refunds take off it.

An order counts from its counting day (payment + maturity) for `qualify_window_days`. A refund
before the counting day acts on the counting day, a later one on its own day.
"""

from datetime import date, timedelta

import polars as pl

from tasks.policy.tiers import Tiers
from tasks.transforms.orders import ORDER
from tasks.transforms.sums import Sum


def with_counting_days(
    orders: pl.LazyFrame, refunds: pl.LazyFrame | None, *, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per net order as given, with `counted_on` and `spend_fen`, its worth for tiers at `as_of`.

    With `refund_effect: none` a refund after the counting day takes nothing off. `refunds` is
    None where no order was ever refunded.
    """
    counted = orders.with_columns(counted_on=pl.col("paid_on") + timedelta(days=tiers.maturity_days))
    if refunds is None or tiers.refund_effect != "none":
        return counted.with_columns(spend_fen=pl.col("net_fen"))
    back = refund_moves(counted, refunds, as_of=as_of, tiers=tiers).group_by(ORDER).agg(pl.col("back_fen").sum())
    worth = pl.col("paid_fen") - pl.col("back_fen").fill_null(0)
    return counted.join(back, on=ORDER, how="left").with_columns(spend_fen=worth).drop("back_fen")


TIER_SPEND = Sum("tier_spend_fen", "sum", "spend_fen", "in_tier_window")
"""Net spend in the qualifying window, of orders that `in_spend_window` has marked."""


def in_spend_window(as_of: date, tiers: Tiers) -> pl.Expr:
    """Whether an order with a counting day counts in the qualifying window that ends at `as_of`: in_tier_window."""
    start = as_of - timedelta(days=tiers.qualify_window_days)
    return pl.col("counted_on").is_between(start, as_of, closed="right").alias("in_tier_window")


def spend_window_since(as_of: date, tiers: Tiers) -> dict[str, date]:
    """From which day of payment on an order may be in the window of `in_spend_window`."""
    return {"in_tier_window": as_of - timedelta(days=tiers.qualify_window_days + tiers.maturity_days - 1)}


def spend_at(as_of: date, tiers: Tiers) -> pl.Expr:
    """Aggregation over a customer's orders: net spend in the qualifying window that ends at `as_of`."""
    return pl.when(in_spend_window(as_of, tiers)).then("spend_fen").otherwise(0).sum().alias("tier_spend_fen")


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
    counted: pl.LazyFrame, moves: pl.LazyFrame | None, *, after: date, as_of: date, tiers: Tiers
) -> pl.LazyFrame:
    """One row per customer and day in `(after, as_of]` on which the spend in the window changed.

    `change_fen` is the change, `new_fen` the part that new orders brought, so above 0 on the
    days with a new qualifying order.
    """
    window, maturity = timedelta(days=tiers.qualify_window_days), timedelta(days=tiers.maturity_days)
    arrived = counted.filter(_within("paid_on", after - maturity, as_of - maturity))
    left = counted.filter(_within("paid_on", after - maturity - window, as_of - maturity - window))
    parts = [
        _changes(arrived, pl.col("counted_on"), pl.col("paid_fen"), new=pl.col("paid_fen")),
        _changes(left, pl.col("counted_on") + window, -pl.col("paid_fen")),
    ]
    if moves is not None:
        parts += _refunded(moves, after, as_of, window)
    return pl.concat(parts).group_by("one_id", "day").agg(pl.col("change_fen", "new_fen").sum())


def _refunded(moves: pl.LazyFrame, after: date, as_of: date, window: timedelta) -> list[pl.LazyFrame]:
    """What refunds take off on their day, and give back on the day when their order falls out of the window."""
    seen = moves.filter(pl.col("moved_on") < pl.col("counted_on") + window)
    back = seen.filter(_within("moved_on", after, as_of))
    left = seen.filter(_within("counted_on", after - window, as_of - window))
    of_new_order = pl.when(pl.col("moved_on") == pl.col("counted_on")).then(-pl.col("back_fen"))
    return [
        _changes(back, pl.col("moved_on"), -pl.col("back_fen"), new=of_new_order),
        _changes(left, pl.col("counted_on") + window, pl.col("back_fen")),
    ]


def _within(name: str, after: date, until: date) -> pl.Expr:
    return pl.col(name).is_between(after, until, closed="right")


def _changes(rows: pl.LazyFrame, day: pl.Expr, change: pl.Expr, new: pl.Expr | None = None) -> pl.LazyFrame:
    """One row per movement of a customer's spend; an anonymous order moves nobody's."""
    brought = pl.lit(0, pl.Int64) if new is None else new.fill_null(0)
    known = rows.filter(pl.col("one_id").is_not_null())
    return known.select("one_id", day=day, change_fen=change, new_fen=brought)
