"""What the models read of customers: repeat purchases, times and values, each different one once with its count.

A purchase is a purchase day: the orders of one day are one decision. Time is in days, money in fen.
Equal histories have equal likelihoods, so only different ones are kept, in a fixed order.
"""

from datetime import date

import numpy as np
import polars as pl

from tasks.transforms.sums import Sum
from tasks.transforms.value.buying import Array, Histories
from tasks.transforms.value.spending import Purchases

REPEATS = pl.col("purchase_days") - 1
"""Repeat purchases: the first one is not a repeat."""
REPEAT_FEN = pl.col("life_net_fen") - pl.col("first_day_fen")
"""What the repeat purchases brought."""

LARGEST_ORDER = Sum("largest_order_fen", "max", "net_fen")
"""Of a customer's orders: the largest one; beside a large share of life spend, a single big buy."""


def purchasers(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per customer with a qualifying order by `as_of`, sorted: what the models read, and orders beside days.

    `orders` are net orders; anonymous ones are nobody's.
    """
    known = orders.filter("is_qualifying", pl.col("one_id").is_not_null(), pl.col("paid_on") <= as_of)
    days = known.group_by("one_id", "paid_on").agg(pl.col("net_fen").sum(), orders=pl.len().cast(pl.Int64))
    sums = days.group_by("one_id").agg(
        purchase_days=pl.len().cast(pl.Int64), life_orders=pl.col("orders").sum(),
        first_order_on=pl.col("paid_on").min(), last_order_on=pl.col("paid_on").max(),
        life_net_fen=pl.col("net_fen").sum(), first_day_fen=pl.col("net_fen").min_by("paid_on"),
    )  # fmt: skip
    return sums.sort("one_id")


def buyers(customers: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of `customers` who ever bought."""
    return customers.filter(pl.col("purchase_days") > 0)


def timed(customers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per customer: x, t_x (days from the first to the last purchase) and age (days since the first)."""
    return customers.select(
        x=REPEATS,
        t_x=(pl.col("last_order_on") - pl.col("first_order_on")).dt.total_days(),
        age=(pl.lit(as_of) - pl.col("first_order_on")).dt.total_days(),
    )


def histories_of(customers: pl.LazyFrame, as_of: date, most: int) -> Histories:
    """The different histories of all buyers; of more than `most` buyers so many, taken evenly."""
    distinct = buyers(customers).pipe(timed, as_of).pipe(_distinct, "x", "t_x", "age")
    x, t_x, age, count = _thinned(distinct, most)
    return Histories(x, t_x, age, count)


def purchases_of(customers: pl.LazyFrame, most: int) -> Purchases:
    """The different pairs of number and mean value of repeat purchases; likewise."""
    repeaters = customers.select(x=REPEATS, fen=REPEAT_FEN).filter(pl.col("x") > 0, pl.col("fen") > 0)
    x, fen, count = _thinned(_distinct(repeaters, "x", "fen"), most)
    return Purchases(x, fen / x, count)


def _distinct(rows: pl.LazyFrame, *names: str) -> pl.DataFrame:
    return rows.group_by(names).agg(count=pl.len().cast(pl.Int64)).sort(names).collect()


def _thinned(distinct: pl.DataFrame, most: int) -> list[Array]:
    """The columns as numbers; counts add up to `most` at most, in proportion up to one customer anywhere.

    Every n-th customer in the order of histories is kept: no draw, so the same customers give the same sample.
    """
    total = int(distinct["count"].sum())
    if total > most:
        until = pl.col("count").cum_sum().cast(pl.Int128)
        kept = until * most // total - (until - pl.col("count")) * most // total
        distinct = distinct.with_columns(count=kept.cast(pl.Int64)).filter(pl.col("count") > 0)
    return [np.asarray(distinct[name].cast(pl.Float64).to_numpy()) for name in distinct.columns]
