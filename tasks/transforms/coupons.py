"""Which person of a send gets which coupon code: decided with the plan, kept for ever, never the same code twice."""

from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from expectations.tables import TABLES
from tasks.errors import MissingDataError
from tasks.policy.campaigns import Campaign

NO_COUPON = "no_coupon"
_ALLOCATED = TABLES["coupon_allocations"].schema


class Drawn(NamedTuple):
    """The members of one send with their outcomes, and the rows to append to coupon_allocations."""

    members: pl.DataFrame
    allocations: pl.DataFrame


def free_codes(coupons: pl.LazyFrame, taken: pl.LazyFrame, pool: str, send_on: date) -> pl.DataFrame:
    """One row per code of a pool that nobody has and that is valid on the day: those that end first come first.

    `coupons` are the current versions; `taken` has every code_key that was ever given to somebody.
    """
    is_valid = pl.col("valid_until").is_null() | (pl.col("valid_until") >= send_on)
    own = coupons.filter(pl.col("pool") == pool, is_valid).join(taken, on="code_key", how="anti")
    ends_first = own.sort("valid_until", "code_key", nulls_last=True)
    return ends_first.select("code_key").unique(maintain_order=True).collect()


def draw(members: pl.DataFrame, campaign: Campaign, free: pl.DataFrame, stands: pl.DataFrame, at: datetime) -> Drawn:
    """Give a code to everybody who is planned, in order of id; who has one of this send keeps it.

    Args:
        members: audience_members rows of one send.
        campaign: a campaign with a pool.
        free: `free_codes`.
        stands: coupon_allocations of this send.
        at: instant written into the new rows.

    Raises:
        MissingDataError: fewer codes than people, and the campaign leaves nobody out.
    """
    planned = members.filter(pl.col("outcome") == "planned").select("one_id", "send_id", "campaign", "send_on")
    without = planned.join(stands, on="one_id", how="anti").sort("one_id")
    short = without.height - free.height
    if short > 0 and _draw_of(campaign) == "refuse":
        raise _too_few(campaign, without.height, free.height)
    given = pl.concat([without.head(free.height), free.head(without.height)], how="horizontal")
    pool = campaign.coupon_pool.pool if campaign.coupon_pool else ""
    rows = given.with_columns(pool=pl.lit(pool), allocated_at=pl.lit(at)).select(_ALLOCATED.names()).cast(_ALLOCATED)
    return Drawn(_left_out(members, without.tail(max(short, 0)), pool), rows)


def _draw_of(campaign: Campaign) -> str:
    return campaign.coupon_pool.when_empty if campaign.coupon_pool else "refuse"


def _left_out(members: pl.DataFrame, left: pl.DataFrame, pool: str) -> pl.DataFrame:
    is_left = pl.col("one_id").is_in(left["one_id"].implode()) & (pl.col("outcome") == "planned")
    return members.with_columns(
        outcome=pl.when(is_left).then(pl.lit(NO_COUPON)).otherwise("outcome"),
        evidence=pl.when(is_left).then(pl.lit(f"no code is left in pool {pool}")).otherwise("evidence"),
    )


def _too_few(campaign: Campaign, needed: int, free: int) -> MissingDataError:
    pool = campaign.coupon_pool.pool if campaign.coupon_pool else ""
    return MissingDataError(
        f"{campaign.code} needs {needed} codes, pool {pool} has {free} that are free and valid",
        expected="a code for everybody; nothing was planned or published",
        next_step="ingest a file with more codes (layout coupon_pool), or set `when_empty: leave_out` in the campaign",
    )
