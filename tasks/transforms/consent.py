"""Who said yes, who said no, and to what. Unknown means no; of two words of one instant, no wins.

The rules are told in docs/consent.md. A yes is narrow: exactly this channel and purpose, by the contact itself or by a
key of the person that is no contact, in a record of the brand's own. A no is wide: by any key of the person, or of
anyone who shares the contact, wherever it was heard.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.profiling import is_profiling
from tasks.policy.vendors import Vendor

CONTACT_KEYS = ("phone", "push_token", "email")
NOES = ("withdrawn_at", "suppressed_at", "separate_no_at", "profiling_no_at")
"""What somebody may have said no to, each with the earliest instant that stands."""
_SUBJECT = ("subject", "touch_channel", "purpose")
_IS_NO = pl.col("decision") == "withdrawn"
_IS_YES = pl.col("decision") == "granted"
_IS_DEAD = pl.col("decision") == "unreachable"
_DAY = "%Y-%m-%d"


@dataclass(frozen=True)
class Question:
    """What must be allowed before a message goes out."""

    touch_channel: str
    purpose: str
    is_third_party: bool = False
    """The contact goes to another processor (PIPL art. 23): a separate yes is needed."""
    is_profiling: bool = False
    """The people were chosen by scores or tags (art. 24): a no to that is heard."""

    @property
    def purposes(self) -> list[str]:
        """The purposes whose words matter."""
        extra = {"third_party": self.is_third_party, "profiling": self.is_profiling}
        return [self.purpose, "*", *(purpose for purpose, is_asked in extra.items() if is_asked)]


def question_of(campaign: Campaign, vendor: Vendor) -> Question:
    """What a campaign must ask of everyone whom it would reach."""
    return Question(
        campaign.touch_channel,
        campaign.purpose,
        is_third_party=vendor.role == "third_party",
        is_profiling=is_profiling(campaign),
    )


def heard(consents: pl.LazyFrame, *, known: datetime, marketplaces: Collection[str] = ()) -> pl.LazyFrame:
    """The rows that count at `known`: known then, and no yes out of a marketplace's file.

    A platform's customers said yes to the platform. Their noes are heard all the same.
    """
    is_known = (pl.col("known_from") <= known) & (pl.col("known_to").is_null() | (pl.col("known_to") > known))
    is_borrowed = _IS_YES & pl.col("channel").is_in(list(marketplaces)).fill_null(value=False)
    return consents.filter(is_known & ~is_borrowed)


def standing(
    consents: pl.LazyFrame,
    *,
    at: datetime,
    known: datetime,
    marketplaces: Collection[str] = (),
    hears_ahead: bool = False,
) -> pl.LazyFrame:
    """One row per subject, touch channel and purpose: the latest word at `at`, as known at `known`.

    The latest decided_at wins, of equal times a withdrawal. A withdrawal without a time holds from
    the beginning to `at`; a grant without a time is no grant. With `hears_ahead` a no that is dated after
    `at` (clocks differ) holds as if it were said now. A contact that was reported dead has a row
    `unreachable`, until it says yes itself at a later time.

    Returns:
        subject, touch_channel, purpose, decision, decided_at.
    """
    said_at = pl.col("decided_at").clip(upper_bound=at) if hears_ahead else pl.col("decided_at")
    decided_at = pl.when(_IS_YES).then("decided_at").otherwise(said_at.fill_null(at))
    rows = heard(consents, known=known, marketplaces=marketplaces).with_columns(decided_at=decided_at)
    told = rows.filter(pl.col("decided_at") <= at).select(*_SUBJECT, "decision", "decided_at")
    return pl.concat([_latest(told.filter(~_IS_DEAD)), _dead(told)])


def _latest(told: pl.LazyFrame) -> pl.LazyFrame:
    """One row per subject, channel and purpose: the later of the last yes and the last no, of equal times the no."""
    instants = {"yes_at": pl.when(_IS_YES).then("decided_at"), "no_at": pl.when(_IS_NO).then("decided_at")}
    last = told.with_columns(**instants).group_by(_SUBJECT).agg(pl.col("yes_at", "no_at").max())
    is_no = (pl.col("no_at") >= pl.col("yes_at")) | pl.col("yes_at").is_null()
    word = pl.when(is_no).then(pl.lit("withdrawn")).otherwise(pl.lit("granted"))
    return last.select(*_SUBJECT, decision=word, decided_at=pl.max_horizontal("yes_at", "no_at"))


def _dead(told: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dead contact and channel: the last report, where the contact has not said yes since."""
    alive = told.filter(_IS_YES).group_by("subject").agg(alive_at=pl.col("decided_at").max())
    reports = told.filter(_IS_DEAD).group_by(*_SUBJECT).agg(pl.col("decision").first(), pl.col("decided_at").max())
    is_still = pl.col("alive_at").is_null() | (pl.col("alive_at") <= pl.col("decided_at"))
    return reports.join(alive, on="subject", how="left").filter(is_still).drop("alive_at")


def verdicts(
    words: pl.LazyFrame, keys: pl.LazyFrame, points: pl.LazyFrame, contacts: pl.LazyFrame, question: Question
) -> pl.LazyFrame:
    """One row per customer with a contact: may this contact be used for this question?

    A no on *any* key of the customer outweighs every yes (strictest wins), and a no of one owner of a
    shared contact holds for all who share it: the message would reach them too. A withdrawal for
    purpose or channel `*` is suppression; only a later grant of the same `*` lifts it. A contact that was seen
    with the customer on marketplaces' records alone needs a yes of its own: the person's is not enough.

    Args:
        words: rows of `standing`.
        keys: one_id, key: every key of every customer.
        points: one_id, contact_key, is_own: every contact point of every customer.
        contacts: one_id, contact_key: the one that would be used.
        question: what is asked.

    Returns:
        one_id, is_granted, lacks_separate, is_own, the instants of NOES, unreachable_at (null: neither).
    """
    relevant = words.pipe(about, question)
    theirs = relevant.pipe(of_persons).rename({"subject": "key"}).join(keys, on="key")
    people = theirs.group_by("one_id").agg(_words(question)).collect(engine="streaming").lazy()  # asked twice
    borrowed = contacts.join(points.filter("is_own"), on=["one_id", "contact_key"], how="anti")
    return (
        contacts.join(people, on="one_id", how="left")
        .join(borrowed.select("one_id", is_own=pl.lit(value=False)), on="one_id", how="left")
        .join(_of_contacts(relevant, people, points, question), on="contact_key", how="left")
        .with_columns(pl.col("is_own").fill_null(value=True))
        .select(
            "one_id",
            "is_own",
            "unreachable_at",
            *(pl.min_horizontal(no, f"contact_{no}").alias(no) for no in NOES),
            is_granted=_has_yes("granted"),
            lacks_separate=~_has_yes("separate") if question.is_third_party else pl.lit(value=False),
        )
        .with_columns(lacks_separate=pl.col("lacks_separate") | pl.col("separate_no_at").is_not_null())
    )


def about(words: pl.LazyFrame, question: Question) -> pl.LazyFrame:
    """Of the rows of `standing` those that bear on a question."""
    return words.filter(
        pl.col("touch_channel").is_in([question.touch_channel, "*"]), pl.col("purpose").is_in(question.purposes)
    )


def of_persons(words: pl.LazyFrame) -> pl.LazyFrame:
    """Of the rows of `standing` those that count for every contact of a customer: a no, and the yes of no contact."""
    is_contact = pl.any_horizontal(pl.col("subject").str.starts_with(f"{kind}:") for kind in CONTACT_KEYS)
    return words.filter(_IS_NO | (_IS_YES & ~is_contact))


def _has_yes(name: str) -> pl.Expr:
    """The contact's own yes, or the person's for a contact that they gave to the brand."""
    by_person = pl.col(f"{name}_by_person").fill_null(value=False) & pl.col("is_own")
    return by_person | pl.col(f"{name}_by_contact").fill_null(value=False)


def _words(question: Question) -> list[pl.Expr]:
    """What all keys of one customer say together, of the rows of `of_persons`."""
    yes = {f"{name}_by_person": said.any() for name, said in _yeses(question).items()}
    return [*(expression.alias(name) for name, expression in yes.items()), *_noes(question)]


def _yeses(question: Question) -> dict[str, pl.Expr]:
    """A yes is for exactly this channel and purpose; a separate consent may be for all channels."""
    is_exact = (pl.col("touch_channel") == question.touch_channel) & (pl.col("purpose") == question.purpose)
    return {"granted": _IS_YES & is_exact, "separate": _IS_YES & (pl.col("purpose") == "third_party")}


def _noes(question: Question) -> list[pl.Expr]:
    """The earliest standing no of each kind."""
    purpose = pl.col("purpose")
    is_own = (pl.col("touch_channel") != "*") & (purpose == question.purpose)
    is_wide = (purpose == "*") | ((pl.col("touch_channel") == "*") & (purpose == question.purpose))
    kinds = (is_own, is_wide, purpose == "third_party", purpose == "profiling")
    return [
        pl.col("decided_at").filter(_IS_NO & kind).min().alias(name) for name, kind in zip(NOES, kinds, strict=True)
    ]


def _of_contacts(
    relevant: pl.LazyFrame, people: pl.LazyFrame, points: pl.LazyFrame, question: Question
) -> pl.LazyFrame:
    """One row per contact of which anything was said: its own yes, the earliest no of anyone seen with it, its death.

    Those who said no are few, so they alone are looked for among all the contacts.
    """
    yes = {f"{name}_by_contact": said.any() for name, said in _yeses(question).items()}
    own = relevant.group_by(contact_key="subject").agg(
        *_noes(question), unreachable_at=pl.col("decided_at").filter(_IS_DEAD).max(), **yes
    )
    is_no = pl.any_horizontal(pl.col(NOES).is_not_null())
    noes = [points.join(people.filter(is_no), on="one_id"), own.filter(is_no)]
    theirs = pl.concat([rows.select("contact_key", *NOES) for rows in noes])
    theirs = theirs.group_by("contact_key").agg(pl.col(NOES).min().name.prefix("contact_"))
    return own.drop(NOES).join(theirs, on="contact_key", how="full", coalesce=True)


def why_no_consent() -> pl.Expr:
    """Evidence for a customer without consent, from the columns of `verdicts`."""
    nothing = (
        pl.when(pl.col("is_own"))
        .then(pl.lit("no grant on record: unknown means no"))
        .otherwise(pl.lit("seen on marketplaces alone, and no consent of the brand's own on record"))
    )
    return _since("withdrawn on", "withdrawn_at").fill_null(nothing)


def why_suppressed() -> pl.Expr:
    """Evidence for a suppressed customer, from the columns of `verdicts`."""
    return _since("wants no messages since", "suppressed_at")


def why_no_separate() -> pl.Expr:
    """Evidence for a customer who may not be handed to a third party."""
    nothing = pl.lit("no separate consent on record for a third party")
    return _since("separate consent withdrawn on", "separate_no_at").fill_null(nothing)


def why_no_profiling() -> pl.Expr:
    """Evidence for a customer who must not be chosen by scores or tags."""
    return _since("wants no profiling since", "profiling_no_at")


def why_unreachable() -> pl.Expr:
    """Evidence for a contact that a vendor reported dead."""
    return _since("the contact was reported dead on", "unreachable_at")


def _since(words: str, column: str) -> pl.Expr:
    return pl.format(f"{words} {{}}", pl.col(column).dt.strftime(_DAY))
