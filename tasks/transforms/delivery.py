"""From the plan of a send to what is handed over now: the last look at consent, the increment, the result."""

from typing import NamedTuple

import polars as pl

from tasks.transforms.consent import (
    Question,
    verdicts,
    why_no_consent,
    why_no_profiling,
    why_no_separate,
    why_suppressed,
    why_unreachable,
)
from tasks.transforms.freshness import why_bought_since
from tasks.transforms.held import tight

_NO_BUYERS = pl.LazyFrame(schema={"one_id": pl.String, "bought_on": pl.Date})


class Increment(NamedTuple):
    """One row per person in each frame (one_id, recipient_key), sorted by one_id."""

    added: pl.DataFrame
    recalled: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """True when nothing changes for the vendor: no revision is made."""
        return self.added.is_empty() and self.recalled.is_empty()


def recheck(
    members: pl.DataFrame,
    published: pl.DataFrame,
    question: Question,
    *,
    words: pl.LazyFrame,
    keys: pl.LazyFrame,
    points: pl.LazyFrame,
    bought: pl.LazyFrame | None = None,
) -> pl.DataFrame:
    """The members of one send with the newest knowledge: planned ones may drop out, nobody comes in.

    Args:
        members: audience_members rows of the send.
        published: one_id, recipient_key of whom the send has reached.
        question: what the campaign of the send must ask.
        words: `consent.standing` at the newest instant.
        keys: `contact_points.keys_of_people`.
        points: `contact_points.contact_points`.
        bought: `freshness.buyers_since`, where the campaign stops for whoever has bought.
    """
    buyers = (_NO_BUYERS if bought is None else bought).collect()
    planned = members.lazy().filter(pl.col("outcome") == "planned").select("one_id", contact_key="recipient_key")
    said = tight(verdicts(words, keys, points, planned, question))
    owners = published.select("recipient_key", owner="one_id").unique(subset="recipient_key")
    return (
        members.join(said, on="one_id", how="left")
        .join(buyers, on="one_id", how="left")
        .join(owners, on="recipient_key", how="left")
        .with_columns(news=_news(published))
        .with_columns(evidence=pl.coalesce(_evidence_of_news(), "evidence"), outcome=pl.coalesce("news", "outcome"))
        .select(members.columns)
        .sort("one_id")
    )


def _news(published: pl.DataFrame) -> pl.Expr:
    """Why a planned member gets nothing now; null where nothing came between. A dead number takes nothing back."""
    is_taken = (pl.col("owner") != pl.col("one_id")).fill_null(False)
    may_reach = pl.col("is_granted").fill_null(value=False)
    is_reached = pl.col("one_id").is_in(published["one_id"].implode())
    return _if_planned(
        pl.when(pl.col("unreachable_at").is_not_null() & ~is_reached).then(pl.lit("unreachable")),
        pl.when(pl.col("suppressed_at").is_not_null()).then(pl.lit("suppressed")),
        pl.when(~may_reach | pl.col("withdrawn_at").is_not_null()).then(pl.lit("withdrawn_since_plan")),
        pl.when(pl.col("lacks_separate")).then(pl.lit("no_separate_consent")),
        pl.when(pl.col("profiling_no_at").is_not_null()).then(pl.lit("no_profiling")),
        pl.when(pl.col("bought_on").is_not_null() & ~is_reached).then(pl.lit("bought_since")),  # nor a purchase
        pl.when(is_taken).then(pl.lit("duplicate_contact")),
    )


def _if_planned(*news: pl.Expr) -> pl.Expr:
    """The first of the news, for planned members alone."""
    return pl.when(pl.col("outcome") == "planned").then(pl.coalesce(*news))


def _evidence_of_news() -> pl.Expr:
    """What a change since the plan rests on."""
    return pl.coalesce(
        pl.when(pl.col("news") == "unreachable").then(why_unreachable()),
        pl.when(pl.col("news") == "suppressed").then(why_suppressed()),
        pl.when(pl.col("news") == "withdrawn_since_plan").then(why_no_consent()),
        pl.when(pl.col("news") == "no_separate_consent").then(why_no_separate()),
        pl.when(pl.col("news") == "no_profiling").then(why_no_profiling()),
        pl.when(pl.col("news") == "bought_since").then(why_bought_since()),
        pl.when(pl.col("news") == "duplicate_contact").then(pl.format("the contact is also that of {}", "owner")),
    )


def increment(published: pl.DataFrame, wanted: pl.DataFrame) -> Increment:
    """Who is new to the vendor and who is called back (algorithms §13): added = S - V, recalled = V - S.

    `published` (V) and `wanted` (S) hold one_id and recipient_key; a recall names the contact used then.
    """
    columns = ["one_id", "recipient_key"]
    added = wanted.join(published, on="one_id", how="anti").select(columns).sort("one_id")
    recalled = published.join(wanted, on="one_id", how="anti").select(columns).sort("one_id")
    return Increment(added, recalled)


def planned(members: pl.DataFrame) -> pl.DataFrame:
    """One row per person to be delivered (S): one_id, recipient_key."""
    return members.filter(pl.col("outcome").is_in(["planned", "delivered"])).select("one_id", "recipient_key")


def delivered(members: pl.DataFrame, reached: pl.DataFrame) -> pl.DataFrame:
    """The members of one send after publication: whoever was reached is delivered, with seq and contact.

    `reached` has one_id, recipient_key and seq of everyone in a published revision, less the recalled.
    """
    result = reached.select("one_id", used_key="recipient_key", used_seq="seq")
    is_reached = pl.col("used_seq").is_not_null() & pl.col("outcome").is_in(["planned", "delivered"])
    return (
        members.join(result, on="one_id", how="left")
        .with_columns(
            outcome=pl.when(is_reached).then(pl.lit("delivered")).otherwise("outcome"),
            recipient_key=pl.when(is_reached).then("used_key").otherwise("recipient_key"),
            seq=pl.when(is_reached).then("used_seq").otherwise("seq"),
        )
        .select(members.columns)
        .sort("one_id")
    )


def cancelled(members: pl.DataFrame) -> pl.DataFrame:
    """The members of one send after its cancellation: nobody is planned or delivered any more."""
    is_going = pl.col("outcome").is_in(["planned", "delivered"])
    return members.with_columns(
        outcome=pl.when(is_going).then(pl.lit("cancelled")).otherwise("outcome"),
        seq=pl.when(~is_going).then("seq"),
    )
