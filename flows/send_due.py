"""Send what is due: plan a day once, then deliver each of its campaigns, the most important first; twice is once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from prefect import flow

from flows.approval import require_approval
from flows.artifacts import leave_summary
from flows.begin import House, open_house, until_published
from flows.campaign import deliver_share, refuse_stale
from flows.clock import business_date
from flows.names import run_name
from flows.parameters import CampaignParameters, PlanParameters, SendParameters
from flows.plan import missing_campaigns, plan_once
from flows.rehearsal import Rehearsal
from tasks.errors import BreakerTrippedError, HeldError, StrataError
from tasks.policy.campaigns import Campaign
from tasks.stores.keys import making_no_key

WORST_FIRST: Final = (5, 2, 6, 1, 3, 4, 0)
"""Exit codes: a person must look; a send was stopped; another attempt may do; somebody has to say yes; all is well."""
_HELD: Final = "held"
Row = dict[str, Any]


class NotAllSentError(StrataError):
    """Some of a day's campaigns did not go out although nobody has to say yes to them; the others did."""

    def __init__(self, summary: dict[str, Any]) -> None:
        """Keep the whole summary: what went out is part of the news."""
        self.summary = summary
        rows = summary["sends"]
        left = [row["campaign"] for row in rows if is_stopped(row)]
        super().__init__(
            f"{len(left)} of {len(rows)} campaigns of {summary['send_on']} did not go out: {', '.join(left)}",
            expected="every campaign that is due",
            next_step="see the next step of each, then run `strata send-due` again: what went out stays as it is",
        )

    def __reduce__(self) -> tuple[type["NotAllSentError"], tuple[dict[str, Any]]]:
        """Build a copy from the summary: Prefect may keep errors."""
        return type(self), (self.summary,)


@flow(name="send", flow_run_name=run_name)
def send(parameters: SendParameters) -> dict[str, Any]:
    """Deliver every campaign that is due on a day; what is held or stopped does not stop the others.

    Raises:
        NotAllSentError: after all the others were delivered, where one was stopped by more than its hold.
    """
    summary = leave_summary("send", send_once(parameters))
    if any(map(is_stopped, summary["sends"])):
        raise NotAllSentError(summary)
    return summary


def send_once(parameters: SendParameters) -> dict[str, Any]:
    """The day itself: one row per campaign that is due, with what became of it and what to do next."""
    house = open_house(parameters)
    is_named = parameters.send_on is not None
    send_on = parameters.send_on or business_date(house.started_at, house.zone)
    due = due_campaigns(house.policy.campaigns, send_on, is_named=is_named)
    day = _Day(house, parameters, send_on)
    if parameters.dry_run:
        with making_no_key():
            rehearsal = day.rehearsal(due)
            rows = [_row(campaign, lambda each: _would_send(rehearsal.look(each))) for campaign in due]
    else:
        day.plan(due)
        rows = [_row(campaign, day.deliver) for campaign in due]
    return {"send_on": str(send_on), "outcome": _outcome(rows), "exit_code": worst(rows), "sends": rows}


def due_campaigns(campaigns: tuple[Campaign, ...], send_on: date, *, is_named: bool) -> tuple[Campaign, ...]:
    """What is due on a day, in the order (priority, code).

    A campaign without a schedule is due on any date that a person names, and on none by itself.
    """
    due = (one for one in campaigns if one.is_due(send_on) and (is_named or one.schedule is not None))
    return tuple(sorted(due, key=lambda one: (one.priority, one.code)))


def is_stopped(row: Row) -> bool:
    """Whether a campaign did not go out for more than that it waits for a yes."""
    return bool(row["exit_code"]) and row["status"] != _HELD


def worst(rows: list[Row]) -> int:
    """The exit code of the campaign that went worst; 0 when all went out."""
    return min((int(row["exit_code"]) for row in rows), key=WORST_FIRST.index, default=0)


@dataclass(frozen=True)
class _Day:
    """A day on which campaigns are due, on a lake."""

    house: House
    parameters: SendParameters
    send_on: date

    def plan(self, due: tuple[Campaign, ...]) -> None:
        """Allocate all of them at once, unless the day is too old for each."""
        today = self.parameters.today or business_date(self.house.started_at, self.house.zone)
        age = (today - self.send_on).days
        if fresh := frozenset(campaign.code for campaign in due if age <= campaign.max_age_days):
            told = PlanParameters(send_on=self.send_on, **self._common())
            plan_once(told, only=fresh)

    def rehearsal(self, due: tuple[Campaign, ...]) -> Rehearsal:
        """What would go out now, as `strata campaign --dry-run` counts it, for all of them allocated at once."""
        told = PlanParameters(send_on=self.send_on, **self._common())
        missing = missing_campaigns(self.house, told, self.house.lake.snapshot())
        return Rehearsal(self.house, self.parameters, self.send_on, missing & {campaign.code for campaign in due})

    def deliver(self, campaign: Campaign) -> Row:
        """Publish what the vendor does not have yet."""
        refuse_stale(self.house, campaign, self.send_on, self.parameters.today)
        told = self._told(campaign)
        if campaign.hold:
            require_approval(self.house, campaign, told)
        result = until_published(lambda: deliver_share(self.house, told))
        return {name: result[name] for name in ("status", "rows", "recalled")}

    def _told(self, campaign: Campaign, **more: Any) -> CampaignParameters:
        today = self.parameters.today
        return CampaignParameters(name=campaign.code, send_on=self.send_on, today=today, **more, **self._common())

    def _common(self) -> dict[str, Any]:
        return self.parameters.model_dump(include={"known_as_of", "lake", "policy"})


def _would_send(told: dict[str, Any]) -> Row:
    return {"status": "would send", "rows": told["difference"]["added"], "recalled": told["difference"]["recalled"]}


def _row(campaign: Campaign, act: Callable[[Campaign], Row]) -> Row:
    """What became of one campaign; whatever stopped it is told with the next step."""
    row: Row = {
        "campaign": campaign.code,
        "status": "",
        "rows": 0,
        "recalled": 0,
        "why": "",
        "next": "",
        "exit_code": 0,
    }
    try:
        return row | act(campaign)
    except StrataError as error:
        told = {"status": _status(error), "why": error.found, "next": error.next_step}
        return row | told | {"exit_code": error.exit_code}


def _status(error: StrataError) -> str:
    if isinstance(error, HeldError):
        return _HELD
    return "stopped by a breaker" if isinstance(error, BreakerTrippedError) else "failed"


def _outcome(rows: list[Row]) -> str:
    if not rows:
        return "nothing is due"
    left = sum(bool(row["exit_code"]) for row in rows)
    return f"{len(rows) - left} of {len(rows)} done" if left else "done"
