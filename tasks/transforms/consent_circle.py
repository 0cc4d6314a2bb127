"""Whose words decide about one customer: their keys, their contacts, and everybody who shares a contact with them."""

import polars as pl

from tasks.transforms.consent_ledger import Circle
from tasks.transforms.contact_points import CONTACT_TYPES, keys_of_people, preferred_contacts

CONTACT_OF = {"sms": "phone", "phone": "phone", "push": "push_token", "email": "email"}
"""Touch channel to the type of contact that its messages go to."""


def circle_of(one_id: str, identities: pl.LazyFrame, points: pl.LazyFrame) -> Circle:
    """The circle of a customer, from identities (key, one_id) and `contact_points` of everybody."""
    mine = points.filter(pl.col("one_id") == one_id).collect()
    near = points.join(mine.lazy().select("contact_key").unique(), on="contact_key", how="semi")
    keys = keys_of_people(identities, points).join(near.select("one_id").unique(), on="one_id", how="semi")
    own = identities.filter(pl.col("one_id") == one_id).select("key").collect()["key"]
    return Circle(
        keys=frozenset(key for key in own if key.partition(":")[0] not in CONTACT_TYPES),
        contacts=dict(mine.select("contact_key", "is_own").iter_rows()) | _own_contacts(own.to_list(), mine),
        used=_used(mine),
        sharers=_sharers(one_id, near, keys),
    )


def _own_contacts(keys: list[str], mine: pl.DataFrame) -> dict[str, bool]:
    """Contacts that are keys of the person and were seen on no record that counts: nothing may go there."""
    known = set(mine["contact_key"])
    return {key: False for key in keys if key.partition(":")[0] in CONTACT_TYPES and key not in known}


def _used(mine: pl.DataFrame) -> dict[str, str]:
    preferred = dict(preferred_contacts(mine.lazy()).select("contact_type", "contact_key").collect().iter_rows())
    return {channel: preferred[kind] for channel, kind in CONTACT_OF.items() if kind in preferred}


def _sharers(one_id: str, near: pl.LazyFrame, keys: pl.LazyFrame) -> dict[str, frozenset[str]]:
    others = near.filter(pl.col("one_id") != one_id).select("one_id", "contact_key").unique()
    said_by = others.join(keys, on="one_id").group_by("contact_key").agg(pl.col("key").unique()).collect()
    return {contact: frozenset(theirs) for contact, theirs in said_by.iter_rows()}


def circle_of_key(key: str) -> Circle:
    """The circle of a key that belongs to nobody yet: its own words alone."""
    kind = key.partition(":")[0]
    if kind not in CONTACT_TYPES:
        return Circle(keys=frozenset({key}))
    return Circle(contacts={key: True}, used={channel: key for channel, of in CONTACT_OF.items() if of == kind})
