"""Boil large tables down to what the report needs. Lazy: the caller scans the lake and collects."""

from datetime import date

import polars as pl


def monthly_revenue(orders: pl.LazyFrame, *, as_of: date) -> pl.LazyFrame:
    """One row per month of payment, currency, and whether the buyer is known.

    Counts current versions of purchases paid by `as_of`; net is paid less refunded, in fen.
    A null buyer is an anonymous order: money without a customer.

    Args:
        orders: columns of the table `orders`.
        as_of: last business date that counts.
    """
    counted = pl.col("known_to").is_null() & (pl.col("kind") == "purchase") & (pl.col("paid_on") <= as_of)
    return (
        orders.filter(counted)
        .group_by("paid_month", "currency", is_identified=pl.col("buyer_key").is_not_null())
        .agg(orders=pl.len().cast(pl.Int64), net_fen=(pl.col("paid_fen") - pl.col("refunded_fen")).sum())
        .sort("paid_month", "currency", "is_identified")
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
