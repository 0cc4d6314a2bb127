"""What RFM scores in place of orders and spend: purchase days, spend per order, capped purchases (algorithms §2)."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from tasks.policy.rfm import Rfm, Winsorise
from tasks.transforms.rfm import IS_BASE, is_plain_spend

_BASIS_POINTS = 10_000


def with_scored_values(facts: pl.LazyFrame, orders: pl.LazyFrame, rfm: Rfm, *, as_of: date) -> pl.LazyFrame:
    """One row per customer as given, with `frequency_scored` and `monetary_scored_fen`.

    Null outside the base, and where the plain column is scored as it is. Spend per order is in whole fen, rounded
    down. Caps are nearest-rank percentiles: of the orders of the base in the window, or of its customers' values.
    """
    mine = orders.filter(
        "is_qualifying", pl.col("one_id").is_not_null(), pl.col("paid_on") > as_of - timedelta(days=rfm.window_days)
    )
    return facts.pipe(_with_frequency, mine, rfm).pipe(_with_money, mine, rfm)


def percentile_of(values: pl.Expr, percentile: Decimal) -> pl.Expr:
    """Nearest rank: the least value that at least `percentile` of all do not exceed; null of none."""
    points = int(percentile * 100)
    rank = (pl.len().cast(pl.Int64) * points + _BASIS_POINTS - 1) // _BASIS_POINTS
    return values.sort().gather(rank - 1, null_on_oob=True).first()


def _with_frequency(facts: pl.LazyFrame, orders: pl.LazyFrame, rfm: Rfm) -> pl.LazyFrame:
    if rfm.frequency == "orders":
        return facts.with_columns(frequency_scored=pl.lit(None, pl.Int64))
    days = orders.select("one_id", "paid_on").unique().group_by("one_id")
    return facts.join(days.agg(frequency_scored=pl.len().cast(pl.Int64)), on="one_id", how="left")


def _with_money(facts: pl.LazyFrame, orders: pl.LazyFrame, rfm: Rfm) -> pl.LazyFrame:
    if is_plain_spend(rfm):
        return facts.with_columns(monetary_scored_fen=pl.lit(None, pl.Int64))
    winsorise = rfm.winsorise
    if winsorise is not None and winsorise.of == "orders":
        capped = orders.pipe(_capped_spend, winsorise)
        facts = facts.join(capped, on="one_id", how="left")
    else:
        facts = facts.with_columns(monetary_scored_fen=pl.when(IS_BASE).then("monetary_fen"))
    if rfm.monetary == "spend_per_order":
        facts = facts.with_columns(pl.col("monetary_scored_fen") // pl.col("frequency"))
    if winsorise is not None and winsorise.of == "customers":
        facts = facts.pipe(_capped_values, winsorise)
    return facts


def _capped_spend(orders: pl.LazyFrame, winsorise: Winsorise) -> pl.LazyFrame:
    """One row per customer: the sum of their orders, none of which counts for more than the percentile."""
    cap = orders.select(percentile_of(pl.col("net_fen"), winsorise.percentile)).collect().item()
    return orders.group_by("one_id").agg(monetary_scored_fen=pl.min_horizontal("net_fen", pl.lit(cap, pl.Int64)).sum())


def _capped_values(facts: pl.LazyFrame, winsorise: Winsorise) -> pl.LazyFrame:
    """One row per customer as given, none of whom is worth more than the percentile."""
    value = pl.col("monetary_scored_fen")
    cap = facts.select(value).drop_nulls().select(percentile_of(value, winsorise.percentile)).collect().item()
    return facts.with_columns(pl.when(value.is_not_null()).then(pl.min_horizontal(value, pl.lit(cap, pl.Int64))))
