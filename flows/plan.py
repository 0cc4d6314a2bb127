"""Plan a date: allocate all its campaigns once, on one contact ledger, and freeze the result."""

from typing import Any

import polars as pl
from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import House, begin, known_files, open_house, scratch_of, until_published
from flows.names import run_name
from flows.parameters import PlanParameters
from tasks.refs import Run, Snapshot
from tasks.settings import Settings
from tasks.steps.deliver import take_back
from tasks.steps.plan import allocate_sends
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.steps.stale import stale_sends
from tasks.transforms.waterfall import waterfalls


@flow(name="plan", flow_run_name=run_name)
def plan(parameters: PlanParameters) -> dict[str, Any]:
    """Allocate all campaigns of a date once, on one contact ledger, and freeze the result."""
    return leave_summary("plan", plan_once(parameters))


def plan_once(parameters: PlanParameters, *, only: frozenset[str] | None = None) -> dict[str, Any]:
    """The plan itself; campaigns that are planned already stay as they are, a late one gets what is left.

    `only` names the campaigns that may be planned, of those that are due; all when None. `late` in what comes back
    names those that were planned beside others of the date, whatever their priority.
    """
    house = open_house(parameters)
    taken_back = until_published(lambda: _take_back(house, parameters))
    told = until_published(lambda: _attempt(house, parameters, only))
    return told | ({"taken_back": taken_back} if taken_back else {})


def _take_back(house: House, parameters: PlanParameters) -> list[str]:
    """Take back the plans that may not go out any more; their ids."""
    known_as_of = house.instant(parameters.known_as_of, is_end=True)
    run = begin(house, "plan", {"stale": parameters.send_on}, snapshot=house.lake.snapshot(), known_as_of=known_as_of)
    taken = [send.id for send in stale_sends(run, outbox_of(parameters), parameters.send_on)]
    for send_id in taken:
        inputs = {"stale": send_id}
        one = begin(house, "plan", inputs, snapshot=house.lake.snapshot(), known_as_of=known_as_of)
        with scratch_of(one):
            candidates = take_back(one, outbox_of(parameters), send_id)
            gate_candidates(one, candidates)
            publish_candidates(one, candidates, inputs, house.started_at)
    return taken


def accounts(members: pl.DataFrame | pl.LazyFrame) -> list[dict[str, Any]]:
    """One row per send, in order of id: base, each reason that someone met, planned or delivered."""
    return [
        {"send": send_id, **{reason: count for reason, count in counts.items() if count}}
        for send_id, counts in waterfalls(members).items()
    ]


def outbox_of(parameters: PlanParameters | Any) -> str:
    """The outbox root: its own setting, or inside the lake."""
    return Settings().outbox or f"{(parameters.lake or Settings().lake).rstrip('/')}/outbox"


def _attempt(house: House, parameters: PlanParameters, only: frozenset[str] | None) -> dict[str, Any]:
    snapshot = house.lake.snapshot()
    missing = missing_campaigns(house, parameters, snapshot)
    campaigns = missing if only is None else missing & only
    about: dict[str, Any] = {"send_on": str(parameters.send_on)}
    if campaigns:
        about |= {"late": sorted(campaigns)} if _is_begun(house, parameters, snapshot) else {}
        run = _run(house, parameters, snapshot, campaigns)
        with scratch_of(run):
            candidates = allocate_sends(run, outbox_of(parameters), parameters.send_on, campaigns, _at(run))
            gate_candidates(run, candidates)
            publish_candidates(run, candidates, {"campaigns": sorted(campaigns)}, house.started_at)
    members = house.lake.scan("audience_members", house.lake.snapshot(), partitions=[parameters.send_on])
    return about | {"outcome": "planned" if campaigns else "already planned", "waterfalls": accounts(members)}


def _is_begun(house: House, parameters: PlanParameters, snapshot: Snapshot) -> bool:
    """Whether the date's plan holds other campaigns already: those planned now get what these have left."""
    members = house.lake.scan("audience_members", snapshot, partitions=[parameters.send_on])
    return not members.limit(1).collect().is_empty()


def missing_campaigns(house: House, parameters: PlanParameters, snapshot: Snapshot) -> frozenset[str]:
    """Campaigns of the policy that are due on the date and that its plan does not hold yet."""
    members = house.lake.scan("audience_members", snapshot, partitions=[parameters.send_on])
    planned = set(members.select("campaign").unique().collect().to_series())
    return frozenset(each.code for each in house.policy.campaigns if each.is_due(parameters.send_on)) - planned


def _run(
    house: House,
    parameters: PlanParameters,
    snapshot: Snapshot,
    campaigns: frozenset[str],
) -> Run:
    known_as_of = house.instant(parameters.known_as_of, is_end=True)
    files = known_files(house, snapshot, known_as_of)
    inputs = {"files": files, "send_on": parameters.send_on, "campaigns": sorted(campaigns)}
    return begin(house, "plan", inputs, snapshot=snapshot, known_as_of=known_as_of)


def _at(run: Run) -> Any:
    return run.known_as_of
