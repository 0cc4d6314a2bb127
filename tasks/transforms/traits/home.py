"""Where a customer is at home: the channel and the store they buy at, and the adviser who looks after them."""

from datetime import timedelta

import polars as pl

from tasks.transforms.traits.ground import Ground


def find_home(ground: Ground) -> pl.LazyFrame:
    """One row per customer with a qualifying order in the window: preferred_channel and home_store.

    Most orders go first, then the larger net spend, then the first name. A home store is a shop of a channel that
    the policy lists among the tills, printed `channel:shop`; null for who bought at none.
    """
    first = ground.as_of - timedelta(days=ground.policy.rfm.window_days)
    shops = (
        ground.orders.filter("is_qualifying", pl.col("paid_on") > first)
        .group_by("one_id", "channel", "shop_id")
        .agg(orders=pl.len(), fen=pl.col("net_fen").sum())
    )
    channels = shops.group_by("one_id", "channel").agg(pl.col("orders", "fen").sum())
    tills = shops.filter(pl.col("channel").is_in(ground.policy.habits.tills))
    store = pl.format("{}:{}", "channel", "shop_id")
    return _first(channels, pl.col("channel"), "preferred_channel").join(
        _first(tills, store, "home_store"), on="one_id", how="left"
    )


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
