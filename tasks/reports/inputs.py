"""Boil large tables down to what the report needs. Lazy: the caller scans the lake and collects."""

import polars as pl


def monthly_revenue(net_orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per month of payment, and whether the buyer is known: orders and net money in fen.

    Args:
        net_orders: `paid_on`, `one_id` (null: an anonymous order, money without a customer), `net_fen`.
    """
    return (
        net_orders.group_by(
            paid_month=pl.col("paid_on").dt.strftime("%Y-%m"), is_identified=pl.col("one_id").is_not_null()
        )
        .agg(orders=pl.len().cast(pl.Int64), net_fen=pl.col("net_fen").sum())
        .sort("paid_month", "is_identified")
    )


def count_refusals(quarantine: pl.LazyFrame) -> pl.LazyFrame:
    """One row per rule that refused rows.

    A row that broke two rules counts under both, so the sum may exceed the rows refused.
    Money is in fen; unreadable money counts as 0.
    """
    return (
        quarantine.group_by("rule")
        .agg(rows=pl.len().cast(pl.Int64), money_fen=pl.col("row_money_fen").sum())
        .sort("rule")
    )
