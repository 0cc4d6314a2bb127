"""Tags of advisers' contacts in WeCom, kept in step with ours: what to add, what to remove, and nothing else.

A contact is one adviser and one customer; WeCom keeps tags by contact. Only what we set is ever removed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from expectations.vocabulary import INSTANT
from tasks.errors import BadPolicyError
from tasks.policy.campaigns import TAG_NAME_MOST
from tasks.transforms.identity import with_owner

TAGS_MOST: Final = 3000
"""Tags of one contact."""
PAIR: Final = ("userid", "external_userid")
OF_NEWEST: Final = ("tags_to_add", "tags_to_remove")
OF_CONTACTS: Final = ("contacts_to_tag", "contact_tags_to_add", "contact_tags_to_remove")
NO_CONTACTS: Final = pl.LazyFrame(schema={"one_id": pl.String, "userid": pl.String, "known_from": INSTANT})
_SHOWN: Final = 8
"""Tags that a message lists before it says that there are more."""


def tags_that_hold(people: pl.LazyFrame, columns: Sequence[str]) -> pl.LazyFrame:
    """One row per customer and tag of theirs, for the columns that the campaign names: one_id, tag.

    A column of yes or no is a tag by its own name where it says yes; any other is `<column>_<value>`. What is not known
    is no tag. A name has at most 30 characters, no comma and no semicolon: what is longer is cut, and two cut to one
    are one tag.
    """
    schema = people.collect_schema()
    told = (people.select("one_id", tag=_name(column, schema[column])) for column in columns)
    nothing = people.select("one_id", tag=pl.lit(None, pl.String)).limit(0)
    return pl.concat([nothing, *told]).drop_nulls().unique()


def _name(column: str, dtype: pl.DataType) -> pl.Expr:
    yes = pl.when(pl.col(column)).then(pl.lit(column)).otherwise(None)
    value = pl.concat_str(pl.lit(f"{column}_"), pl.col(column).cast(pl.String))
    return (
        (yes if dtype == pl.Boolean() else value).str.replace_many([",", ";"], ["，", "；"]).str.slice(0, TAG_NAME_MOST)
    )


def tags_of_contacts(tags: pl.LazyFrame, contacts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per contact and tag: userid, external_userid, tag; of more than a contact holds, the first by name.

    `contacts` has userid, external_userid and the customer's one_id; several advisers may follow one customer.
    """
    on = contacts.drop_nulls(PAIR).unique([*PAIR, "one_id"]).join(tags, on="one_id").select(*PAIR, "tag").unique()
    return on.filter(pl.col("tag").rank("ordinal").over(PAIR) <= TAGS_MOST)


def tag_changes(before: pl.LazyFrame, now: pl.LazyFrame) -> pl.LazyFrame:
    """One row per contact with something to change, in order: userid, external_userid, add_tag, remove_tag (lists).

    `before` and `now` are `tags_of_contacts`: what we set then, and what shall stand.
    """
    on = [*PAIR, "tag"]
    added = now.join(before, on=on, how="anti").with_columns(is_new=pl.lit(value=True))
    removed = before.join(now, on=on, how="anti").with_columns(is_new=pl.lit(value=False))
    tag, is_new = pl.col("tag"), pl.col("is_new")
    changes = pl.concat([added.select(*on, "is_new"), removed.select(*on, "is_new")])
    lists = changes.group_by(PAIR).agg(add_tag=tag.filter(is_new).sort(), remove_tag=tag.filter(~is_new).sort())
    return lists.sort(PAIR)


@dataclass(frozen=True)
class Contacts:
    """Whom advisers follow, and what our tags are called there."""

    known: pl.LazyFrame
    """adviser_contacts."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Name of a tag to its id in WeCom; empty: names are told."""


def adviser_contacts(follows: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per adviser and customer whom they follow, and since when we know it; `follows` in all versions.

    A contact is of whoever had the customer's key when it was made. WeCom's list tells nothing of contacts that ended.

    Returns:
        one_id, userid, known_from.
    """
    owned = follows.pipe(with_owner, identities, key="customer_key", at="followed_at").drop_nulls("one_id")
    return owned.group_by("one_id", userid="adviser_id").agg(pl.col("known_from").min())


def changes_by_customer(
    base: pl.LazyFrame, synced: pl.LazyFrame | None, columns: Sequence[str], contacts: Contacts
) -> pl.LazyFrame:
    """One row per customer of the base: what to change on their contacts, as text; empty where nothing changes.

    A new adviser's contact has none of our tags yet and gets them all.

    Args:
        base: customers with `adviser_id` and the named columns.
        synced: the same people as they were when tags were last handed over for them, with `handed_at`; who is not
            in it has none.
        columns: what `tag_sync` names.
        contacts: those of all advisers, and the ids of tags.

    Returns:
        one_id; `contacts_to_tag`: userids with semicolons; `contact_tags_to_add` and `contact_tags_to_remove`: for
        each of them in that order the tags with commas; `tags_to_add` and `tags_to_remove`: those of the adviser who
        followed last.

    Raises:
        BadPolicyError: ids are given, and a tag that holds, or that we set, has none.
    """
    if not columns:
        return base.select("one_id", *(pl.lit("").alias(name) for name in (*OF_CONTACTS, *OF_NEWEST)))
    then = base.limit(0).with_columns(handed_at=pl.lit(None, INSTANT)) if synced is None else synced
    before, now = (_with_ids(tags_that_hold(people, columns), contacts.ids) for people in (then, base))
    newest = (base.select("one_id", userid="adviser_id"), then.select("one_id", userid="adviser_id"))
    own = _changes(newest, before, now).select("one_id", "userid", tags_to_add="add_tag", tags_to_remove="remove_tag")
    all_of = (contacts.known.select("one_id", "userid"), _known_then(contacts.known, then))
    each = _changes(all_of, before, now).group_by("one_id").agg(
        pl.col(name).sort_by("userid").str.join(";").alias(told)
        for told, name in zip(OF_CONTACTS, ("userid", "add_tag", "remove_tag"), strict=True)
    )  # fmt: skip
    people = base.select("one_id", userid="adviser_id").join(own, on=["one_id", "userid"], how="left").drop("userid")
    told = people.join(each, on="one_id", how="left")
    return told.with_columns(pl.col(*OF_CONTACTS, *OF_NEWEST).fill_null(""))


def _known_then(known: pl.LazyFrame, then: pl.LazyFrame) -> pl.LazyFrame:
    """Those contacts of which we knew when tags were last handed over for their customer."""
    met = known.join(then.select("one_id", "handed_at"), on="one_id")
    return met.filter(pl.col("known_from") <= pl.col("handed_at")).select("one_id", "userid")


def _changes(contacts: tuple[pl.LazyFrame, pl.LazyFrame], before: pl.LazyFrame, now: pl.LazyFrame) -> pl.LazyFrame:
    """One row per contact (now and then: one_id, userid) with something to change; tags with commas."""
    standing, stood = (rows.with_columns(external_userid="one_id") for rows in contacts)
    changed = tag_changes(tags_of_contacts(before, stood), tags_of_contacts(now, standing))
    mine = changed.rename({"external_userid": "one_id"}).join(contacts[0], on=["one_id", "userid"], how="semi")
    return mine.with_columns(pl.col("add_tag", "remove_tag").list.join(","))


def _with_ids(tags: pl.LazyFrame, ids: Mapping[str, str]) -> pl.LazyFrame:
    """Tags under their ids, where there are any."""
    if not ids:
        return tags
    named = tags.collect()
    lacking = sorted({*named["tag"].unique()} - ids.keys())
    if lacking:
        raise BadPolicyError(
            f"tag_ids has no id of {', '.join(lacking[:_SHOWN])}{' and more' if len(lacking) > _SHOWN else ''}",
            expected="an id for each tag that holds, or that an earlier send set",
            next_step="make the tag in WeCom's console and write its id into tag_ids of the campaign",
        )
    return named.lazy().with_columns(pl.col("tag").replace_strict(dict(ids), return_dtype=pl.String))


def last_handed(touches: pl.LazyFrame, campaigns: Collection[str], before: date) -> pl.LazyFrame:
    """One row per person for whom one of the campaigns handed something over and did not take it back: the newest day.

    Sends of the day itself do not count: who looks again on that day sees the same.

    Returns:
        one_id, send_on, handed_at.
    """
    kind, at = pl.col("kind"), pl.col("happened_at")
    own = touches.filter(pl.col("campaign").is_in(list(campaigns)), pl.col("send_on") < before)
    known = own.drop_nulls("one_id").group_by("send_id", "send_on", "one_id").agg(
        handed=at.filter(kind == "handed_over").max(), off=at.filter(kind == "cancelled").max()
    )  # fmt: skip
    stands = pl.col("handed").is_not_null() & (pl.col("off") < pl.col("handed")).fill_null(value=True)
    newest = pl.col("handed").sort_by("send_on").last()
    return known.filter(stands).group_by("one_id").agg(pl.col("send_on").max(), handed_at=newest)
