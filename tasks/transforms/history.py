"""What earlier campaigns did with customers, as columns that conditions read (`history.yaml`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

import polars as pl

from tasks.policy.history import History
from tasks.transforms.caps import ledger

_HAPPENED = pl.Schema({"one_id": pl.String, "what": pl.String, "day": pl.Date})


@dataclass(frozen=True)
class Messages:
    """What is known of messages and orders, all of it under the ids of the customers that are asked about."""

    touches: pl.LazyFrame
    """The ledger table, as known."""
    orders: pl.LazyFrame
    """orders.owned_orders, as known."""
    zone: str
    """Business zone: a receipt happened on the day that it was there."""
    unread: frozenset[str] = frozenset()
    """Codes of campaigns that tell nobody: they are no messages, and count only for an entry that names them."""


def add_history(people: pl.LazyFrame, entries: Iterable[History], messages: Messages, send_on: date) -> pl.LazyFrame:
    """People (one_id, …) as given with two columns for each entry: how often, 0 for never, and days since the last.

    What happened on `send_on` or later is not looked at. Messages count by their send: two receipts of one message
    are one. A message that was cancelled counts only if a vendor reported something of it all the same. What tells
    nobody (tags kept in step) is no message.
    """
    entries = tuple(entries)
    if not entries:
        return people
    named = _with_persons(messages.touches)
    sent = ledger(named, named.select(key="recipient_key", one_id="one_id").limit(0))
    told = (_happened(entry, named, sent, messages, send_on) for entry in entries)
    counted = [(entry, _counted(entry, rows, send_on)) for entry, rows in zip(entries, told, strict=True)]
    joined = reduce(lambda so_far, one: so_far.join(one[1], on="one_id", how="left"), counted, people)
    return joined.with_columns(pl.col(entry.columns[0]).fill_null(0) for entry in entries)


def _with_persons(touches: pl.LazyFrame) -> pl.LazyFrame:
    """Touches as given; a receipt that names a contact alone is that of whom its message was meant for."""
    meant = touches.drop_nulls("one_id").select("send_id", "recipient_key", _meant="one_id")
    meant = meant.group_by("send_id", "recipient_key").agg(pl.col("_meant").min())
    both = touches.join(meant, on=["send_id", "recipient_key"], how="left")
    return both.with_columns(one_id=pl.coalesce("one_id", "_meant")).drop("_meant")


def _happened(
    entry: History, touches: pl.LazyFrame, sent: pl.LazyFrame, messages: Messages, send_on: date
) -> pl.LazyFrame:
    """One row per thing that happened: one_id, what (its number), day."""
    silent = [code for code in messages.unread if code not in entry.campaigns]
    is_meant = pl.col("campaign").str.contains(entry.campaigns) & ~pl.col("campaign").is_in(silent)
    match entry.kind:
        case "planned":
            return sent.filter(is_meant).select("one_id", what="send_id", day="send_on")
        case "handed_over":
            return sent.filter(is_meant, "is_handed_over").select("one_id", what="send_id", day="send_on")
        case "bought":
            reached = sent.filter(is_meant, "is_handed_over").select("one_id", day="send_on")
            return _bought(reached.pipe(_within, entry, send_on), messages.orders)
        case _:
            day = pl.col("happened_at").dt.convert_time_zone(messages.zone).dt.date()
            return touches.filter(is_meant, pl.col("kind") == entry.kind).select("one_id", what="send_id", day=day)


def _bought(reached: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """The orders of whom a message reached (one_id, day), paid on the day of the first such message or later."""
    first = reached.group_by("one_id").agg(first=pl.col("day").min())
    after = orders.join(first, on="one_id").filter(pl.col("paid_on") >= pl.col("first"))
    return after.select("one_id", what=pl.concat_str("channel", "shop_id", "order_id", separator="\x1f"), day="paid_on")


def _within(happened: pl.LazyFrame, entry: History, send_on: date) -> pl.LazyFrame:
    """What happened in the entry's days before the send."""
    return happened.filter(pl.col("day").is_between(send_on - timedelta(days=entry.days), send_on, closed="left"))


def _counted(entry: History, happened: pl.LazyFrame, send_on: date) -> pl.LazyFrame:
    """One row per customer of whom anything is told: one_id and the two columns."""
    count, days = entry.columns
    since = (pl.lit(send_on) - pl.col("day").max()).dt.total_days()
    within = happened.cast(_HAPPENED).pipe(_within, entry, send_on).drop_nulls("one_id")
    return within.group_by("one_id").agg(
        pl.col("what").n_unique().cast(pl.Int64).alias(count), since.cast(pl.Int64).alias(days)
    )
