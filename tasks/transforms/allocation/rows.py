"""What an allocation leaves: the members of each send, new places in experiments, and what changes in the ledger."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, Self

import polars as pl

from expectations.tables import TABLES
from tasks.policy.campaigns import Campaign
from tasks.policy.variants import HELD_OUT, TREATED
from tasks.transforms.allocation.codes import to_be_given
from tasks.transforms.allocation.walk import Walk, send_id_of
from tasks.transforms.caps import Changes, Last, last_of, messages_of
from tasks.transforms.holdout import new_assignments


class Part(NamedTuple):
    """What one campaign leaves; the rest of what it was decided on is let go before the next one."""

    messages: pl.DataFrame
    """What the campaigns after it find in the ledger."""
    members: pl.LazyFrame
    drawn: pl.DataFrame
    asked: pl.DataFrame
    changes: Changes
    codes: pl.DataFrame


class Before(NamedTuple):
    """The ledger as it stood before the walk, and when it is changed."""

    messages: pl.DataFrame
    """caps.messages_of"""
    last: dict[str, Last]
    """By send the newest instants that it has."""
    at: datetime

    @classmethod
    def read(cls, walk: Walk, chosen: Iterable[Campaign], at: datetime) -> Self:
        """Read it once for all campaigns."""
        sends = [send_id_of(campaign, walk.send_on) for campaign in chosen]
        return cls(messages_of(walk.known.touches, walk.keys.lazy()), last_of(walk.known.touches, sends), at)


def part_of(people: pl.DataFrame, campaign: Campaign, walk: Walk, before: Before) -> Part:
    """The rows of one decided campaign."""
    told = ledger_changes(people, campaign, walk, before.messages)
    last = before.last.get(send_id_of(campaign, walk.send_on), Last())
    return Part(
        taken(people, campaign, walk.send_on),
        members(people, campaign, walk.send_on).lazy(),
        drawn(people, campaign, walk.send_on),
        asked_globally(people),
        Changes(told, campaign, walk.send_on, before.at, last),
        to_be_given(people, campaign, walk),
    )


def taken(people: pl.DataFrame, campaign: Campaign, send_on: date) -> pl.DataFrame:
    """The ledger rows that this campaign adds for the campaigns after it."""
    mine = people.filter(pl.col("outcome") == "planned", ~pl.col("is_published"))
    return mine.select(
        pl.lit(send_id_of(campaign, send_on)).alias("send_id"),
        pl.lit(campaign.code).alias("campaign"),
        pl.lit(campaign.touch_channel).alias("touch_channel"),
        "recipient_key",
        "one_id",
        pl.lit(send_on).alias("send_on"),
        pl.lit(None, dtype=pl.Int64).alias("cost_fen"),
    )


def members(people: pl.DataFrame, campaign: Campaign, send_on: date) -> pl.DataFrame:
    """The audience_members rows of one send; the variant is that of whoever takes part in the experiment."""
    takes_part = pl.col("outcome").is_in(["planned", "holdout"])
    return (
        people.select(
            pl.lit(send_id_of(campaign, send_on)).alias("send_id"),
            "one_id",
            pl.lit(send_on).alias("send_on"),
            pl.lit(campaign.code).alias("campaign"),
            "outcome",
            "evidence",
            "recipient_key",
            pl.when(takes_part).then("variant").alias("variant"),
            pl.lit(None).alias("seq"),
        )
        .cast(TABLES["audience_members"].schema)
        .sort("one_id")
    )


def drawn(people: pl.DataFrame, campaign: Campaign, send_on: date) -> pl.DataFrame:
    """The rows to append to the assignment log: of those who would be sent, whoever has none yet."""
    if campaign.holdout is None:
        return TABLES["assignments"].schema.to_frame()
    taking_part = people.filter(pl.col("outcome").is_in(["planned", "holdout"]))
    return new_assignments(taking_part, campaign.holdout.experiment, assigned_on=send_on)


def asked_globally(people: pl.DataFrame) -> pl.DataFrame:
    """Whom one campaign would send to, with their place in the global holdout: one_id, variant, bucket, what stands."""
    place = pl.when("is_held_globally").then(pl.lit(HELD_OUT)).otherwise(pl.lit(TREATED))
    would = pl.col("outcome").is_in(["planned", "holdout", "global_holdout"])
    return people.filter(would, pl.col("global_bucket").is_not_null()).select(
        "one_id", variant=place, bucket="global_bucket", standing_variant="global_standing"
    )


def drawn_globally(parts: Iterable[Part], walk: Walk) -> pl.DataFrame:
    """One row per person whom any campaign would send to, and who has no place in the global holdout yet."""
    draw = walk.held_globally
    if draw is None:
        return TABLES["assignments"].schema.to_frame()
    once = pl.concat([part.asked for part in parts]).unique("one_id", keep="first", maintain_order=True)
    return new_assignments(once, draw.holdout.experiment, assigned_on=walk.send_on)


def ledger_changes(people: pl.DataFrame, campaign: Campaign, walk: Walk, before: pl.DataFrame) -> pl.DataFrame:
    """What changes in the ledger (send_id, one_id, recipient_key, kind): new plans, and plans that no longer hold.

    A plan of someone whom the send reached is left alone, also while its hand-over is not recorded yet. `before` are
    the messages as they stood before the walk.
    """
    on = ["send_id", "one_id", "recipient_key"]
    planned = taken(people, campaign, walk.send_on)
    stood = before.filter(pl.col("send_id") == send_id_of(campaign, walk.send_on))
    fresh = planned.join(stood, on=on, how="anti").select(on)
    open_plans = stood.filter(~pl.col("is_handed_over")).join(walk.published, on=["send_id", "one_id"], how="anti")
    void = open_plans.join(planned, on=on, how="anti").select(on)
    told = {"cancelled": void, "planned": fresh}
    return pl.concat(rows.with_columns(kind=pl.lit(kind)) for kind, rows in told.items())


def side_by_side(sends: list[pl.DataFrame]) -> pl.DataFrame:
    """The audience_members rows of several sends in the order of their key; each send is in order already."""
    filled = sorted((rows for rows in sends if rows.height), key=lambda rows: str(rows.item(0, "send_id")))
    return pl.concat([TABLES["audience_members"].schema.to_frame(), *filled])


def in_order(parts: Iterable[pl.DataFrame], table: str) -> pl.DataFrame:
    """All rows of one table in the total order of its key."""
    schema = TABLES[table].schema
    rows = pl.concat([schema.to_frame(), *(part.cast(schema) for part in parts)])
    return rows.sort(TABLES[table].key)
