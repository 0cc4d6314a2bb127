"""What an export says was paid back: a refund with its own number, the order's running total, or a word alone.

The three are kept apart as `refund_basis`; tasks/transforms/orders.py says which of them counts.
"""

import polars as pl

from expectations.vocabulary import INSTANT
from tasks.sources.building import all_of, any_of
from tasks.sources.layouts import Layout

_ENDED = ("closed", "cancelled")


def with_evidence(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per order or line as given, with `shown_fen` and `status_fen`, each 0 where the file shows nothing.

    `status_fen` is all that was paid where a word says so, or where what was paid is closed or cancelled.
    A till's refund is a row of its own: its amount is `itemised_fen`, and then no other row shows any.
    """
    rule, zero = layout.refund, pl.lit(0, pl.Int64())
    if rule is not None and rule.column is not None and rule.itemised_when:
        back = pl.when(all_of(rule.itemised_when)).then(pl.col(rule.column).abs()).fill_null(0)
        return rows.with_columns(itemised_fen=back, shown_fen=zero, status_fen=zero)
    shown, says_so = zero, pl.col("status").is_in(_ENDED)
    if rule is not None:
        says_so |= any_of(rule.full_when)
        if rule.column is not None:
            shown = pl.when(all_of(rule.counted_when)).then(pl.col(rule.column)).fill_null(0)
    was_paid = pl.col("paid_at").is_not_null() & (pl.col("paid_fen") > 0)
    status = pl.when(says_so & was_paid).then("paid_fen").otherwise(zero)
    return rows.with_columns(shown_fen=shown, status_fen=status)


def with_refunded(orders: pl.DataFrame) -> pl.DataFrame:
    """One row per order as given, with `refunded_fen`: the amount shown; without one, what the status alone says."""
    is_shown = pl.col("shown_fen") != 0
    return orders.with_columns(
        refunded_fen=pl.when(is_shown).then("shown_fen").otherwise("status_fen"),
        status_fen=pl.when(is_shown).then(pl.lit(0, pl.Int64())).otherwise("status_fen"),
    )


def refunds_of(orders: pl.DataFrame, exported_at: pl.Expr) -> pl.DataFrame:
    """One row per order and basis with money refunded; the channel gives neither number nor time of it.

    Only a till's refund, itself a row of the file, has the number and the time of that row.
    """
    if "itemised_fen" in orders.columns:
        return orders.filter(pl.col("itemised_fen") > 0).with_columns(
            refund_id="order_id", refund_fen="itemised_fen", refunded_at="ordered_at",
            refund_basis=pl.lit("itemised"), refund_state=pl.lit("paid_back"),
        )  # fmt: skip
    return pl.concat(
        orders.filter(pl.col(amount) > 0).with_columns(
            refund_id="order_id", refund_fen=amount, refunded_at=exported_at,
            refund_basis=pl.lit(basis), refund_state=pl.lit("paid_back"),
        )
        for basis, amount in (("shown", "shown_fen"), ("status", "status_fen"))
    )  # fmt: skip


def itemised(rows: pl.DataFrame, exported_at: pl.Expr) -> pl.DataFrame:
    """One row per refund of a refund file; only what was paid back has a time, its own or that of the export.

    `own_at` is its own time, which is part of what the row says: a corrected one is a new version.
    """
    own = pl.col("refunded_at") if "refunded_at" in rows.columns else pl.lit(None, INSTANT)
    is_back = pl.col("refund_state") == "paid_back"
    return rows.with_columns(
        refund_basis=pl.lit("itemised"),
        refunded_at=pl.when(is_back).then(pl.coalesce(own, exported_at)),
        own_at=pl.when(is_back).then(own),
    )
