"""What vendors report under no send of ours (replies, receipts without our number): of which message it speaks."""

import polars as pl

from tasks.transforms.funnel import REPLY_DAYS

OURS = ("planned", "handed_over", "cancelled")
"""What we did ourselves with a message."""
RECEIPTS = ("accepted", "delivered", "failed")
EVIDENCE = (*RECEIPTS, "clicked", "replied")
_MESSAGE = ("send_id", "campaign", "send_on", "one_id")


def with_their_messages(touches: pl.LazyFrame) -> pl.LazyFrame:
    """Ledger rows as given; what is told under no send of ours stands under the message that it speaks of.

    That is the newest one of its channel that the contact was handed in the days before. A message has one receipt:
    another one, under a name that is not ours, is of somebody else's message. What can be of none of ours stays.
    """
    kind = pl.col("kind")
    ours = touches.filter(kind.is_in(OURS)).select("send_id").unique()
    told = touches.filter(kind.is_in(EVIDENCE))
    loose = told.join(ours, on="send_id", how="anti").collect(engine="streaming").lazy()
    if loose.limit(1).collect().is_empty():  # nearly always: then nothing is read again
        return touches
    loose = loose.with_row_index("_row")
    receipts = told.filter(kind.is_in(RECEIPTS)).join(ours, on="send_id", how="semi")
    receipts = receipts.select("send_id", "recipient_key", _has_receipt=pl.lit(value=True)).unique()
    sent = (
        touches.filter(kind == "handed_over")
        .join(loose, on="recipient_key", how="semi")
        .select("recipient_key", "touch_channel", *_MESSAGE)
        .unique()
        .join(receipts, on=["send_id", "recipient_key"], how="left")
        .rename({name: f"_{name}" for name in _MESSAGE})
    )
    is_second = kind.is_in(RECEIPTS) & pl.col("_has_receipt").fill_null(value=False)
    near = loose.join(sent, on=["recipient_key", "touch_channel"]).filter(
        (pl.col("send_on") - pl.col("_send_on")).dt.total_days().is_between(0, REPLY_DAYS), ~is_second
    )
    newest = near.sort("_send_on", "_send_id", "_one_id").unique("_row", keep="last", maintain_order=True)
    found = loose.join(newest.select("_row", *(f"_{name}" for name in _MESSAGE)), on="_row", how="left")
    named = found.with_columns(
        pl.when(pl.col("_send_id").is_not_null()).then(f"_{name}").otherwise(name).alias(name) for name in _MESSAGE
    )
    columns = touches.collect_schema().names()
    return pl.concat([touches.join(loose, on="send_id", how="anti"), named.select(columns)])
