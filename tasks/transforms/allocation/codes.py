"""A pool of coupon codes as what a campaign can serve: one code for each person, as long as there are any."""

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.transforms.allocation.walk import Walk, send_id_of
from tasks.transforms.coupons import pool_of

NEEDS = ("send_id", "one_id")


def keep_codes(people: pl.DataFrame, walk: Walk, campaign: Campaign) -> pl.DataFrame:
    """Add `needs_code` (goes, and has no code of this send yet) and `lacks_code` (none is left for them).

    Served as a budget is: by score, bucket and id; who comes after the last code gets nothing, the held-out too, so
    that they stay comparable with those who are sent to. Who has a code, or was reached, keeps their place.
    """
    if campaign.coupon_pool is None:
        return people.with_columns(needs_code=pl.lit(value=False), lacks_code=pl.lit(value=False))
    held = walk.known.pools.held.filter(pl.col("send_id") == send_id_of(campaign, walk.send_on)).select("one_id")
    has = pl.col("is_published") | pl.col("one_id").is_in(held.collect().to_series().implode())
    people = people.with_columns(needs_code=pl.col("is_going") & ~has, lacks_code=pl.lit(value=False))
    if campaign.coupon_pool.when_empty == "refuse":
        return people
    waits = people.filter("is_left", pl.col("budget_left").is_null(), ~has)
    ranked = waits.sort("m_score", "bucket", "one_id", descending=[True, False, False], nulls_last=True)
    before = pl.col("needs_code").cast(pl.Int64).cum_sum() - pl.col("needs_code").cast(pl.Int64)
    none_left = ranked.filter(before >= walk.codes_left.get(pool_of(campaign), 0))["one_id"]
    lacks = pl.col("one_id").is_in(none_left.implode())
    return people.with_columns(
        lacks_code=lacks, needs_code=pl.col("needs_code") & ~lacks, is_going=pl.col("is_going") & ~lacks
    )


def to_be_given(people: pl.DataFrame, campaign: Campaign, walk: Walk) -> pl.DataFrame:
    """One row per person of one decided campaign to whom a code is to be given: send_id, one_id."""
    given = people.filter("needs_code", pl.col("outcome") == "planned").sort("one_id")
    return given.select(pl.lit(send_id_of(campaign, walk.send_on)).alias("send_id"), "one_id")


def left_after(walk: Walk, campaign: Campaign, given: pl.DataFrame) -> dict[str, int]:
    """The codes of each pool that are left for the campaigns after this one."""
    pool = pool_of(campaign)
    return {**walk.codes_left, pool: walk.codes_left.get(pool, 0) - given.height} if pool else walk.codes_left
