"""What a refresh reads: the rows known at an instant, and the customers of the date before. No task stands here."""

from datetime import date, datetime

import polars as pl

from tasks.errors import MissingDataError
from tasks.policy.models import Policy
from tasks.refs import Run, Snapshot
from tasks.steps.house import lake_at, objects_at, pseudonymiser_of, snapshot_of
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_steps
from tasks.stores.tables import Lake
from tasks.transforms.before import Before
from tasks.transforms.inputs import Inputs
from tasks.transforms.orders import known_at, known_refunds

VERSIONED = ("orders", "order_lines", "products", "sightings", "events", "members", "follows", "touches")


def refresh_inputs(run: Run, policy: Policy) -> Inputs:
    """Everything that a refresh reads, as known at the run's `known_as_of`."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    knowledge = known_as_of(run)
    known = {table: lake.scan(table, snapshot).pipe(known_at, known_as_of=knowledge) for table in VERSIONED}
    refunds = lake.scan("refunds", snapshot).pipe(known_refunds, known_as_of=knowledge)
    _require_somebody(known["sightings"], run)
    previous = previous_as_of(lake, snapshot, as_of(run))
    return Inputs(
        **known,
        links=lake.scan("identity_links", snapshot).pipe(known_at, known_as_of=knowledge),
        refunds=refunds,
        previous_customers=None if previous is None else lake.scan("customers", snapshot, partitions=[previous]),
        previous_cutoffs=None if previous is None else lake.scan("cutoffs", snapshot, partitions=[previous]),
        previous_identities=None if previous is None else lake.scan("identities", snapshot, partitions=[previous]),
        previous_models=None if previous is None else lake.scan("models", snapshot, partitions=[previous]),
        previous_tags=None if previous is None else lake.scan("tags", snapshot, partitions=[previous]),
        previous_as_of=previous,
        net_as_of=None,
        before=None if previous is None else before_of(run, previous),
        blocked=blocked_keys(run, policy),
        zone=policy.brand.zone,
        currency=policy.brand.currency,
    )


def before_of(run: Run, previous: date) -> Before | None:
    """The rules and the knowledge of the refresh that made the date before; None where its run is not recorded."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    made = finished_steps(lake, snapshot).filter(flow="refresh").filter(pl.col("as_of") == previous)
    if made.is_empty():
        return None
    last = made.row(-1, named=True)
    return Before(
        policy=stored_policy(objects_at(run.lake), last["policy_digest"]),
        known_as_of=last["known_as_of"],
        known_since=known_as_of(run),
        order_versions=lake.scan("orders", snapshot),
        refund_versions=lake.scan("refunds", snapshot),
    )


def blocked_keys(run: Run, policy: Policy) -> frozenset[str]:
    """The printed keys of the values that name nobody by policy."""
    if not policy.identity.blocked:
        return frozenset()
    pseudonym = pseudonymiser_of(run)
    values = [(kind, value) for kind, found in policy.identity.blocked.items() for value in found]
    return frozenset(f"{kind}::{pl.select(pseudonym(kind, '', pl.lit(value))).item()}" for kind, value in values)


def _require_somebody(sightings: pl.LazyFrame, run: Run) -> None:
    if sightings.head(1).collect().is_empty():
        raise MissingDataError(
            f"no customer is known at {run.known_as_of} in {run.lake}",
            expected="at least one ingested export that names buyers or members",
            next_step="run `strata ingest EXPORTS`, or pass a later --known-as-of",
        )


def previous_as_of(lake: Lake, snapshot: Snapshot, day: date) -> date | None:
    """The newest date before the run's for which customers stand."""
    earlier = lake.scan("customers", snapshot).filter(pl.col("as_of") < day)
    newest: date | None = earlier.select(pl.col("as_of").max()).collect().item()
    return newest


def as_of(run: Run) -> date:
    """The run's business date; a refresh always has one."""
    if run.as_of is None:
        raise ValueError("a refresh needs an as_of")
    return run.as_of


def known_as_of(run: Run) -> datetime:
    """The run's knowledge limit; a refresh and a send always have one."""
    if run.known_as_of is None:
        raise ValueError(f"a {run.flow} needs a known_as_of")
    return run.known_as_of
