"""What files say of consent: answers beside other things, replies and receipts that close a contact, and lists of both.

A no must never be lost, a yes never be guessed: that decides whatever a file leaves open.
"""

import polars as pl

from expectations.rules import EARLIEST, LATEST
from expectations.vocabulary import INSTANT
from tasks.sources.layouts import ConsentRule
from tasks.sources.people import Naming, printed_key, pseudonym_in

CONTACT_IN_TEXT = r"\+?\d(?:[\s-]?\d){10,}|\+\d[\d\s-]{6,}\d|[^\s@;,]+@[^\s@;,]+"
"""Eleven digits and more, foreign numbers, addresses; a date has eight digits."""
MASK = "***"
_IS_YES = pl.col("decision") == "granted"
_IS_NO = pl.col("decision") == "withdrawn"
_IS_DEAD = pl.col("decision") == "unreachable"


def consents_said(frame: pl.DataFrame, naming: Naming, exported_at: pl.Expr) -> pl.DataFrame:
    """One row per answer to a consent question, one more for a later withdrawal, and one per contact reported dead.

    The subject is the contact's key. A withdrawal by someone whose contact cannot be read is
    kept on the person's key: it must not be lost, whereas such a grant allows nothing.

    An answer of which the file gives no time is a state at its export: a no holds from then on, a
    yes from the beginning, so that it never outweighs a dated no which the shop has not heard of.
    """
    rows = [part for rule in naming.layout.consents for part in _said(frame, rule, naming, exported_at)]
    return pl.concat(rows).drop_nulls("subject")


def _said(frame: pl.DataFrame, rule: ConsentRule, naming: Naming, exported_at: pl.Expr) -> list[pl.DataFrame]:
    undated = pl.when(_IS_YES).then(pl.lit(EARLIEST).cast(INSTANT)).otherwise(exported_at)
    answered = frame.drop_nulls(rule.column).with_columns(decision=rule.column)
    parts = [answered.with_columns(decided_at=pl.col(rule.at) if rule.at else undated)]
    if rule.withdrawn_at:
        left = frame.drop_nulls(rule.withdrawn_at)
        parts.append(left.with_columns(decision=pl.lit("withdrawn"), decided_at=rule.withdrawn_at))
    told = {
        **_about(rule),
        "subject": _subject(rule, naming),
        "evidence": pl.lit(f"{naming.layout.name}.{rule.column}"),
    }
    return [part.select("row_number", "decision", "decided_at", **told) for part in parts]


def _about(rule: ConsentRule) -> dict[str, pl.Expr]:
    """Channel and purpose of a word; a dead contact is dead for all of both."""
    told = {"touch_channel": rule.touch_channel, "purpose": rule.purpose}
    return {name: pl.when(_IS_DEAD).then(pl.lit("*")).otherwise(pl.lit(value)) for name, value in told.items()}


def _subject(rule: ConsentRule, naming: Naming) -> pl.Expr:
    key = next(k for k in naming.layout.keys if k.type == rule.key)
    contact = printed_key(key.type, naming.fill(key.scope), pseudonym_in(key, pl.col(key.column), naming))
    return pl.when(_IS_NO).then(pl.coalesce(contact, pl.col(str(naming.layout.person)))).otherwise(contact)


def dated(frame: pl.DataFrame, exported_at: pl.Expr) -> pl.DataFrame:
    """Rows of a list of consents: what has no time holds from the export on, but for a yes, which needs its own.

    Evidence stands in the lake in clear: numbers and addresses in it are masked.
    """
    said_at = pl.when(_IS_YES).then("decided_at").otherwise(pl.coalesce("decided_at", exported_at))
    return frame.with_columns(decided_at=said_at, evidence=pl.col("evidence").str.replace_all(CONTACT_IN_TEXT, MASK))


def noes(said: pl.DataFrame, exported_at: pl.Expr) -> pl.DataFrame:
    """The withdrawals and dead contacts among these words, as they are heard from rows that are refused.

    One without a time that can be believed holds from the export on; one that does not say for what, for everything.
    """
    is_plausible = pl.col("decided_at").is_between(EARLIEST, LATEST, closed="left")
    return said.filter(_IS_NO | _IS_DEAD).with_columns(
        pl.col("touch_channel", "purpose").fill_null("*"),
        decided_at=pl.when(is_plausible).then("decided_at").otherwise(exported_at),
    )


def with_unreadable_noes(frame: pl.DataFrame, naming: Naming, exported_at: pl.Expr) -> pl.DataFrame:
    """Rows as given, a withdrawal of which the time alone cannot be read being one at the export."""
    columns = sorted({rule.withdrawn_at for rule in naming.layout.consents if rule.withdrawn_at})
    broken = pl.col("broken_rules").list
    is_told = {name: broken.eval(pl.element().str.starts_with(f"{name}:")).list.any() for name in columns}
    return frame.with_columns(
        pl.when(told).then(exported_at).otherwise(name).alias(name) for name, told in is_told.items()
    )
