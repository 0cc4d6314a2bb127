"""Allocate the campaigns of a date: one task that reads what is known and stages the frozen plan."""

from datetime import date, datetime

import polars as pl
from prefect import task

from tasks.errors import MissingDataError
from tasks.policy.models import Policy
from tasks.refs import Candidate, Run
from tasks.steps.coupons import coupons_for
from tasks.steps.house import lake_at, policy_of, snapshot_of
from tasks.steps.knowledge import horizon_of, known_for
from tasks.stores.scratch import stage
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.known import Known
from tasks.transforms.waterfall import check_balance, waterfall


@task(name="allocate", task_run_name="allocate the campaigns of {send_on}")
def allocate_sends(
    run: Run, outbox: str, send_on: date, campaigns: frozenset[str], at: datetime
) -> tuple[Candidate, ...]:
    """Decide every customer's outcome in every campaign named, and stage plan, assignments and ledger."""
    return staged(run, send_on, allocation_of(run, outbox, send_on, campaigns, at))


def staged(run: Run, send_on: date, allocation: Allocation) -> tuple[Candidate, ...]:
    """The rows of an allocation as candidates, beside the sends of the date that it leaves alone."""
    coupons = coupons_for(run, allocation, send_on, _known(run))
    members = pl.concat([_other_sends(run, send_on, allocation.members), allocation.members])
    plan = stage(run, "audience_members", members, mode="replace", replaces=[send_on])
    logs = (
        ("assignments", allocation.assignments), ("touches", allocation.touches), ("coupon_allocations", coupons),
    )  # fmt: skip
    return (plan, *(stage(run, table, rows, mode="append") for table, rows in logs if rows.height))


def _known(run: Run) -> datetime:
    """Up to when the run knows, which is when its rows were made."""
    if run.known_as_of is None:
        raise MissingDataError("a plan needs to know up to when it knows", next_step="pass --known-as-of")
    return run.known_as_of


def allocation_of(run: Run, outbox: str, send_on: date, campaigns: frozenset[str], at: datetime) -> Allocation:
    """The allocation itself, balanced; a dry run stops here."""
    policy, horizon = policy_of(run), horizon_of(run, send_on)
    known = known_for(run, horizon, outbox, policy.campaigns)
    return allocated(known, policy, send_on, at, campaigns)


def allocated(known: Known, policy: Policy, send_on: date, at: datetime, campaigns: frozenset[str]) -> Allocation:
    """The allocation of what is known, balanced."""
    allocation = allocate(known, policy, send_on=send_on, at=at, campaigns=campaigns)
    base = known.base.select(pl.len()).collect().item()
    for send in allocation.members.partition_by("send_id"):
        check_balance(waterfall(send), base=base)
    return allocation


def _other_sends(run: Run, send_on: date, members: pl.DataFrame) -> pl.DataFrame:
    """Sends of the same date that this allocation leaves as they are."""
    standing = lake_at(run.lake).scan("audience_members", snapshot_of(run), partitions=[send_on])
    return standing.collect().join(members.select("send_id").unique(), on="send_id", how="anti")
