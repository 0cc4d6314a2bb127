"""Triggers: look who has set a campaign off, allocate them on the one contact ledger, and deliver what is new."""

from datetime import date, datetime
from typing import Any

import polars as pl
from prefect import flow

from flows.approval import is_approved
from flows.artifacts import leave_summary
from flows.begin import House, begin, known_files, open_house, scratch_of, until_published
from flows.campaign import deliver_share, refuse_stale
from flows.clock import business_date
from flows.names import run_name
from flows.parameters import CampaignParameters, TriggersParameters
from flows.plan import accounts, outbox_of
from tasks.policy.campaigns import Campaign
from tasks.refs import Run
from tasks.steps.knowledge import horizon_of
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.steps.triggers import allocate_triggered, triggered, triggered_allocation
from tasks.stores.keys import making_no_key


@flow(name="triggers", flow_run_name=run_name)
def triggers(parameters: TriggersParameters) -> dict[str, Any]:
    """Deliver the campaigns that persons set off by what they did up to now; the same thing never sends twice."""
    return leave_summary("triggers", triggers_once(parameters))


def triggers_once(parameters: TriggersParameters) -> dict[str, Any]:
    """Plan and deliver the day's triggered sends, each as increments of what went out earlier on the day."""
    house = open_house(parameters)
    at = house.instant(parameters.at)
    send_on = business_date(at, house.zone)
    about: dict[str, Any] = {"at": at.isoformat(), "send_on": str(send_on)}
    chosen = [campaign for campaign in house.policy.campaigns if campaign.trigger is not None]
    if not chosen:
        return about | {"outcome": "no campaign has a trigger", "sends": []}
    if parameters.dry_run:
        with making_no_key():
            return about | {"outcome": "dry run", "waterfalls": _rehearse(house, parameters, at, send_on)}
    for campaign in chosen:
        refuse_stale(house, campaign, send_on, parameters.today)
    is_news = until_published(lambda: _plan(house, parameters, at, send_on))
    sends = [_deliver(house, parameters, campaign, at, send_on) for campaign in _going(house, chosen, send_on)]
    return about | {"outcome": "planned" if is_news else "nothing new", "sends": sends}


def _run(house: House, at: datetime, send_on: date, *, is_rehearsal: bool = False) -> Run:
    snapshot = house.lake.snapshot()
    inputs = {"at": at, "send_on": send_on, "files": known_files(house, snapshot, at), "seq": snapshot.seq}
    return begin(house, "triggers", inputs, snapshot=snapshot, known_as_of=at, is_rehearsal=is_rehearsal)


def _rehearse(house: House, parameters: TriggersParameters, at: datetime, send_on: date) -> list[dict[str, Any]]:
    run = _run(house, at, send_on, is_rehearsal=True)
    return accounts(triggered_allocation(run, outbox_of(parameters), horizon_of(run, send_on), at).members)


def _plan(house: House, parameters: TriggersParameters, at: datetime, send_on: date) -> bool:
    """Allocate who has set something off; whether anything is another than before."""
    run = _run(house, at, send_on)
    with scratch_of(run):
        horizon = horizon_of(run, send_on)
        candidates = allocate_triggered(run, outbox_of(parameters), horizon, at)
        if candidates:
            gate_candidates(run, candidates)
            codes = sorted(campaign.code for campaign in triggered(house.policy.campaigns, horizon))
            publish_candidates(run, candidates, {"at": at.isoformat(), "campaigns": codes}, house.started_at)
    return bool(candidates)


def _going(house: House, chosen: list[Campaign], send_on: date) -> list[Campaign]:
    """The campaigns of which the day's send has somebody to reach, or has reached somebody."""
    members = house.lake.scan("audience_members", house.lake.snapshot(), partitions=[send_on])
    going = members.filter(pl.col("outcome").is_in(["planned", "delivered"])).select("campaign").unique().collect()
    return [campaign for campaign in chosen if campaign.code in going["campaign"].to_list()]


def _deliver(
    house: House, parameters: TriggersParameters, campaign: Campaign, at: datetime, send_on: date
) -> dict[str, Any]:
    """Publish the increment of one send; one that is held for approval waits for `strata approve`."""
    told = CampaignParameters(
        name=campaign.code, send_on=send_on, today=parameters.today, known_as_of=at.isoformat(),
        lake=parameters.lake, policy=parameters.policy,
    )  # fmt: skip
    if campaign.hold and not is_approved(house, campaign, told):
        return {"campaign": campaign.code, "status": f"held: strata approve {campaign.code} --send-on {send_on}"}
    result = until_published(lambda: deliver_share(house, told))
    shown = ("status", "seq", "rows", "recalled", "waterfall")
    return {"campaign": campaign.code, **{name: result[name] for name in shown}}
