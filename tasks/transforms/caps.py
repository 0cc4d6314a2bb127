"""The contact ledger: which messages count, and how many of a rolling window a person or a contact has had."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from expectations.tables import TABLES
from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import CampaignCap, Cap
from tasks.transforms.loose import EVIDENCE, OURS, with_their_messages

LEDGER = ("send_id", "campaign", "touch_channel", "recipient_key", "one_id", "send_on", "cost_fen")
_LIVE = ("planned", "handed_over")
_HANDED = ("handed_over", *EVIDENCE)
_MOMENT = timedelta(microseconds=1)


def heard_at(touches: pl.LazyFrame, known_as_of: datetime) -> pl.LazyFrame:
    """The ledger of whoever sends at an instant: what was told up to then, and all that we did, whenever we did it.

    A look into the past may forget what vendors told later. A send never forgets what we have sent or promised.
    """
    is_ours = pl.col("kind").is_in(OURS) & pl.col("file_sha256").is_null()
    return touches.filter(is_ours | (pl.col("known_from") <= known_as_of))


def ledger(touches: pl.LazyFrame, keys: pl.LazyFrame) -> pl.LazyFrame:
    """One row per message and person that it counts for: planned or handed over, and not cancelled since.

    A message of which a vendor reported anything counts whatever was cancelled; that colleagues have not confirmed it
    yet is no such report. A touch without a one_id counts for everyone who owns its recipient key; where nobody does,
    for the key alone.

    Returns:
        the columns of LEDGER, is_handed_over.
    """
    kind, at = pl.col("kind"), pl.col("happened_at")
    cancelled_at = at.filter(kind == "cancelled").max()
    counts = cancelled_at.is_null() | (at.filter(kind.is_in(_LIVE)).max() >= cancelled_at) | kind.is_in(EVIDENCE).any()
    return (
        touches.filter(kind != "waiting")
        .group_by("send_id", "campaign", "touch_channel", "recipient_key", "one_id", "send_on")
        .agg(counts=counts, is_handed_over=kind.is_in(_HANDED).any(), cost_fen=pl.col("cost_fen").max())
        .filter("counts")
        .join(keys.select(recipient_key="key", owner="one_id"), on="recipient_key", how="left")
        .with_columns(one_id=pl.coalesce("one_id", "owner"))
        .select(*LEDGER, "is_handed_over")
        .unique()
    )


def messages_of(touches: pl.LazyFrame, keys: pl.LazyFrame) -> pl.DataFrame:
    """The `ledger` as caps, rivals and budgets count it: what vendors tell under no send of ours is no second message.

    It is of the message that it speaks of; where there is none it counts: somebody did send.
    """
    heard = touches.filter(pl.col("kind") != "waiting").select(*LEDGER, "kind", "happened_at")
    return ledger(with_their_messages(heard), keys).collect()


def over_cap(messages: pl.DataFrame, caps: tuple[Cap, ...], campaign: Campaign, send_on: date, by: str) -> pl.DataFrame:
    """One row per `by` (one_id or recipient_key) whom one more message would bring over a cap.

    `caps` are those of all campaigns; the campaign's own come after them.

    Returns:
        `by`, over_cap: the first cap that would break, in words.
    """
    concerned = [cap for cap in (*caps, *campaign.caps) if cap.touch_channel in ("*", campaign.touch_channel)]
    full = [_full_windows(_counted(messages, cap, campaign), cap, send_on, by) for cap in concerned]
    empty = messages.clear().select(by, over_cap=pl.lit("", dtype=pl.String))
    return pl.concat([empty, *full]).unique(subset=by, keep="first", maintain_order=True)


def _counted(messages: pl.DataFrame, cap: Cap, campaign: Campaign) -> pl.DataFrame:
    """The messages that a cap counts: all, but for a cap of one campaign on its own messages."""
    is_own = isinstance(cap, CampaignCap) and cap.counts == "campaign"
    return messages.filter(pl.col("campaign") == campaign.code) if is_own else messages


def _full_windows(messages: pl.DataFrame, cap: Cap, send_on: date, by: str) -> pl.DataFrame:
    """One row per `by` with a window of the cap's days around `send_on` that is full already.

    A window may end later than the send: a message planned for tomorrow counts today.
    """
    counted = messages.filter(
        pl.col(by).is_not_null(),
        (pl.col("touch_channel") == cap.touch_channel) | (cap.touch_channel == "*"),
        (pl.col("send_on") - pl.lit(send_on)).dt.total_days().abs() < cap.days,
    )
    ends = {send_on, *counted.filter(pl.col("send_on") > send_on)["send_on"].to_list()}
    used = [_used(counted, end - timedelta(days=cap.days), end, by) for end in sorted(ends)]
    worst = pl.concat(used).group_by(by).agg(pl.col("used").max()).filter(pl.col("used") >= cap.most).sort(by)
    reason = f"{{}} of {cap.most} {cap.touch_channel.replace('*', 'message')} in {cap.days} days"
    return worst.select(by, over_cap=pl.format(reason, "used"))


def _used(counted: pl.DataFrame, after: date, until: date, by: str) -> pl.DataFrame:
    """One row per `by`: sends in (after, until]."""
    window = counted.filter(pl.col("send_on") > after, pl.col("send_on") <= until)
    return window.group_by(by).agg(used=pl.col("send_id").n_unique())


class Last(NamedTuple):
    """The newest instants of what the ledger has of one send: of plans and hand-overs, and of cancellations."""

    live: datetime | None = None
    off: datetime | None = None

    def stamps(self, at: datetime) -> Mapping[str, datetime]:
        """By kind the instant of what is written now: `at`, but never before what it answers.

        A run may look back, or have begun before another that published first: its plan would be void, its
        cancellation would not.
        """
        live = max(at, self.off or at)
        off = at if self.live is None else max(at, self.live + _MOMENT)
        return {"planned": live, "handed_over": live, "cancelled": off}


def what_stands(touches: pl.LazyFrame, by: Collection[str]) -> pl.LazyFrame:
    """One row per message (`by`): is_open (planned or handed over, not cancelled since), is_sent (handed over)."""
    kind, at = pl.col("kind"), pl.col("happened_at")
    off = at.filter(kind == "cancelled").max()
    return touches.group_by(by).agg(
        is_open=(off.is_null() | (at.filter(kind.is_in(_LIVE)).max() >= off)) & kind.is_in(_LIVE).any(),
        is_sent=(off.is_null() | (at.filter(kind == "handed_over").max() >= off)) & (kind == "handed_over").any(),
    )


def last_of(touches: pl.LazyFrame, send_ids: Collection[str]) -> dict[str, Last]:
    """What the ledger has of these sends, by id; a send of which it has nothing is left out."""
    own, kind, at = touches.filter(pl.col("send_id").is_in(list(send_ids))), pl.col("kind"), pl.col("happened_at")
    told = own.group_by("send_id").agg(
        live=at.filter(kind.is_in(_LIVE)).max(), off=at.filter(kind == "cancelled").max()
    )  # fmt: skip
    return {send_id: Last(live, off) for send_id, live, off in told.collect(engine="streaming").iter_rows()}


class Changes(NamedTuple):
    """What one campaign changes in the ledger on a date, before it is spelled out in all the ledger's columns."""

    people: pl.DataFrame
    """send_id, one_id, recipient_key, kind: one row per row to append; cost_fen where a message has its own price."""
    campaign: Campaign
    send_on: date
    at: datetime
    last: Last = Last()
    """What the ledger has of the send already."""

    def pieces(self, size: int = 250_000) -> Iterator[pl.DataFrame]:
        """The rows to append in the order of the ledger's key, `size` at a time: spelled out they are far larger."""
        ordered = self.people.sort("send_id", "recipient_key", "kind", "one_id", nulls_last=True)
        yield from (self._rows(piece) for piece in ordered.iter_slices(size))

    def _rows(self, people: pl.DataFrame) -> pl.DataFrame:
        """The price stands on the hand-over alone, so that sums count it once."""
        price = pl.lit(self.campaign.message_cost_fen)
        price = pl.coalesce("cost_fen", price) if "cost_fen" in people.columns else price
        cost = pl.when(pl.col("kind") == "handed_over").then(price)
        fixed = {
            "campaign": self.campaign.code, "vendor": self.campaign.vendor, "send_on": self.send_on,
            "touch_channel": self.campaign.touch_channel, "file_sha256": None, "send_month": f"{self.send_on:%Y-%m}",
        }  # fmt: skip
        schema, stamps = TABLES["touches"].schema, self.last.stamps(self.at)
        then = pl.when(pl.col("kind") == "cancelled").then(pl.lit(stamps["cancelled"])).otherwise(stamps["planned"])
        rows = people.with_columns(
            *(pl.lit(value).cast(schema[name]).alias(name) for name, value in fixed.items()),
            cost_fen=cost, happened_at=then, known_from=then,
        )  # fmt: skip
        return rows.select(schema.names()).cast(schema)
