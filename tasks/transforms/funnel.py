"""What became of each send, as vendors report it: from planned to bought, each message counted once.

Receipts come late, twice, out of order and for seed numbers; what counts is the furthest that a message of ours came.
"""

from datetime import timedelta

import polars as pl

from tasks.transforms.lineage import follow

REPLY_DAYS = 3
"""A reply that names no message answers the newest one of its channel of so many days."""
BOUGHT_DAYS = 7
"""Orders paid within so many days, that of the send included, count as bought after it."""
STEPS = ("planned", "handed_over", "recalled", "accepted", "delivered", "failed", "clicked", "replied", "bought")
WAITING = "waiting"
"""Handed over, and a colleague has still to confirm it: no step, but what stands before the next one."""
_TOLD = ("accepted", "delivered", "failed", "clicked", "replied")
_SEND = ("send_id", "campaign", "vendor", "touch_channel", "send_on")
_MESSAGE = ("send_id", "recipient_key")
_OF_MESSAGE = ("recipient_key", "one_id", "planned", "handed_over", "recalled")


def funnel(touches: pl.LazyFrame, orders: pl.LazyFrame, names: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """One row per send: messages that came as far as each step of STEPS, and those waiting, by send_on and send_id.

    A click is a delivery, a delivery was accepted, and only what failed and was never delivered failed; what waits has
    come no further. What a vendor reports of somebody who was not in the send (a seed) is left out. A recalled message
    stays handed over; of whom it was meant for, purchases do not count. Where a vendor reports sums alone, a send stays
    at handed_over.

    Args:
        touches: the ledger table, as known.
        orders: orders.owned_orders, as known.
        names: lineage.aliases of the newest date.
        zone: business zone.
    """
    reached = reached_messages(touches, zone)
    messages = reached.select(*_SEND, *_OF_MESSAGE)
    bought = _bought(messages, orders, names)
    return (
        reached.join(bought, on=_MESSAGE, how="left")
        .with_columns(bought=pl.col("bought").fill_null(False))
        .group_by(_SEND)
        .agg(pl.col(*STEPS, WAITING).sum().cast(pl.Int64))
        .sort("send_on", "send_id")
        .select(*_SEND, *STEPS, WAITING)
    )


def reached_messages(touches: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """One row per message that we planned or handed over, with how far it came: a flag for each step but `bought`.

    Returns:
        send_id, campaign, vendor, touch_channel, send_on, recipient_key, one_id, the flags, `waiting`.
    """
    messages = _messages(touches)
    told = pl.concat([_by_send(touches, messages), _replies(touches, messages, zone)])
    reached = messages.join(told.group_by(_MESSAGE).agg(_reached()), on=_MESSAGE, how="left")
    return reached.with_columns(pl.col(*_TOLD, WAITING).fill_null(False))


def _messages(touches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per message that we planned or handed over: its send, whom it is for, planned, handed_over, recalled."""
    kind, at = pl.col("kind"), pl.col("happened_at")
    handed, off = at.filter(kind == "handed_over").max(), at.filter(kind == "cancelled").max()
    flags = touches.group_by(*_SEND, "recipient_key").agg(
        one_id=pl.col("one_id").drop_nulls().min(),
        planned=kind.is_in(["planned", "handed_over"]).any(),
        handed_over=(kind == "handed_over").any(),
        recalled=((kind == "handed_over").any() & (off >= handed)).fill_null(False),
    )
    return flags.filter("planned")


def _by_send(touches: pl.LazyFrame, messages: pl.LazyFrame) -> pl.LazyFrame:
    """What is told of our messages by their send: send_id, recipient_key, kind."""
    return touches.select(*_MESSAGE, "kind").join(messages.select(_MESSAGE), on=_MESSAGE, how="semi")


def _replies(touches: pl.LazyFrame, messages: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """What is told of a contact under no send of ours, for the newest message that it was handed before."""
    on = pl.col("happened_at").dt.convert_time_zone(zone).dt.date()
    loose = touches.join(messages.select("send_id").unique(), on="send_id", how="anti")
    loose = loose.filter(pl.col("kind") == "replied").select("recipient_key", "touch_channel", "kind", on=on)
    sent = messages.filter("handed_over").select(*_MESSAGE, "touch_channel", "send_on")
    near = loose.unique().join(sent, on=["recipient_key", "touch_channel"])
    near = near.filter((pl.col("on") - pl.col("send_on")).dt.total_days().is_between(0, REPLY_DAYS))
    newest = near.sort("send_on", "send_id").unique(["recipient_key", "touch_channel", "on"], keep="last")
    return newest.select(*_MESSAGE, "kind")


def _reached() -> list[pl.Expr]:
    """How far one message came."""
    came = {step: (pl.col("kind") == step).any() for step in (*_TOLD, WAITING)}
    is_delivered = came["delivered"] | came["clicked"]
    return [
        (came["accepted"] | is_delivered).alias("accepted"),
        is_delivered.alias("delivered"),
        (came["failed"] & ~is_delivered).alias("failed"),
        came["clicked"].alias("clicked"),
        came["replied"].alias("replied"),
        (came[WAITING] & ~pl.any_horizontal(came[step] for step in _TOLD)).alias(WAITING),
    ]


def _bought(messages: pl.LazyFrame, orders: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """The messages after which whom they were for paid an order in time: send_id, recipient_key, bought."""
    sent = messages.filter("handed_over", ~pl.col("recalled")).select(*_MESSAGE, "one_id", "send_on")
    paid = follow(orders.drop_nulls("one_id").select("one_id", "paid_on"), names)
    met = follow(sent, names).join(paid, on="one_id")
    in_time = pl.col("paid_on").is_between(pl.col("send_on"), pl.col("send_on") + timedelta(days=BOUGHT_DAYS - 1))
    return met.filter(in_time).select(_MESSAGE).unique().with_columns(bought=pl.lit(value=True))
