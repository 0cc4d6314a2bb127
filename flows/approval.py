"""Held campaigns: nothing is published until a person has seen the waterfall and said yes."""

import json
from datetime import date
from typing import Any, NamedTuple

import polars as pl
from prefect import pause_flow_run
from prefect.context import FlowRunContext
from prefect.input import RunInput
from pydantic import Field

from flows.begin import House, open_house
from flows.clock import now
from flows.parameters import CampaignParameters
from flows.plan import outbox_of
from tasks.account import account
from tasks.errors import ConfigurationError, HeldError
from tasks.policy.campaigns import Campaign
from tasks.policy.models import Policy
from tasks.steps.house import objects_at
from tasks.stores.manifest import canonical, sha256_of
from tasks.stores.objects import Objects
from tasks.stores.sends import Send, read_send
from tasks.transforms.waterfall import waterfall

WAIT_SECONDS = 24 * 3600


class Approval(RunInput):
    """What Prefect's form asks of the person who resumes the run."""

    approved_by: str = Field(description="your name: it stands in the record")


class Asked(NamedTuple):
    """What a yes is a yes to: the numbers of the plan, and the campaign as it is written."""

    waterfall: dict[str, int]
    rules: str

    def told(self) -> dict[str, Any]:
        """As it is stored."""
        return {"waterfall": self.waterfall, "rules": self.rules}


def asked_of(house: House, chosen: Campaign, send_on: date) -> Asked | None:
    """What is to be approved of a send; None where nothing of it is planned.

    What persons set off grows over the day: its yes is one to the campaign, whatever its numbers are.
    """
    send = Send(chosen.vendor, chosen.code, send_on)
    rows = house.lake.scan("audience_members", house.lake.snapshot(), partitions=[send_on])
    own = rows.filter(pl.col("send_id") == send.id).collect()
    if own.is_empty():
        return None
    counts = {} if chosen.trigger else {outcome: count for outcome, count in waterfall(own).items() if count}
    return Asked(counts, sha256_of(canonical(chosen.model_dump(mode="json"))))


def is_approved(house: House, chosen: Campaign, parameters: Any) -> bool:
    """Whether an operator has said yes to just this.

    Once a revision is out, its yes stands: what comes after calls people back, and must not wait.
    """
    objects, asked = objects_at(house.uri), asked_of(house, chosen, parameters.send_on)
    if asked is None:
        return False
    send = Send(chosen.vendor, chosen.code, parameters.send_on)
    if chosen.trigger is None and read_send(objects_at(outbox_of(parameters)), send).published.seq:
        return any(True for _ in objects.list(_folder(chosen, parameters.send_on)))
    return objects.head(approval_key(chosen, parameters.send_on, asked)) is not None


def require_approval(house: House, chosen: Campaign, parameters: CampaignParameters) -> None:
    """Return when the send is approved; pause in Prefect if asked to, else refuse with the next step.

    Raises:
        HeldError: nobody has approved the send yet, or what was approved is not what would go out.
    """
    if is_approved(house, chosen, parameters):
        return
    objects, asked = objects_at(house.uri), asked_of(house, chosen, parameters.send_on)
    if asked is not None and parameters.wait_for_approval and FlowRunContext.get() is not None:
        told = json.dumps(asked.waterfall, ensure_ascii=False)
        form = Approval.with_initial_data(description=f"Send {chosen.code} on {parameters.send_on}? {told}")
        answer = pause_flow_run(wait_for_input=form, timeout=WAIT_SECONDS, key=_pause_key(chosen))
        record_approval(objects, approval_key(chosen, parameters.send_on, asked), asked, answer.approved_by)
        return
    is_other = any(True for _ in objects.list(_folder(chosen, parameters.send_on)))
    policy = f" --policy {parameters.policy}" if parameters.policy else ""
    raise HeldError(
        f"{chosen.code} on {parameters.send_on} is held for approval"
        + (": the yes that was said was to another plan or to the campaign as it was written then" if is_other else ""),
        expected="the yes of an operator who has seen the waterfall",
        next_step=f"run `strata approve {chosen.code} --send-on {parameters.send_on}{policy}`, then the campaign again",
    )


def _pause_key(chosen: Campaign) -> str:
    """Prefect's keys hold lower case, digits and dashes alone."""
    return f"approve-{chosen.code.replace('_', '-')}"


def approve_send(name: str, send_on: date, who: str = "", lake: str = "", policy: str = "") -> dict[str, Any]:
    """Record the yes of an operator to a held send as it is planned, and show what it is a yes to.

    Without a policy the one last used on the lake holds.

    Raises:
        ConfigurationError: there is no such campaign, it is not held, or nothing of it is planned.
    """
    house = open_house(CampaignParameters(name=name, send_on=send_on, lake=lake, policy=policy))
    chosen = find_campaign(house.policy, name)
    if not chosen.hold:
        raise ConfigurationError(f"campaign {name} is not held", expected="`hold: true`", next_step="just deliver it")
    asked = asked_of(house, chosen, send_on)
    if asked is None:
        raise ConfigurationError(
            f"nothing of {name} is planned for {send_on}",
            expected="a plan: a yes is one to its numbers",
            next_step=f"run `strata campaign {name} --send-on {send_on}`, which plans it and waits, then approve it",
        )
    by = record_approval(objects_at(house.uri), approval_key(chosen, send_on, asked), asked, who)
    return {"campaign": name, "send_on": str(send_on), "approved_by": by, "waterfall": asked.waterfall}


def find_campaign(policy: Policy, name: str) -> Campaign:
    """The campaign of that code; ConfigurationError lists those there are."""
    codes = [campaign.code for campaign in policy.campaigns]
    if name not in codes:
        raise ConfigurationError(
            f"there is no campaign {name}",
            expected=f"one of {', '.join(codes) or 'none: the policy has no campaigns'}",
            next_step="add campaigns/NAME.yaml to the policy, and pass --policy",
        )
    return policy.campaign(name)


def _folder(chosen: Campaign, send_on: date) -> str:
    return f"approvals/{chosen.vendor}/{chosen.code}/{send_on}/"


def approval_key(chosen: Campaign, send_on: date, asked: Asked) -> str:
    """Where the approval of one send with these numbers and rules lies in the lake."""
    return f"{_folder(chosen, send_on)}{sha256_of(canonical(asked.told()))[:16]}.json"


def record_approval(objects: Objects, key: str, asked: Asked, who: str = "") -> str:
    """Write down who approved what and when; the first approval of the same stands."""
    if objects.head(key) is None:
        said = {"approved_by": who or account(), "approved_at": now().isoformat(), "approved": asked.told()}
        objects.create(key, json.dumps(said, sort_keys=True).encode())
    return str(json.loads(objects.read(key))["approved_by"])
