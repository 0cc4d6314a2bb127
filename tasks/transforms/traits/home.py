"""Where a customer is at home: the channel and the store they buy at, how they pay there, who looks after them."""

from datetime import timedelta

import polars as pl

from tasks.transforms.traits.ground import Ground


def find_home(ground: Ground) -> pl.LazyFrame:
    """One row per customer with a qualifying order in the window: preferred_channel, preferred_payment, home_store.

    Most orders go first, then the larger net spend, then the first name. A home store is a shop of a channel that
    the policy lists among the tills, printed `channel:shop`; null for who bought at none. Orders of which the channel
    does not say how they were paid have no part in how somebody pays.
    """
    first = ground.as_of - timedelta(days=ground.policy.rfm.window_days)
    bought = ground.orders.filter("is_qualifying", pl.col("paid_on") > first)
    shops = _counted(bought, "channel", "shop_id")
    channels = shops.group_by("one_id", "channel").agg(pl.col("orders", "fen").sum())
    tills = shops.filter(pl.col("channel").is_in(ground.policy.habits.tills))
    store = pl.format("{}:{}", "channel", "shop_id")
    told = bought.filter(pl.col("payment_method").is_not_null())
    payments = _first(_counted(told, "payment_method"), pl.col("payment_method").cast(pl.String), "preferred_payment")
    return (
        _first(channels, pl.col("channel"), "preferred_channel")
        .join(payments, on="one_id", how="left")
        .join(_first(tills, store, "home_store"), on="one_id", how="left")
    )


def _counted(orders: pl.LazyFrame, *places: str) -> pl.LazyFrame:
    return orders.group_by("one_id", *places).agg(orders=pl.len(), fen=pl.col("net_fen").sum())


def find_adviser(ground: Ground) -> pl.LazyFrame:
    """One row per customer whom an adviser follows: the one of the newest contact, then the first name."""
    known = ground.follows.filter(_day("followed_at", ground.zone) <= ground.as_of)
    newest = known.sort("one_id", "followed_at", "adviser_id", descending=[False, True, False])
    return newest.unique("one_id", keep="first", maintain_order=True).select("one_id", "adviser_id")


def _first(places: pl.LazyFrame, name: pl.Expr, to: str) -> pl.LazyFrame:
    ranked = places.select("one_id", "orders", "fen", name.alias(to)).sort(
        "one_id", "orders", "fen", to, descending=[False, True, True, False]
    )
    return ranked.unique("one_id", keep="first", maintain_order=True).select("one_id", to)


def _day(column: str, zone: str) -> pl.Expr:
    return pl.col(column).dt.convert_time_zone(zone).dt.date()
