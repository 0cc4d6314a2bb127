"""Orders as money sees them: the versions known at an instant, refunds by their law, buyers resolved."""

from datetime import date, datetime, timedelta

import polars as pl

from expectations.habits import PAYMENT_METHODS
from expectations.vocabulary import REFUND_BASES
from tasks.transforms.held import Keep, as_planned
from tasks.transforms.identity import with_owner

ORDER = ("channel", "shop_id", "order_id")
"""What names an order; a platform's order ids are unique within one shop alone."""

_PAID = ("paid", "shipped", "finished", "closed", "cancelled")
"""A paid order that closes later still counts until its refund does: `closed` acts through the refund."""
_SHOWN = tuple(basis for basis in REFUND_BASES if basis != "itemised")
"""Bases of which a row is the order's whole total at its date, not one more refund."""


def known_at(rows: pl.LazyFrame, known_as_of: datetime) -> pl.LazyFrame:
    """One row per record: its version that was visible at the instant `known_as_of` (UTC).

    Tables without `known_to` only ever grow; of them, what had been received by then.
    """
    visible = pl.col("known_from") <= known_as_of
    if "known_to" in rows.collect_schema().names():
        visible &= pl.col("known_to").is_null() | (pl.col("known_to") > known_as_of)
    return rows.filter(visible)


def known_refunds(refunds: pl.LazyFrame, known_as_of: datetime) -> pl.LazyFrame:
    """One row per refund visible at `known_as_of`, and one per earlier total of an order known by then.

    A total that a later export replaced still holds at the dates before that export: 29.00 shown
    in April and 50.00 in May are 29.00 at the end of April. What is dated after the visible total was withdrawn.
    """
    is_open = pl.col("known_to").is_null() | (pl.col("known_to") > known_as_of)
    holds_until = pl.col("refunded_on").filter(is_open).max().over(*ORDER, "refund_id", "refund_basis")
    is_earlier = pl.col("refund_basis").is_in(_SHOWN) & (pl.col("refunded_on") < holds_until)
    return refunds.filter(pl.col("known_from") <= known_as_of).filter(is_open | is_earlier)


def paid_back(refunds: pl.LazyFrame) -> pl.LazyFrame:
    """One row per order and day on which what had been paid back changed: `refund_fen` is the change.

    The law: by a date, paid back is the larger of the sum of all refunds with a number of their own and the
    latest total shown; a status word counts only for an order that has neither. Bases are never added, since
    they tell of the same money. So 29.00 in the after-sales file and 29.00 on the order are 29.00. The change is
    below 0 only where a later export shows a smaller total.
    """
    fen, basis = pl.col("refund_fen"), pl.col("refund_basis")
    is_proven = (basis != "status").any().over(ORDER)
    counted = refunds.filter(pl.col("refund_state") == "paid_back").filter((basis != "status") | ~is_proven)
    daily = counted.group_by(*ORDER, "refunded_on").agg(
        _sum=fen.filter(basis == "itemised").sum(), _total=fen.filter(basis.is_in(_SHOWN)).max()
    )
    summed = pl.col("_sum").cum_sum().over(ORDER, order_by="refunded_on")
    shown = pl.col("_total").forward_fill().over(ORDER, order_by="refunded_on").fill_null(0)
    before = pl.col("_back").shift(1, fill_value=0).over(ORDER, order_by="refunded_on")
    return (
        daily.with_columns(_back=pl.max_horizontal(summed, shown))
        .with_columns(refund_fen=pl.col("_back") - before)
        .filter(pl.col("refund_fen") != 0)
        .select(*ORDER, "refund_fen", "refunded_on")
    )


_METHOD = pl.Enum(PAYMENT_METHODS)
"""A byte per order, for there are many."""
_OWNED = (*ORDER, "one_id", "paid_at", "paid_on", "gross_fen", "paid_fen", "coupon_fen", "payment_method")


def is_bought() -> pl.Expr:
    """Whether an order is a purchase that was paid, whatever became of it."""
    return (pl.col("kind") == "purchase") & pl.col("status").is_in(_PAID) & pl.col("paid_on").is_not_null()


def owned_orders(orders: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per paid order of kind `purchase`, whenever paid, with the `one_id` of its buyer when it was placed.

    Null for anonymous buyers, and for a key of too many (a clerk's phone): money without a customer.
    """
    paid = orders.filter(is_bought())
    coded = paid.with_columns(pl.col("payment_method").cast(_METHOD))
    return coded.pipe(with_owner, identities, key="buyer_key", at="ordered_at").select(_OWNED)


def net_orders(
    orders: pl.LazyFrame, refunds: pl.LazyFrame, identities: pl.LazyFrame,
    *, as_of: date, maturity_days: int = 0, keep: Keep = as_planned,
) -> pl.LazyFrame:  # fmt: skip
    """One row per paid order of kind `purchase` that had matured by the end of `as_of`.

    `orders` are as stored, or `owned_orders` of these identities, which spares the search for their owners, or those
    net at any later date.
    `refunds` are those of `paid_back`. `refunded_fen` is what had been paid back by then, and shows
    a refund above the payment; `net_fen` stops at 0. `is_qualifying` = net above 0. `one_id` is null where the money
    has no customer. Payments of the last `maturity_days` are left out. Many rows are held by `keep`.
    """
    names = orders.collect_schema().names()
    owned = orders if "one_id" in names else owned_orders(orders, identities)
    has_coupon = pl.col("has_coupon") if "has_coupon" in names else pl.col("coupon_fen").fill_null(0) > 0
    net = (
        owned.filter(pl.col("paid_on") <= as_of - timedelta(days=maturity_days))
        .select(
            *ORDER, "one_id", "paid_at", "paid_on", "gross_fen", "paid_fen", "payment_method", has_coupon=has_coupon
        )
        .join(_refunded(refunds, as_of), on=ORDER, how="left")
        .with_columns(pl.col("refunded_fen").fill_null(0))
        .with_columns(net_fen=pl.max_horizontal(pl.col("paid_fen") - pl.col("refunded_fen"), 0))
        .with_columns(is_qualifying=pl.col("net_fen") > 0)
    )
    return keep(net)


def _refunded(refunds: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per refunded order: all that had been paid back by the end of `as_of`."""
    done = refunds.filter(pl.col("refunded_on") <= as_of)
    return done.group_by(ORDER).agg(refunded_fen=pl.col("refund_fen").sum())
