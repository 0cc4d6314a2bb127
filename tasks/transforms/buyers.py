"""Whose order is it, when the key it came with is a clerk's phone or an office's e-mail?"""

import polars as pl

from tasks.transforms.identity import with_owner

_SHARED = r"^(?:phone|email):"
_ORDER = ("channel", "shop_id", "order_id")


def with_next_key(orders: pl.LazyFrame, sightings: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per order as given; a buyer's phone or e-mail that is nobody's gives way to the next key of the record.

    The next key is the record's strongest that belonged to somebody then: by class, then by evidence, then by key.
    An order without one stays as it is, which is anonymous: money without a customer.
    """
    keys = identities.select("key")
    lost = orders.filter(pl.col("buyer_key").str.contains(_SHARED)).join(
        keys, left_on="buyer_key", right_on="key", how="anti"
    )
    if lost.limit(1).collect().is_empty():
        return orders
    others = _others(lost, sightings, identities)
    known = orders.join(others, on=list(_ORDER), how="left", maintain_order="left")
    return known.with_columns(buyer_key=pl.coalesce("next_key", "buyer_key")).drop("next_key")


def _others(lost: pl.LazyFrame, sightings: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per order with another key that names somebody: _ORDER, next_key."""
    named = lost.select(*_ORDER, record=pl.format("order:{}:{}:{}", *_ORDER)).unique()
    classes = identities.select("key", is_weaker=pl.col("key_class") != "strong").unique("key")
    owned = (
        sightings.filter(pl.col("key_role") == "identity")
        .select("record", "key", "seen_at", "evidence_rank")
        .join(named, on="record")
        .join(classes, on="key")
        .pipe(with_owner, identities, key="key", at="seen_at")
        .drop_nulls("one_id")
    )
    strongest = owned.sort("is_weaker", "evidence_rank", "key").unique(list(_ORDER), keep="first", maintain_order=True)
    return strongest.select(*_ORDER, next_key="key")
