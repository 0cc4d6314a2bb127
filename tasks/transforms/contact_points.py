"""Which phone, push token or e-mail reaches which customer. Whether it may be used is consent.py's question."""

from collections.abc import Collection
from datetime import datetime

import polars as pl

CONTACT_TYPES = ("phone", "push_token", "email")


def contact_points(
    sightings: pl.LazyFrame,
    identities: pl.LazyFrame,
    *,
    known: datetime,
    seen_before: datetime,
    marketplaces: Collection[str] = (),
) -> pl.LazyFrame:
    """One row per customer and contact key, with the last time that the two were seen on one record.

    Seen before `seen_before` (exclusive) and known at `known` (inclusive). A contact that was seen
    with two customers has a row for each: it is allocation that lets only one of them have it.

    Returns:
        one_id, contact_type, contact_key, last_seen_at, is_own (seen together outside of `marketplaces` too).
    """
    is_own = ~pl.col("channel").is_in(list(marketplaces)).fill_null(value=False)
    seen = sightings.filter(pl.col("known_from") <= known, pl.col("seen_at") < seen_before)
    of_people = seen.join(identities.select("key", "one_id"), on="key").select("record", "one_id").unique()
    return (
        seen.filter(pl.col("key_type").is_in(CONTACT_TYPES))
        .select("record", "seen_at", is_own=is_own, contact_type="key_type", contact_key="key")
        .join(of_people, on="record")
        .group_by("one_id", "contact_type", "contact_key")
        .agg(last_seen_at=pl.col("seen_at").max(), is_own=pl.col("is_own").any())
    )


def preferred_contacts(points: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer and contact type: the contact seen last, ties by key."""
    newest = pl.col("contact_key").sort_by(["last_seen_at", "contact_key"], descending=[True, False]).first()
    return points.group_by("one_id", "contact_type").agg(newest)


def keys_of_people(identities: pl.LazyFrame, points: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer and key of any sort: what a consent or an old message may name them by."""
    contacts = points.select("one_id", key="contact_key")
    return pl.concat([identities.select("one_id", "key"), contacts]).unique()
