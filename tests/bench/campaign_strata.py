"""One SMS campaign by the product's own steps, stage by stage: allocated, frozen, opened, published, recorded.

Prefect stands beside: the steps are called as the functions that they are. Great Expectations is loaded beforehand.
"""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import polars as pl

from flows.begin import House, begin, scratch_of
from flows.parameters import CampaignParameters
from flows.plan import outbox_of
from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.steps.deliver import hand_over, prepare
from tasks.steps.house import lake_at
from tasks.steps.knowledge import horizon_of, known_for
from tasks.steps.plan import allocated, staged
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.stores.scratch import spool
from tests.bench.campaign_lake import NOW, SEND_ON, policy_for
from tests.bench.stages import Watch


def run(root: Path, result: Path, _: Policy) -> None:
    """Send the campaign of the vendor after whom `result` is named; `result` lists the stages."""
    watch, policy = Watch(), policy_for(result.stem)
    house = House(str(root), lake_at(str(root)), policy, NOW)
    _plan(house, watch)
    _deliver(house, watch)
    result.write_text(json.dumps([asdict(one) for one in watch.stages]), encoding="utf-8")


def outbox(root: Path) -> str:
    """Where the files of a lake lie."""
    return outbox_of(CampaignParameters(name="", send_on=SEND_ON, lake=str(root)))


def _plan(house: House, watch: Watch) -> None:
    planning = _run(house, "plan")
    with scratch_of(planning):
        known = known_for(planning, horizon_of(planning, SEND_ON), outbox(Path(house.uri)), house.policy.campaigns)
        watch.note("knowledge", known.base.select("one_id").collect().height)
        codes = frozenset(campaign.code for campaign in house.policy.campaigns)
        allocation = allocated(known, house.policy, SEND_ON, NOW, codes, partial(spool, planning, in_order=True))
        watch.note("allocation", sum(rows.select(pl.len()).collect().item() for rows in allocation.sends.values()))
        candidates = staged(planning, SEND_ON, allocation)
        del allocation, known
        gate_candidates.fn(planning, candidates)
        publish_candidates.fn(planning, candidates, {"campaigns": sorted(codes)}, NOW)
        watch.note("plan published", sum(candidate.rows for candidate in candidates))


def _deliver(house: House, watch: Watch) -> None:
    delivering, name = _run(house, "campaign"), house.policy.campaigns[0].code
    with scratch_of(delivering):
        horizon, box = horizon_of(delivering, SEND_ON), outbox(Path(house.uri))
        ready = [prepare(delivering, box, name, horizon)]
        watch.note("last look, unsealing", ready[0].publication.added.height)
        done = hand_over(delivering, box, horizon, ready.pop())  # as in the flow, where nobody else holds it
        watch.note("files published", done.rows)
        gate_candidates.fn(delivering, done.candidates)
        publish_candidates.fn(delivering, done.candidates, {"campaign": name}, NOW)
        watch.note("ledger published", sum(candidate.rows for candidate in done.candidates))


def _run(house: House, flow: str) -> Run:
    return begin(house, flow, {"send_on": SEND_ON}, snapshot=house.lake.snapshot(), known_as_of=NOW)
