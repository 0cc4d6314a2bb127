"""Which phone, push token or e-mail reaches which customer. Whether it may be used is consent.py's question."""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from tasks.transforms.identity import with_owner
from tasks.transforms.recycled import since_closing

CONTACT_TYPES = ("phone", "push_token", "email")
_POINT = ("one_id", "contact_type", "contact_key", "seen_at", "is_own")


def contact_points(
    sightings: pl.LazyFrame,
    identities: pl.LazyFrame,
    *,
    known: datetime,
    seen_before: datetime,
    marketplaces: Collection[str] = (),
    types: Collection[str] = CONTACT_TYPES,
) -> pl.LazyFrame:
    """One row per customer and contact key, with the last time that the contact was seen as theirs.

    Seen before `seen_before` (exclusive) and known at `known` (inclusive). A phone or e-mail that is a key of a
    customer is theirs alone, whoever else stands beside it on a record, and only since it last changed hands. Any
    other contact (of a hub, typed by staff, a push token) belongs to whoever the record is about: one that was seen
    with two customers has a row for each, and it is allocation that lets only one of them have it. Whoever a record
    names beside somebody else's contact has a row too: no message is for them there, but they may read it, so that
    their no is heard. `types` are the kinds of contact that count: a vendor may know people by an id of theirs.

    Returns:
        one_id, contact_type, contact_key, last_seen_at, is_own (seen together outside of `marketplaces` too),
        is_theirs (false: somebody else's, on a record of theirs).
    """
    is_own = ~pl.col("channel").is_in(list(marketplaces)).fill_null(value=False)
    seen = sightings.filter(pl.col("known_from") <= known, pl.col("seen_at") < seen_before)
    contacts = seen.filter(pl.col("key_type").is_in(list(types))).with_columns(is_own=is_own)
    keys = identities.select("key").unique()
    owned, loose = (contacts.join(keys, on="key", how=how) for how in ("semi", "anti"))
    theirs = pl.concat([_of_their_owner(owned, identities), _of_the_record(loose, seen, identities)])
    present = owned.pipe(since_closing, identities, key="key", at="seen_at")
    beside = _of_the_record(present, seen, identities)
    return (
        pl.concat([theirs.with_columns(is_theirs=True), beside.with_columns(is_theirs=False)])
        .group_by("one_id", "contact_type", "contact_key")
        .agg(pl.col("is_own", "is_theirs").any(), last_seen_at=pl.col("seen_at").max())
    )


def _of_their_owner(contacts: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Contacts that are keys of a customer, under the present owner."""
    present = contacts.pipe(since_closing, identities, key="key", at="seen_at")
    owned = present.pipe(with_owner, identities, key="key", at="seen_at").drop_nulls("one_id")
    return owned.rename({"key_type": "contact_type", "key": "contact_key"}).select(_POINT)


def _of_the_record(contacts: pl.LazyFrame, seen: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Contacts that nobody owns, under whoever their record is about: the owner of its strongest key."""
    classes = identities.select("key", rank=pl.col("key_class") != "strong").unique("key")
    of_people = (
        seen.join(contacts, on="record", how="semi")
        .join(classes, on="key")
        .pipe(with_owner, identities, key="key", at="seen_at")
        .drop_nulls("one_id")
        .filter(pl.col("rank") == pl.col("rank").min().over("record"))
        .select("record", "one_id")
        .unique()
    )
    return (
        contacts.select("record", "seen_at", "is_own", contact_type="key_type", contact_key="key")
        .join(of_people, on="record")
        .select(_POINT)
    )


def preferred_contacts(points: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer and contact type: of their own contacts the one seen last, ties by key."""
    newest = pl.col("contact_key").sort_by(["last_seen_at", "contact_key"], descending=[True, False]).first()
    return points.filter("is_theirs").group_by("one_id", "contact_type").agg(newest)


def keys_of_people(identities: pl.LazyFrame, points: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer and key of any sort: what a consent or an old message may name them by."""
    contacts = points.select("one_id", key="contact_key")
    return pl.concat([identities.select("one_id", "key"), contacts]).unique()
