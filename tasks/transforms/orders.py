"""Orders as money sees them: the versions known at an instant, refunds taken off, buyers resolved."""

from datetime import date, datetime, timedelta

import polars as pl

ORDER = ("channel", "shop_id", "order_id")
"""What names an order; a platform's order ids are unique within one shop alone."""

_PAID = ("paid", "shipped", "finished", "closed", "cancelled")
"""A paid order that closes later still counts until its refund does: `closed` acts through the refund."""
_ENDED = ("closed", "cancelled")


def known_at(rows: pl.LazyFrame, known_as_of: datetime) -> pl.LazyFrame:
    """One row per record: its version that was visible at the instant `known_as_of` (UTC).

    Tables without `known_to` only ever grow; of them, what had been received by then.
    """
    visible = pl.col("known_from") <= known_as_of
    if "known_to" in rows.collect_schema().names():
        visible &= pl.col("known_to").is_null() | (pl.col("known_to") > known_as_of)
    return rows.filter(visible)


def with_closings(refunds: pl.LazyFrame, orders: pl.LazyFrame, *, zone: str) -> pl.LazyFrame:
    """One row per refund, those included that an export shows only by closing a paid order.

    A closed order for which no refund is recorded was paid back whole. It is dated by the
    export that shows it closed, as every refund without a time of its own (algorithms §1).
    """
    columns = (*ORDER, "refund_fen", "refunded_on")
    closed = orders.filter(pl.col("status").is_in(_ENDED), pl.col("paid_on").is_not_null(), pl.col("paid_fen") > 0)
    implied = closed.join(refunds, on=ORDER, how="anti").with_columns(
        refund_fen=pl.col("paid_fen"), refunded_on=pl.col("exported_at").dt.convert_time_zone(zone).dt.date()
    )
    return pl.concat([refunds.select(columns), implied.select(columns)])


def net_orders(
    orders: pl.LazyFrame, refunds: pl.LazyFrame, identities: pl.LazyFrame, *, as_of: date, maturity_days: int = 0
) -> pl.LazyFrame:
    """One row per paid order of kind `purchase` that had matured by the end of `as_of`.

    `refunded_fen` is what had been paid back by then, and shows a refund above the payment;
    `net_fen` stops at 0. `is_qualifying` = net above 0. `one_id` is null for anonymous
    buyers: money without a customer. Payments of the last `maturity_days` are left out.
    """
    paid = orders.filter(
        pl.col("kind") == "purchase",
        pl.col("status").is_in(_PAID),
        pl.col("paid_on") <= as_of - timedelta(days=maturity_days),
    )
    return (
        paid.drop("refunded_fen")
        .join(_refunded(refunds, as_of), on=ORDER, how="left")
        .join(identities.select("key", "one_id"), left_on="buyer_key", right_on="key", how="left")
        .select(
            *ORDER, "one_id", "paid_on", "gross_fen", "paid_fen",
            pl.col("refunded_fen").fill_null(0),
            has_coupon=pl.col("coupon_fen").fill_null(0) > 0,
        )
        .with_columns(net_fen=pl.max_horizontal(pl.col("paid_fen") - pl.col("refunded_fen"), 0))
        .with_columns(is_qualifying=pl.col("net_fen") > 0)
    )  # fmt: skip


def _refunded(refunds: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per refunded order: all that had been paid back by the end of `as_of`."""
    done = refunds.filter(pl.col("refunded_on") <= as_of)
    return done.group_by(ORDER).agg(refunded_fen=pl.col("refund_fen").sum())
