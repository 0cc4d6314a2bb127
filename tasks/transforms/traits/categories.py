"""The wallet by category: how much of it the preferred one takes, which comes second, and how many there are."""

import polars as pl

from tasks.transforms.facts import first_of_most
from tasks.transforms.held import in_memory
from tasks.transforms.traits.baskets import Baskets, named

_DIGITS = 4


def share_wallet(baskets: Baskets) -> pl.LazyFrame:
    """One row per customer with categorised spend in the window.

    `categories` is how many they bought from, `category_share` the preferred category's part of their categorised
    net spend, `second_category` the next one. The larger spend goes first, then the first name in byte order, as
    for customers.preferred_category.
    """
    spend, names = baskets.spend, len(baskets.categories)
    firsts = spend.group_by("one_id").agg(
        categories=pl.len().cast(pl.Int64),
        _first_fen=pl.col("spend_fen").max(),
        _all_fen=pl.col("spend_fen").sum(),
        _first=first_of_most("category", names),
    )
    firsts = in_memory("first categories", firsts)
    others = spend.join(firsts.select("one_id", "_first"), on="one_id").filter(pl.col("category") != pl.col("_first"))
    seconds = others.group_by("one_id").agg(_second=first_of_most("category", names))
    shares = firsts.join(seconds, on="one_id", how="left").select(
        "one_id", "categories", "_second", category_share=(pl.col("_first_fen") / pl.col("_all_fen")).round(_DIGITS)
    )
    return named(shares, baskets.categories, "_second", "second_category")
