"""Who said yes, who said no, and to what. Unknown means no; of two words of one instant, no wins."""

from datetime import datetime

import polars as pl

_SUBJECT = ("subject", "touch_channel", "purpose")
_IS_NO = pl.col("decision") == "withdrawn"
_DAY = "%Y-%m-%d"


def standing(consents: pl.LazyFrame, *, at: datetime, known: datetime) -> pl.LazyFrame:
    """One row per subject, touch channel and purpose: the latest word at `at`, as known at `known`.

    The latest decided_at wins, of equal times a withdrawal. A withdrawal without a time holds from
    the beginning to `at`; a grant without a time is no grant.

    Returns:
        subject, touch_channel, purpose, decision, decided_at.
    """
    is_known = (pl.col("known_from") <= known) & (pl.col("known_to").is_null() | (pl.col("known_to") > known))
    decided_at = pl.when(_IS_NO).then(pl.col("decided_at").fill_null(at)).otherwise(pl.col("decided_at"))
    return (
        consents.filter(is_known)
        .with_columns(decided_at=decided_at)
        .filter(pl.col("decided_at") <= at)
        .group_by(_SUBJECT)
        .agg(pl.col("decision", "decided_at").sort_by(["decided_at", "decision"]).last())
    )  # "withdrawn" sorts after "granted", so it is the last of equal times


def verdicts(
    words: pl.LazyFrame, keys: pl.LazyFrame, points: pl.LazyFrame, contacts: pl.LazyFrame, *, channel: str, purpose: str
) -> pl.LazyFrame:
    """One row per customer with a contact: may this contact be used for this channel and purpose?

    A yes is a grant for exactly this channel and purpose, by the contact itself or by another key of
    the customer. A no on *any* key of the customer outweighs every yes (strictest wins), and a no of
    one owner of a shared contact holds for all who share it: the message would reach them too.
    A withdrawal for purpose or channel `*` is suppression; only a later grant of the same `*` lifts it.

    Args:
        words: rows of `standing`.
        keys: one_id, key: every key of every customer.
        points: one_id, contact_key: every contact point of every customer.
        contacts: one_id, contact_key: the one that would be used.
        channel: touch channel of the campaign.
        purpose: purpose of the campaign.

    Returns:
        one_id, is_granted, withdrawn_at, suppressed_at (null: neither).
    """
    relevant = words.filter(pl.col("touch_channel").is_in([channel, "*"]), pl.col("purpose").is_in([purpose, "*"]))
    people = relevant.rename({"subject": "key"}).join(keys, on="key").group_by("one_id").agg(_word_of_person())
    return (
        contacts.join(people, on="one_id", how="left")
        .join(_noes_of_contacts(people, points), on="contact_key", how="left")
        .join(_granted_contacts(relevant), on="contact_key", how="left")
        .select(
            "one_id",
            is_granted=pl.col("granted_by_person").fill_null(False) | pl.col("granted_by_contact").fill_null(False),
            withdrawn_at=pl.min_horizontal("withdrawn_at", "contact_withdrawn_at"),
            suppressed_at=pl.min_horizontal("suppressed_at", "contact_suppressed_at"),
        )
    )


def _word_of_person() -> list[pl.Expr]:
    """What all keys of one customer say together; a contact's own grant is for that contact alone."""
    is_wide = (pl.col("touch_channel") == "*") | (pl.col("purpose") == "*")
    by_contact = pl.col("key").str.extract(r"^([^:]*):").is_in(["phone", "push_token", "email"])
    said_at = pl.col("decided_at")
    return [
        (~_IS_NO & ~is_wide & ~by_contact).any().alias("granted_by_person"),
        said_at.filter(_IS_NO & ~is_wide).min().alias("withdrawn_at"),
        said_at.filter(_IS_NO & is_wide).min().alias("suppressed_at"),
    ]


def _noes_of_contacts(people: pl.LazyFrame, points: pl.LazyFrame) -> pl.LazyFrame:
    """One row per contact: the earliest no of anyone who was ever seen with it."""
    noes = people.filter(pl.col("withdrawn_at").is_not_null() | pl.col("suppressed_at").is_not_null())
    return (
        points.select("one_id", "contact_key")
        .join(noes, on="one_id")
        .group_by("contact_key")
        .agg(pl.col("withdrawn_at", "suppressed_at").min().name.prefix("contact_"))
    )


def _granted_contacts(relevant: pl.LazyFrame) -> pl.LazyFrame:
    """One row per key that granted exactly this channel and purpose for itself."""
    is_exact = (pl.col("touch_channel") != "*") & (pl.col("purpose") != "*")
    granted = relevant.filter(~_IS_NO & is_exact)
    return granted.select(contact_key="subject", granted_by_contact=pl.lit(True)).unique()


def why_no_consent() -> pl.Expr:
    """Evidence for a customer without consent, from the columns of `verdicts`."""
    withdrawn = pl.format("withdrawn on {}", pl.col("withdrawn_at").dt.strftime(_DAY))
    return withdrawn.fill_null("no grant on record: unknown means no")


def why_suppressed() -> pl.Expr:
    """Evidence for a suppressed customer, from the columns of `verdicts`."""
    return pl.format("wants no messages since {}", pl.col("suppressed_at").dt.strftime(_DAY))
