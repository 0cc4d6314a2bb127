"""Deliver one campaign's share of the plan, after approval where the campaign is held."""

from datetime import date
from typing import Any

import polars as pl
from prefect import flow

from flows.approval import find_campaign, require_approval
from flows.artifacts import leave_summary
from flows.begin import House, begin, open_house, scratch_of, until_published
from flows.clock import business_date, now
from flows.names import run_name
from flows.parameters import CampaignParameters, CancelParameters, PlanParameters
from flows.plan import missing_campaigns, outbox_of, plan_once
from flows.rehearsal import Rehearsal, without_people
from tasks.account import account
from tasks.errors import ConfigurationError
from tasks.policy.campaigns import Campaign
from tasks.refs import Run
from tasks.steps.breaking import word_of
from tasks.steps.deliver import Delivered, deliver_send, withdraw_send
from tasks.steps.knowledge import Horizon, horizon_of
from tasks.steps.preview import about_send
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.steps.standing_sends import sends_standing
from tasks.steps.wording import message_bill
from tasks.stores.keys import making_no_key
from tasks.stores.sends import Send

LATE = "planned after other campaigns of the date: it got whom they had left, whatever its priority"


@flow(name="campaign", flow_run_name=run_name)
def campaign(parameters: CampaignParameters) -> dict[str, Any]:
    """Deliver one campaign's share of the plan to its vendor's outbox; twice is once."""
    told = campaign_once(parameters)
    leave_summary("campaign", without_people(told))
    return told


@flow(name="cancel", flow_run_name=run_name)
def cancel(parameters: CancelParameters) -> dict[str, Any]:
    """Withdraw a published send: the vendor finds a recall file, and the send stays closed."""
    house = open_house(parameters)
    return leave_summary("cancel", until_published(lambda: _withdraw(house, parameters)))


def campaign_once(parameters: CampaignParameters) -> dict[str, Any]:
    """The delivery itself: plan, approval, publication, record."""
    house = open_house(parameters)
    chosen = find_campaign(house.policy, parameters.name)
    require_due(house, chosen, parameters)
    if parameters.dry_run:
        with making_no_key():
            missing = missing_campaigns(house, parameters, house.lake.snapshot())
            campaigns = missing if is_planned(house, chosen, parameters.send_on) else missing | {chosen.code}
            return Rehearsal(house, parameters, parameters.send_on, campaigns).look(chosen)
    refuse_stale(house, chosen, parameters.send_on, parameters.today)
    planned = plan_once(_plan_parameters(parameters))
    if chosen.hold:
        require_approval(house, chosen, parameters)
    late = {"late": LATE} if chosen.code in planned.get("late", ()) else {}
    return until_published(lambda: deliver_share(house, parameters)) | late


def require_due(house: House, chosen: Campaign, parameters: CampaignParameters) -> None:
    """Nothing goes out on a day that the campaign does not name; what is planned already is seen to its end.

    Raises:
        ConfigurationError: says when it is due next, or what sets it off.
    """
    day = parameters.send_on
    if chosen.is_due(day) or (parameters.dry_run and chosen.trigger is None) or is_planned(house, chosen, day):
        return
    if chosen.trigger is not None:
        raise ConfigurationError(
            f"{chosen.code} is set off by what persons do ({chosen.trigger.event}), not by a date",
            expected="a campaign without `trigger`",
            next_step="run `strata triggers`: it delivers to whom the trigger holds for, `--dry-run` only counts them",
        )
    due = chosen.schedule and chosen.schedule.next_due(day)
    raise ConfigurationError(
        f"{chosen.code} is not due on {day}",
        expected=chosen.schedule.in_words() if chosen.schedule else "a date of its schedule",
        next_step=f"the next date is {due}: pass --send-on {due}, or --dry-run to look at {day}"
        if due else "its season is over: change `until` of its schedule",
    )  # fmt: skip


def is_planned(house: House, chosen: Campaign, day: date) -> bool:
    """Whether the date's plan holds the campaign, whatever its schedule says now."""
    members = house.lake.scan("audience_members", house.lake.snapshot(), partitions=[day])
    return not members.filter(pl.col("campaign") == chosen.code).limit(1).collect().is_empty()


def refuse_stale(house: House, chosen: Campaign, send_on: date, today: date | None) -> None:
    """A late delivery would reach people with an old offer; recomputing the past must never send."""
    day = today or business_date(house.started_at, house.zone)
    if (day - send_on).days > chosen.max_age_days:
        raise ConfigurationError(
            f"the send of {send_on} is {(day - send_on).days} days old on {day}",
            expected=f"at most {chosen.max_age_days} (max_age_days of {chosen.code})",
            next_step="deliver a send of today, or pass --dry-run to look at the old one",
        )


def _plan_parameters(parameters: CampaignParameters) -> PlanParameters:
    return PlanParameters(
        send_on=parameters.send_on, known_as_of=parameters.known_as_of, lake=parameters.lake, policy=parameters.policy
    )


def deliver_share(house: House, parameters: CampaignParameters) -> dict[str, Any]:
    """Publish what is planned of one send and what the vendor does not have yet, and record it."""
    known_as_of = house.instant(parameters.known_as_of, is_end=True)
    snapshot = house.lake.snapshot()
    inputs = {"campaign": parameters.name, "send_on": parameters.send_on, "seq": snapshot.seq}
    word = word_of(parameters.override_breaker, account(), now().isoformat())
    run = begin(house, "campaign", inputs, snapshot=snapshot, known_as_of=known_as_of)
    with scratch_of(run):
        horizon = horizon_of(run, parameters.send_on)
        result = deliver_send(run, outbox_of(parameters), parameters.name, horizon, word)
        return _record(house, run, result, inputs) | _about(house, run, horizon, result.send_id)


def _about(house: House, run: Run, horizon: Horizon, send_id: str) -> dict[str, Any]:
    """Account, variants, cost, message, hours and terms of a send as the lake has it now."""
    send = Send.parse(send_id)
    members = house.lake.scan("audience_members", house.lake.snapshot(), partitions=[send.send_on])
    own = members.filter(pl.col("send_id") == send_id).collect()
    message = message_bill(run, horizon, house.policy.campaign(send.campaign), own)
    return about_send(house.policy, send, own, house.started_at, message)


def _withdraw(house: House, parameters: CancelParameters) -> dict[str, Any]:
    """Withdraw each send of the campaign and date that stands, wherever it was planned or went; mostly there is one.

    Raises:
        ConfigurationError: there is none, and no such campaign either.
    """
    snapshot = house.lake.snapshot()
    inputs = {"cancel": parameters.name, "send_on": parameters.send_on, "seq": snapshot.seq}
    run, outbox = begin(house, "cancel", inputs, snapshot=snapshot, known_as_of=house.started_at), outbox_of(parameters)
    standing = sends_standing(run, outbox, parameters.name, parameters.send_on)
    if not standing:
        chosen = find_campaign(house.policy, parameters.name)
        standing = [Send(chosen.vendor, chosen.code, parameters.send_on)]
    if len(standing) > 1:
        return {"sends": [_withdraw_one(house, parameters, send) for send in standing]}
    return _withdraw_one(house, parameters, standing[0])


def _withdraw_one(house: House, parameters: CancelParameters, send: Send) -> dict[str, Any]:
    snapshot = house.lake.snapshot()
    inputs = {"cancel": send.id, "seq": snapshot.seq}
    run = begin(house, "cancel", inputs, snapshot=snapshot, known_as_of=house.started_at)
    with scratch_of(run):
        horizon = horizon_of(run, parameters.send_on)
        told = _record(house, run, withdraw_send(run, outbox_of(parameters), send.id, horizon), inputs)
    return told | {"recall": _in_words(told)}


def _in_words(told: dict[str, Any]) -> str:
    """What a withdrawal came to: who was called back, or that there was nobody to call back."""
    if told["recalled"]:
        return f"{told['recalled']} people are called back"
    if told["seq"] > 1:
        return "nobody was left to call back: the send is closed"
    rows = told["waterfall"].get("cancelled", 0)
    return f"nothing was published, nobody is called back: {rows} planned rows are cancelled, the send is closed"


def _record(house: House, run: Run, result: Delivered, inputs: dict[str, Any]) -> dict[str, Any]:
    """Write into the lake what the outbox says, unless it stands there."""
    if result.candidates:
        gate_candidates(run, result.candidates)
        publish_candidates(run, result.candidates, inputs, house.started_at)
    return result.model_dump(exclude={"candidates"})
