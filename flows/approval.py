"""Held campaigns: nothing is published until a person has seen the waterfall and said yes."""

import json
from datetime import date
from typing import Any

from prefect import pause_flow_run
from prefect.context import FlowRunContext
from prefect.input import RunInput
from pydantic import Field

from flows.begin import House, open_house
from flows.clock import now
from flows.parameters import CampaignParameters
from tasks.account import account
from tasks.errors import ConfigurationError, HeldError
from tasks.policy.campaigns import Campaign
from tasks.policy.models import Policy
from tasks.steps.house import objects_at
from tasks.stores.objects import Objects

WAIT_SECONDS = 24 * 3600


class Approval(RunInput):
    """What Prefect's form asks of the person who resumes the run."""

    approved_by: str = Field(description="your name: it stands in the record")


def require_approval(house: House, chosen: Campaign, parameters: CampaignParameters, planned: dict[str, Any]) -> None:
    """Return when the send is approved; pause in Prefect if asked to, else refuse with the next step.

    Raises:
        HeldError: nobody has approved the send yet.
    """
    objects, key = objects_at(house.uri), approval_key(chosen, parameters)
    if objects.head(key) is not None:
        return
    if parameters.wait_for_approval and FlowRunContext.get() is not None:
        told = json.dumps(planned["waterfalls"], ensure_ascii=False)
        form = Approval.with_initial_data(description=f"Send {chosen.code} on {parameters.send_on}? {told}")
        answer = pause_flow_run(wait_for_input=form, timeout=WAIT_SECONDS, key=_pause_key(chosen))
        record_approval(objects, key, answer.approved_by)
        return
    raise HeldError(
        f"{chosen.code} on {parameters.send_on} is held for approval",
        expected="the yes of an operator who has seen the waterfall",
        next_step=f"run `strata approve {chosen.code} --send-on {parameters.send_on}`, then the campaign again",
    )


def _pause_key(chosen: Campaign) -> str:
    """Prefect's keys hold lower case, digits and dashes alone."""
    return f"approve-{chosen.code.replace('_', '-')}"


def approve_send(name: str, send_on: date, who: str = "", lake: str = "") -> dict[str, Any]:
    """Record the yes of an operator to a held send, under the policy last used on the lake.

    Raises:
        ConfigurationError: there is no such campaign, or it is not held.
    """
    parameters = CampaignParameters(name=name, send_on=send_on, lake=lake)
    house = open_house(parameters)
    chosen = find_campaign(house.policy, name)
    if not chosen.hold:
        raise ConfigurationError(f"campaign {name} is not held", expected="`hold: true`", next_step="just deliver it")
    by = record_approval(objects_at(house.uri), approval_key(chosen, parameters), who)
    return {"campaign": name, "send_on": str(send_on), "approved_by": by}


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


def approval_key(chosen: Campaign, parameters: Any) -> str:
    """Where the approval of one send lies in the lake."""
    return f"approvals/{chosen.vendor}/{chosen.code}/{parameters.send_on}.json"


def record_approval(objects: Objects, key: str, who: str = "") -> str:
    """Write down who approved and when; the first approval stands."""
    if objects.head(key) is None:
        said = {"approved_by": who or account(), "approved_at": now().isoformat()}
        objects.create(key, json.dumps(said, sort_keys=True).encode())
    return str(json.loads(objects.read(key))["approved_by"])
