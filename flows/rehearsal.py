"""A send looked at before it goes: allocated beside all others, or as planned already; nothing is written."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import polars as pl

from flows.begin import House, begin, known_files
from flows.clock import parse_instant
from flows.parameters import CampaignParameters, SendParameters
from flows.plan import outbox_of
from tasks.policy.campaigns import Campaign
from tasks.refs import Run
from tasks.steps.coupons import coupons_for
from tasks.steps.knowledge import horizon_of
from tasks.steps.plan import allocation_of
from tasks.steps.preview import heard_members, preview_of
from tasks.steps.wording import without_refused_texts
from tasks.transforms.allocation import Allocation
from tasks.transforms.allocation.walk import send_id_of
from tasks.transforms.waterfall import waterfall

SHOWN_TO_PEOPLE = ("waterfall",)
"""What a terminal leaves out: the account says the same with shares."""
FOR_TERMINALS = ("examples",)
"""What stands in no artifact: single people, though nobody can recognise them."""


@dataclass(frozen=True)
class Rehearsal:
    """A day of sends looked at before it goes; what is not planned yet is allocated once for all campaigns asked of."""

    house: House
    parameters: CampaignParameters | SendParameters
    send_on: date
    campaigns: frozenset[str]
    """Those that a plan made now would allocate; what is planned already stands in the ledger as it is."""

    def look(self, chosen: Campaign) -> dict[str, Any]:
        """What would go out now: waterfall, differences, variants, cost, hours, terms, examples."""
        run, is_planned = self._run, chosen.code not in self.campaigns
        members = self._frozen(chosen) if is_planned else self._allocated(chosen)
        outbox, horizon = outbox_of(self.parameters), horizon_of(run, self.send_on)
        preview = preview_of(run, outbox, chosen, horizon, members, self._clock)
        about = {"campaign": chosen.code, "send_on": str(self.send_on), "outcome": "dry run"}
        return about | {"is_planned": is_planned, "waterfall": waterfall(members)} | preview

    @cached_property
    def _run(self) -> Run:
        house, snapshot = self.house, self.house.lake.snapshot()
        files = known_files(house, snapshot, self._known_as_of)
        inputs = {"files": files, "send_on": self.send_on, "look": sorted(self.campaigns)}
        return begin(house, "look", inputs, snapshot=snapshot, known_as_of=self._known_as_of, is_rehearsal=True)

    @cached_property
    def _allocation(self) -> Allocation:
        at, outbox = self._known_as_of, outbox_of(self.parameters)
        allocation = allocation_of(self._run, outbox, self.send_on, self.campaigns, at)
        coupons_for(self._run, allocation, self.send_on, at)
        return allocation

    def _frozen(self, chosen: Campaign) -> pl.DataFrame:
        """The members of a send that is planned, as they stand and were heard since."""
        return heard_members(self._run, outbox_of(self.parameters), chosen, horizon_of(self._run, self.send_on))

    def _allocated(self, chosen: Campaign) -> pl.DataFrame:
        """The members of a send as the allocation of the day would have them."""
        own = self._allocation.sends[send_id_of(chosen, self.send_on)].collect()
        return without_refused_texts(self._run, horizon_of(self._run, self.send_on), chosen, own)

    @property
    def _known_as_of(self) -> datetime:
        return self.house.instant(self.parameters.known_as_of, is_end=True)

    @property
    def _clock(self) -> datetime:
        """When the send would be handed over: now, or the first minute of the day that `today` names."""
        today = self.parameters.today
        return parse_instant(str(today), self.house.zone) if today else self.house.started_at


def without_people(told: dict[str, Any]) -> dict[str, Any]:
    """A preview as an artifact shows it."""
    return {name: value for name, value in told.items() if name not in FOR_TERMINALS}


def for_people(told: dict[str, Any]) -> dict[str, Any]:
    """A preview as a terminal shows it: what says nothing is left out."""
    return {name: value for name, value in told.items() if name not in SHOWN_TO_PEOPLE and value not in (None, [])}
