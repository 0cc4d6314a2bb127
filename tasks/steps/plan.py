"""Allocate the campaigns of a date: one task that reads what is known and stages the frozen plan."""

from datetime import date, datetime
from functools import partial

import polars as pl
from prefect import task

from tasks.errors import MissingDataError
from tasks.policy.models import Policy
from tasks.refs import Candidate, Run
from tasks.steps.coupons import coupons_for
from tasks.steps.house import policy_of
from tasks.steps.knowledge import horizon_of, known_for
from tasks.steps.members import stage_members
from tasks.stores.scratch import spool, stage, stage_pieces
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.held import Hold, in_memory
from tasks.transforms.known import Known
from tasks.transforms.waterfall import check_balance, waterfall


@task(name="allocate", task_run_name="allocate the campaigns of {send_on}")
def allocate_sends(
    run: Run, outbox: str, send_on: date, campaigns: frozenset[str], at: datetime
) -> tuple[Candidate, ...]:
    """Decide every customer's outcome in every campaign named, and stage plan, assignments and ledger."""
    return staged(
        run, send_on, allocation_of(run, outbox, send_on, campaigns, at, hold=partial(spool, run, in_order=True))
    )


def staged(run: Run, send_on: date, allocation: Allocation) -> tuple[Candidate, ...]:
    """The rows of an allocation as candidates, beside the sends of the date that it leaves alone."""
    coupons = coupons_for(run, allocation, send_on, _known(run))
    plan = stage_members(run, send_on, allocation.sends)
    logs = (("assignments", allocation.assignments), ("coupon_allocations", coupons))
    kept = [stage(run, table, rows, mode="append") for table, rows in logs if rows.height]
    if allocation.moves_ledger:
        kept.append(stage_pieces(run, "touches", allocation.touch_pieces(), mode="append"))
    return (plan, *kept)


def _known(run: Run) -> datetime:
    """Up to when the run knows, which is when its rows were made."""
    if run.known_as_of is None:
        raise MissingDataError("a plan needs to know up to when it knows", next_step="pass --known-as-of")
    return run.known_as_of


def allocation_of(
    run: Run, outbox: str, send_on: date, campaigns: frozenset[str], at: datetime, hold: Hold = in_memory
) -> Allocation:
    """The allocation itself, balanced; a dry run stops here."""
    policy, horizon = policy_of(run), horizon_of(run, send_on)
    known = known_for(run, horizon, outbox, policy.campaigns)
    return allocated(known, policy, send_on, at, campaigns, hold)


def allocated(
    known: Known, policy: Policy, send_on: date, at: datetime, campaigns: frozenset[str], hold: Hold = in_memory
) -> Allocation:
    """The allocation of what is known, balanced."""
    allocation = allocate(known, policy, send_on=send_on, at=at, campaigns=campaigns, hold=hold)
    base = known.base.select(pl.len()).collect().item()
    for members in allocation.sends.values():
        check_balance(waterfall(members), base=base)
    return allocation
