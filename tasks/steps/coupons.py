"""Coupon codes of sends: given with the plan, opened for the file. No task stands here."""

from collections.abc import Iterable
from datetime import date, datetime

import polars as pl

from tasks.errors import DamagedError, SecurityRefusedError
from tasks.policy.campaigns import Campaign
from tasks.policy.offers import COUPON
from tasks.policy.vendors import Sms
from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import Purpose
from tasks.stores.opener import Opener
from tasks.stores.sends import Send
from tasks.transforms.allocation import Allocation
from tasks.transforms.coupons import NO_POOLS, Pools, codes_by_person, draw, free_codes, pool_of
from tasks.transforms.messages import LINK, refused_variable


def pools_of(run: Run, campaigns: Iterable[Campaign], send_on: date) -> Pools:
    """What the allocation of a date has to know of coupons; nothing is read where no campaign draws any."""
    pools = sorted({pool_of(campaign) for campaign in campaigns} - {""})
    if not pools:
        return NO_POOLS
    taken = _scan(run, "coupon_allocations")
    held = taken.filter(pl.col("send_on") == send_on).select("send_id", "one_id")
    return Pools({pool: _free(run, taken, pool, send_on).height for pool in pools}, held)


def coupons_for(run: Run, allocation: Allocation, send_on: date, at: datetime) -> pl.DataFrame:
    """The rows to append to coupon_allocations: a code for everybody who is to get one.

    Raises:
        MissingDataError: a pool is too small, see transforms/coupons.py.
    """
    policy, taken = policy_of(run), _scan(run, "coupon_allocations")
    given = [taken.clear().collect()]
    for people in allocation.codes.partition_by("send_id", maintain_order=True):
        campaign = policy.campaign(Send.parse(people["send_id"][0]).campaign)
        out = pl.concat([taken.select("code_key"), *(rows.lazy().select("code_key") for rows in given)])
        given.append(draw(people, campaign, _free(run, out, pool_of(campaign), send_on), send_on, at))
    return pl.concat(given)


def _free(run: Run, taken: pl.LazyFrame, pool: str, send_on: date) -> pl.DataFrame:
    coupons = _scan(run, "coupons").filter(pl.col("known_to").is_null())
    return free_codes(coupons, taken.select("code_key"), pool, send_on)


def codes_of(run: Run, send: Send, people: pl.DataFrame, names: pl.LazyFrame) -> pl.DataFrame:
    """One row per person of `people` (one_id): one_id and their code in plain, opened on the record.

    `names` (lineage.aliases) tell whose code it is after a merge or a split.

    Raises:
        DamagedError: somebody's code is not in the vault.
        SecurityRefusedError: the vendor would refuse a code, see `check_codes`.
    """
    own = _scan(run, "coupon_allocations").filter(pl.col("send_id") == send.id).collect()
    named = codes_by_person(people, own, names).with_columns(pseudonym=pl.col("code_key").str.split(":").list.last())
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
    codes = opener.contacts(sealed, ["one_id"]).rename({"value": COUPON})
    check_codes(codes, send, policy_of(run).vendor(send.vendor).sms)
    return codes


def check_codes(codes: pl.DataFrame, send: Send, sms: Sms | None) -> None:
    """Refuse a send of which a code (column coupon) is what the vendor refuses of a variable; no code is shown.

    Codes are sealed until they go, so this is the first look at them.

    Raises:
        SecurityRefusedError: a code holds a link, or is longer than a variable may be.
    """
    refused = codes.select(why=refused_variable([COUPON], sms)).to_series().drop_nulls()
    if sms is None or refused.is_empty():
        return
    links = int((refused == LINK).sum())
    long = f", {refused.len() - links} have more than {sms.variable_most} characters" if sms.variable_most else ""
    raise SecurityRefusedError(
        f"of {codes.height} coupon codes of {send.id} {send.vendor} would refuse {refused.len()}: "
        f"{links} hold a link{long}",
        expected="codes that the vendor takes as a variable: no link, no longer than `variable_most` of its profile",
        next_step="nothing was published; ingest a pool of other codes and name it in `coupon_pool` of a new campaign: "
        "the codes of this send stay given",
    )


def _scan(run: Run, table: str) -> pl.LazyFrame:
    return lake_at(run.lake).scan(table, snapshot_of(run))
