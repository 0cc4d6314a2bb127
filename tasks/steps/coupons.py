"""Coupon codes of sends: given with the plan, opened for the file. No task stands here."""

from dataclasses import replace
from datetime import datetime

import polars as pl

from tasks.errors import DamagedError
from tasks.policy.models import Policy
from tasks.policy.offers import COUPON
from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import Purpose
from tasks.stores.opener import Opener
from tasks.stores.sends import Send
from tasks.transforms.allocation import Allocation
from tasks.transforms.coupons import NO_COUPON, draw, free_codes

_ONE = ("one_id", "send_id")


def with_coupons(run: Run, allocation: Allocation, at: datetime) -> tuple[Allocation, pl.DataFrame]:
    """The allocation after codes were given, and the rows to append to coupon_allocations.

    Whom a campaign leaves out for want of a code has no planned message either.

    Raises:
        MissingDataError: a pool is too small, see transforms/coupons.py.
    """
    policy, taken = policy_of(run), _scan(run, "coupon_allocations").collect()
    members, given = [], [taken.clear()]
    for send in allocation.members.partition_by("send_id", maintain_order=True):
        drawn = _drawn(run, policy, send, pl.concat([taken, *given]), at)
        members.append(drawn[0])
        given.append(drawn[1])
    after = pl.concat(members) if members else allocation.members
    left = after.filter(pl.col("outcome") == NO_COUPON).select(_ONE)
    touches = allocation.touches.join(left, on=_ONE, how="anti", maintain_order="left")
    return replace(allocation, members=after, touches=touches), pl.concat(given)


def _drawn(
    run: Run, policy: Policy, members: pl.DataFrame, taken: pl.DataFrame, at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One send after its codes were given."""
    campaign, first = policy.campaign(members["campaign"][0]), members.row(0, named=True)
    if campaign.coupon_pool is None:
        return members, taken.clear()
    coupons = _scan(run, "coupons").filter(pl.col("known_to").is_null())
    free = free_codes(coupons, taken.lazy().select("code_key"), campaign.coupon_pool.pool, first["send_on"])
    return draw(members, campaign, free, taken.filter(send_id=first["send_id"]), at)


def codes_of(run: Run, send: Send, people: pl.DataFrame) -> pl.DataFrame:
    """One row per person of `people` (one_id): one_id and their code in plain, opened on the record.

    Raises:
        DamagedError: somebody's code is not in the vault.
    """
    own = _scan(run, "coupon_allocations").filter(pl.col("send_id") == send.id).collect()
    named = people.select("one_id").join(own.select("one_id", "code_key"), on="one_id")
    named = named.with_columns(pseudonym=pl.col("code_key").str.split(":").list.last())
    vault = _scan(run, "contacts").filter(pl.col("contact_type") == COUPON)
    sealed = named.lazy().join(vault, on="pseudonym").collect()
    if sealed.height != people.height:
        raise DamagedError(
            f"{people.height - sealed.height} people of {send.id} have no coupon code in the vault",
            expected="the code that each was given with the plan",
            next_step="run `strata verify`; nothing was published",
        )
    purpose = Purpose(
        role="delivery", what=f"coupons of send {send.id}", contact_type=COUPON, most=sealed.height, run_id=run.run_id
    )
    opener = Opener(keeper_of(policy_of(run), run.lake).ring(), objects_at(run.lake), purpose)
    return opener.contacts(sealed, ["one_id"]).rename({"value": COUPON})


def _scan(run: Run, table: str) -> pl.LazyFrame:
    return lake_at(run.lake).scan(table, snapshot_of(run))
