"""Customers as the models of value see them, and CDNOW as such customers."""

from datetime import date, timedelta
from functools import cache

import polars as pl

from infra.demo import cdnow
from tasks.policy.value import Value

AS_OF = date(1997, 9, 30)
POLICY = Value()


def customers_of(purchases: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    """One row per customer who came by `as_of`, with the columns that the models read; a day is one purchase."""
    known = purchases.filter(pl.col("bought_on") <= as_of)
    days = known.group_by("customer", day="bought_on").agg(pl.col("paid_fen").sum())
    sums = days.sort("day").group_by("customer").agg(
        purchase_days=pl.len().cast(pl.Int64), first_order_on=pl.col("day").first(), last_order_on=pl.col("day").last(),
        life_net_fen=pl.col("paid_fen").sum(), first_day_fen=pl.col("paid_fen").first(),
    )  # fmt: skip
    return sums.sort("customer").with_columns(stage=pl.lit("active"), preferred_category=pl.lit("CDs")).lazy()


def customers(*given: tuple[int, int, int, int, int], as_of: date = AS_OF) -> pl.LazyFrame:
    """Customers of (purchase days, days since the first, since the last, life net fen, fen of the first day)."""
    rows = [
        {
            "purchase_days": days, "first_order_on": as_of - timedelta(first) if days else None,
            "last_order_on": as_of - timedelta(last) if days else None, "life_net_fen": fen, "first_day_fen": first_fen,
            "stage": "active" if days else "prospect", "preferred_category": "CDs" if days else None,
        }
        for days, first, last, fen, first_fen in given
    ]  # fmt: skip
    schema = {
        "purchase_days": pl.Int64, "first_order_on": pl.Date, "last_order_on": pl.Date, "life_net_fen": pl.Int64,
        "first_day_fen": pl.Int64, "stage": pl.String, "preferred_category": pl.String,
    }  # fmt: skip
    return pl.LazyFrame(rows, schema=schema)


@cache
def cdnow_sample() -> pl.DataFrame:
    """The 2,357 customers of the published fits after 39 weeks."""
    return customers_of(cdnow.sample(), AS_OF).collect()
