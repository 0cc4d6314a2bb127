"""Tags of advisers' contacts in WeCom, kept in step with ours: what to add, what to remove, and nothing else.

A contact is one adviser and one customer; WeCom keeps tags by contact. Only what we set is ever removed.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import polars as pl

NAME_MOST: Final = 30
"""Characters of a tag's name."""
TAGS_MOST: Final = 3000
"""Tags of one contact."""
PAIR: Final = ("userid", "external_userid")


def tags_that_hold(people: pl.LazyFrame, columns: Sequence[str]) -> pl.LazyFrame:
    """One row per customer and tag of theirs, for the columns that the campaign names: one_id, tag.

    A column of yes or no is a tag by its own name where it says yes; any other is `<column>_<value>`. What is not known
    is no tag. A name has at most 30 characters and no comma: what is longer is cut, and two cut to one are one tag.
    """
    schema = people.collect_schema()
    told = (people.select("one_id", tag=_name(column, schema[column])) for column in columns)
    nothing = people.select("one_id", tag=pl.lit(None, pl.String)).limit(0)
    return pl.concat([nothing, *told]).drop_nulls().unique()


def _name(column: str, dtype: pl.DataType) -> pl.Expr:
    yes = pl.when(pl.col(column)).then(pl.lit(column)).otherwise(None)
    value = pl.concat_str(pl.lit(f"{column}_"), pl.col(column).cast(pl.String))
    return (yes if dtype == pl.Boolean() else value).str.replace_all(",", "，").str.slice(0, NAME_MOST)


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


def changes_by_customer(base: pl.LazyFrame, synced: pl.LazyFrame | None, columns: Sequence[str]) -> pl.LazyFrame:
    """One row per customer of the base: what to change on the contact of their adviser, as text with commas.

    A new adviser's contact has none of our tags yet and gets them all; a former adviser's keeps what it had.

    Args:
        base: customers with `adviser_id` and the named columns.
        synced: the same people as they were when tags were last handed over for them; who is not in it has none.
        columns: what `tag_sync` names.

    Returns:
        one_id, tags_to_add, tags_to_remove; empty where nothing changes and for whom no adviser follows.
    """
    if not columns:
        return base.select("one_id", tags_to_add=pl.lit(""), tags_to_remove=pl.lit(""))
    before, now = (_standing(rows, columns) for rows in (base.limit(0) if synced is None else synced, base))
    changed = tag_changes(before, now).select(
        "userid", one_id="external_userid", tags_to_add=pl.col("add_tag").list.join(","),
        tags_to_remove=pl.col("remove_tag").list.join(","),
    )  # fmt: skip
    own = base.select("one_id", userid="adviser_id").join(changed, on=["one_id", "userid"], how="left")
    return own.drop("userid").with_columns(pl.col("tags_to_add", "tags_to_remove").fill_null(""))


def _standing(people: pl.LazyFrame, columns: Sequence[str]) -> pl.LazyFrame:
    """The tags on the contacts of these customers' advisers; the customer stands for the contact's id."""
    contacts = people.select("one_id", userid="adviser_id", external_userid="one_id")
    return tags_of_contacts(tags_that_hold(people, columns), contacts)


def last_handed(touches: pl.LazyFrame, campaigns: Collection[str], before: date) -> pl.LazyFrame:
    """One row per person for whom one of the campaigns handed something over and did not take it back: the newest day.

    Sends of the day itself do not count: who looks again on that day sees the same.

    Returns:
        one_id, send_on.
    """
    kind, at = pl.col("kind"), pl.col("happened_at")
    own = touches.filter(pl.col("campaign").is_in(list(campaigns)), pl.col("send_on") < before)
    known = own.drop_nulls("one_id").group_by("send_id", "send_on", "one_id").agg(
        handed=at.filter(kind == "handed_over").max(), off=at.filter(kind == "cancelled").max()
    )  # fmt: skip
    stands = pl.col("handed").is_not_null() & (pl.col("off") < pl.col("handed")).fill_null(value=True)
    return known.filter(stands).group_by("one_id").agg(pl.col("send_on").max())
