"""The wallet by category: how much of it the preferred one takes, which comes second, and how many there are."""

import polars as pl

from tasks.transforms.traits.baskets import Baskets, by_category, named

_DIGITS = 4


def share_wallet(baskets: Baskets) -> pl.LazyFrame:
    """One row per customer with categorised spend in the window.

    `categories` is how many they bought from, `category_share` the preferred category's part of their categorised
    net spend, `second_category` the next one. The larger spend goes first, then the first name in byte order, as
    for customers.preferred_category.
    """
    ranked = by_category(baskets).sort("one_id", "spend_fen", "category", descending=[False, True, False])
    wallets = ranked.group_by("one_id", maintain_order=True).agg(
        categories=pl.len().cast(pl.Int64),
        _first_fen=pl.col("spend_fen").first(),
        _all_fen=pl.col("spend_fen").sum(),
        _second=pl.col("category").get(1, null_on_oob=True),
    )
    shares = wallets.with_columns(category_share=(pl.col("_first_fen") / pl.col("_all_fen")).round(_DIGITS))
    return named(shares, baskets.categories, "_second", "second_category").drop("_first_fen", "_all_fen")
