"""Who has bought since the scoring: an offer to come back would be late for them."""

from datetime import date

import polars as pl

from tasks.transforms.orders import owned_orders


def buyers_since(orders: pl.LazyFrame, identities: pl.LazyFrame, *, as_of: date) -> pl.LazyFrame:
    """One row per customer who paid a purchase after the end of `as_of`, and when first.

    `orders` are the versions known now; an order that was cancelled since still shows that they came back.

    Returns:
        one_id, bought_on (business date).
    """
    fresh = owned_orders(orders.filter(pl.col("paid_on") > as_of), identities)
    return fresh.drop_nulls("one_id").group_by("one_id").agg(bought_on=pl.col("paid_on").min())


def why_bought_since() -> pl.Expr:
    """Evidence for whoever has bought since the scoring."""
    return pl.format("has bought on {}, after the scoring", pl.col("bought_on").dt.strftime("%Y-%m-%d"))
