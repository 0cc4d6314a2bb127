"""Which phone, push token or e-mail reaches which customer. Whether it may be used is consent.py's question."""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from tasks.transforms.held import tight
from tasks.transforms.identity import with_owner
from tasks.transforms.recycled import closings

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
    is_contact = pl.col("key_type").is_in(list(types))
    seen = sightings.filter(pl.col("known_from") <= known, pl.col("seen_at") < seen_before)
    seen = seen.select("record", "key", "key_type", "seen_at", is_own=is_own)
    keys = identities.filter(pl.any_horizontal(pl.col("key").str.starts_with(f"{kind}:") for kind in types))
    contacts = seen.filter(is_contact).pipe(_with_owners, keys).pipe(_usable)
    theirs = contacts.filter(pl.col("one_id").is_not_null()).with_columns(is_theirs=True)
    several = seen.pipe(_of_several, identities).lazy()
    near = identities.select("key", "one_id", "key_class", "valid_from", "valid_to")
    near = tight(near.join(several.select("key").unique(), on="key", how="semi")).lazy()
    told = several.pipe(_with_owners, near)
    others = told.filter(is_contact).pipe(_usable).pipe(_of_the_record, told)
    return (
        pl.concat([rows.select(*_POINT, "is_theirs") for rows in (theirs, others)])
        .group_by("one_id", "contact_type", "contact_key")
        .agg(pl.col("is_own", "is_theirs").any(), last_seen_at=pl.col("seen_at").max())
    )


def _with_owners(seen: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Sightings with the owner of their key then; keys are long, and where there are many nothing of them is held.

    Returns:
        the columns of `seen`, one_id, rank (false before true: the strongest), is_loose (the key is nobody's ever),
        is_present (it has not changed hands since).
    """
    ranked = identities.with_columns(rank=pl.col("key_class") != "strong")
    owned = seen.pipe(with_owner, ranked, key="key", at="seen_at", more=["rank"])
    closed = owned.join(closings(identities), on="key", how="left")
    never = pl.col("one_id").is_null() & pl.col("closed_at").is_null()
    since = pl.col("closed_at").is_null() | (pl.col("seen_at") >= pl.col("closed_at"))
    return closed.with_columns(is_loose=never, is_present=since & ~never).drop("closed_at")


def _usable(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """Sightings of contacts that are nobody's key, or still that of the owner: contact_type and contact_key."""
    usable = contacts.filter(pl.col("is_loose") | pl.col("is_present"))
    return usable.rename({"key_type": "contact_type", "key": "contact_key"})


def _of_the_record(contacts: pl.LazyFrame, told: pl.LazyFrame) -> pl.LazyFrame:
    """Contacts under whoever their record is about, the owner of its strongest key, unless they are that one's own."""
    of_people = (
        told.filter(pl.col("one_id").is_not_null())
        .filter(pl.col("rank") == pl.col("rank").min().over("record"))
        .select("record", about="one_id")
        .unique()
    )
    others = contacts.join(of_people, on="record").filter(pl.col("one_id").ne_missing(pl.col("about")))
    return others.with_columns(one_id="about", is_theirs="is_loose")


def _of_several(seen: pl.LazyFrame, identities: pl.LazyFrame) -> pl.DataFrame:
    """Sightings on records whose keys have not all one owner, which are few; one that shares a hash may slip in.

    Hashes of records, keys and owners stand for the texts: a third of the memory, and twice as fast. Pseudonyms and ids
    are digests of 64 bits themselves, so that no less is known of them.
    """
    placed = seen.select(pl.col("key").hash(), "seen_at", place=pl.col("record").hash())
    numbered = identities.with_columns(pl.col("key", "one_id").hash())
    owner = pl.col("one_id").fill_null(0)
    owners = placed.pipe(with_owner, numbered, key="key", at="seen_at")
    places = owners.group_by("place").agg(least=owner.min(), most=owner.max())
    several = places.filter(pl.col("least") != pl.col("most")).select("place").collect(engine="streaming").lazy()
    return tight(seen.with_columns(place=pl.col("record").hash()).join(several, on="place", how="semi").drop("place"))


def preferred_contacts(points: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer and contact type: of their own contacts the one seen last, ties by key."""
    newest = pl.col("contact_key").sort_by(["last_seen_at", "contact_key"], descending=[True, False]).first()
    return points.filter("is_theirs").group_by("one_id", "contact_type").agg(newest)


def keys_of_people(identities: pl.LazyFrame, points: pl.LazyFrame) -> pl.LazyFrame:
    """Customers and their keys of any sort: what a consent or an old message may name them by.

    A contact that is a key of theirs may come twice: whoever asks would pay more for once.
    """
    contacts = points.select("one_id", key="contact_key")
    return pl.concat([identities.select("one_id", "key"), contacts])
