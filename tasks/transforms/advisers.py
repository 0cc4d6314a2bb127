"""What became of a send at each member of staff who had to confirm their part of it."""

import polars as pl

from tasks.transforms.funnel import reached_messages

PARTS = ("handed_over", "waiting", "delivered", "failed")


def confirmations(touches: pl.LazyFrame, advisers: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """One row per send and adviser, by send_on, send_id and adviser_id: messages of their customers at each part.

    An adviser has confirmed when something of theirs was sent or could not be; `confirmed_at` is when the first was
    sent, null while none is. Messages called back are left out. A customer without adviser stands under null.

    Args:
        touches: the ledger table, as known.
        advisers: send_id, one_id, adviser_id: who was to send to whom.
        zone: business zone.
    """
    arrived = touches.filter(pl.col("kind") == "delivered").group_by("send_id", "recipient_key")
    first = arrived.agg(sent_at=pl.col("happened_at").min())
    sent = reached_messages(touches, zone).filter("handed_over", ~pl.col("recalled"))
    told = sent.join(first, on=["send_id", "recipient_key"], how="left")
    return (
        told.join(advisers, on=["send_id", "one_id"], how="left")
        .group_by("send_on", "send_id", "adviser_id")
        .agg(
            *(pl.col(part).sum().cast(pl.Int64) for part in PARTS),
            has_confirmed=pl.any_horizontal("delivered", "failed").any(),
            confirmed_at=pl.col("sent_at").min(),
        )
        .sort("send_on", "send_id", "adviser_id", nulls_last=True)
    )
