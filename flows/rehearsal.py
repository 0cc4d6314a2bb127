"""A send looked at before it goes: allocated beside all others, or as planned already; nothing is written."""

from datetime import datetime
from typing import Any

import polars as pl

from flows.begin import House, begin, known_files
from flows.clock import parse_instant
from flows.parameters import CampaignParameters
from flows.plan import outbox_of
from tasks.policy.campaigns import Campaign
from tasks.refs import Run
from tasks.steps.coupons import coupons_for
from tasks.steps.knowledge import horizon_of
from tasks.steps.plan import allocation_of
from tasks.steps.preview import heard_members, preview_of
from tasks.steps.wording import without_refused_texts
from tasks.transforms.waterfall import waterfall

SHOWN_TO_PEOPLE = ("waterfall",)
"""What a terminal leaves out: the account says the same with shares."""
FOR_TERMINALS = ("examples",)
"""What stands in no artifact: single people, though nobody can recognise them."""


def rehearse(house: House, parameters: CampaignParameters, chosen: Campaign, *, is_planned: bool) -> dict[str, Any]:
    """What would go out now: waterfall, differences, variants, cost, hours, terms, examples."""
    snapshot = house.lake.snapshot()
    known_as_of = house.instant(parameters.known_as_of, is_end=True)
    inputs = {"files": known_files(house, snapshot, known_as_of), "send_on": parameters.send_on, "look": chosen.code}
    run = begin(house, "look", inputs, snapshot=snapshot, known_as_of=known_as_of, is_rehearsal=True)
    members = _members(house, run, parameters, chosen, is_planned=is_planned)
    preview = preview_of(
        run, outbox_of(parameters), chosen, horizon_of(run, parameters.send_on), members, _clock(house, parameters)
    )
    about = {"campaign": chosen.code, "send_on": str(parameters.send_on), "outcome": "dry run"}
    return about | {"is_planned": is_planned, "waterfall": waterfall(members)} | preview


def without_people(told: dict[str, Any]) -> dict[str, Any]:
    """A preview as an artifact shows it."""
    return {name: value for name, value in told.items() if name not in FOR_TERMINALS}


def for_people(told: dict[str, Any]) -> dict[str, Any]:
    """A preview as a terminal shows it: what says nothing is left out."""
    return {name: value for name, value in told.items() if name not in SHOWN_TO_PEOPLE and value not in (None, [])}


def _members(
    house: House, run: Run, parameters: CampaignParameters, chosen: Campaign, *, is_planned: bool
) -> pl.DataFrame:
    """The send's members: as frozen and heard since, or as an allocation of all that is due would have them now."""
    outbox, send_on = outbox_of(parameters), parameters.send_on
    if is_planned:
        return heard_members(run, outbox, chosen, horizon_of(run, send_on))
    due = (campaign.code for campaign in house.policy.campaigns if campaign.is_due(send_on))
    known_as_of: datetime = house.instant(parameters.known_as_of, is_end=True)
    allocation = allocation_of(run, outbox, send_on, frozenset((chosen.code, *due)), known_as_of)
    coupons_for(run, allocation, send_on, known_as_of)
    own = allocation.members.filter(pl.col("campaign") == chosen.code)
    return without_refused_texts(run, horizon_of(run, send_on), chosen, own)


def _clock(house: House, parameters: CampaignParameters) -> datetime:
    """When the send would be handed over: now, or the first minute of the day that `today` names."""
    return parse_instant(str(parameters.today), house.zone) if parameters.today else house.started_at
