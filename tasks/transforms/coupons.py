"""Which person of a send gets which coupon code: decided with the plan, kept for ever, never the same code twice.

Who is to get one is decided with everything else in transforms/allocation/codes.py; here codes are counted and given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from expectations.tables import TABLES
from tasks.errors import MissingDataError
from tasks.policy.campaigns import Campaign
from tasks.transforms.lineage import follow

_ALLOCATED = TABLES["coupon_allocations"].schema


@dataclass(frozen=True)
class Pools:
    """What an allocation has to know of coupon codes."""

    free: Mapping[str, int]
    """Pool to its codes that nobody has and that are valid on the day of the sends."""
    held: pl.LazyFrame
    """send_id, one_id: who has a code of a send already."""

    def under(self, names: pl.LazyFrame) -> "Pools":
        """The same with the holders under the ids of today."""
        return replace(self, held=follow(self.held, names))


NO_POOLS = Pools({}, pl.LazyFrame(schema={"send_id": pl.String, "one_id": pl.String}))


def free_codes(coupons: pl.LazyFrame, taken: pl.LazyFrame, pool: str, send_on: date) -> pl.DataFrame:
    """One row per code of a pool that nobody has and that is valid on the day: those that end first come first.

    `coupons` are the current versions; `taken` has every code_key that was ever given to somebody.
    """
    is_valid = pl.col("valid_until").is_null() | (pl.col("valid_until") >= send_on)
    own = coupons.filter(pl.col("pool") == pool, is_valid).join(taken, on="code_key", how="anti")
    ends_first = own.sort("valid_until", "code_key", nulls_last=True)
    return ends_first.select("code_key").unique(maintain_order=True).collect()


def draw(people: pl.DataFrame, campaign: Campaign, free: pl.DataFrame, send_on: date, at: datetime) -> pl.DataFrame:
    """The rows to append to coupon_allocations: a code for everybody, in order of id.

    Args:
        people: send_id, one_id of whoever is to get a code in one send.
        campaign: a campaign with a pool.
        free: `free_codes`.
        send_on: business date of the send.
        at: instant written into the rows.

    Raises:
        MissingDataError: fewer codes than people.
    """
    if people.height > free.height:
        raise _too_few(campaign, people.height, free.height)
    given = pl.concat([people.sort("one_id"), free.head(people.height)], how="horizontal")
    told = {"pool": pool_of(campaign), "campaign": campaign.code, "send_on": send_on, "allocated_at": at}
    return (
        given.with_columns(pl.lit(value).alias(name) for name, value in told.items())
        .select(_ALLOCATED.names())
        .cast(_ALLOCATED)
    )


def pool_of(campaign: Campaign) -> str:
    """The pool from which a campaign draws; the empty text without one."""
    return campaign.coupon_pool.pool if campaign.coupon_pool else ""


def codes_by_person(people: pl.DataFrame, given: pl.DataFrame, names: pl.LazyFrame) -> pl.DataFrame:
    """One row per person of `people` who has a code in one send: one_id and code_key.

    `given` are the coupon_allocations of the send. Whoever has none under their own id has that of an id which
    means the same person by `names` (lineage.aliases); of several the first by code_key.
    """
    own = given.select("one_id", "code_key")
    exact = people.select("one_id").join(own, on="one_id")
    rest = people.select("one_id", asked="one_id").join(exact, on="one_id", how="anti")
    now = follow(own.lazy(), names).sort("code_key").unique("one_id", keep="first", maintain_order=True)
    heirs = follow(rest.lazy(), names).join(now, on="one_id").select(one_id="asked", code_key="code_key").collect()
    return pl.concat([exact, heirs])


def _too_few(campaign: Campaign, needed: int, free: int) -> MissingDataError:
    return MissingDataError(
        f"{campaign.code} needs {needed} codes, pool {pool_of(campaign)} has {free} that are free and valid",
        expected="a code for everybody; nothing was planned or published",
        next_step="ingest a file with more codes (layout coupon_pool), or set `when_empty: leave_out` in the campaign",
    )
