"""Held campaigns: nothing is published until a person has seen the waterfall and said yes."""

import getpass
import json
from datetime import UTC, datetime
from typing import Any

from prefect import pause_flow_run
from prefect.context import FlowRunContext
from prefect.input import RunInput
from pydantic import Field

from flows.begin import House
from flows.parameters import CampaignParameters
from tasks.errors import HeldError
from tasks.policy.models import Campaign
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
        answer = pause_flow_run(wait_for_input=form, timeout=WAIT_SECONDS, key=f"approve-{chosen.code}")
        record_approval(objects, key, answer.approved_by)
        return
    raise HeldError(
        f"{chosen.code} on {parameters.send_on} is held for approval",
        expected="the yes of an operator who has seen the waterfall",
        next_step=f"run `strata approve {chosen.code} --send-on {parameters.send_on}`, then the campaign again",
    )


def approval_key(chosen: Campaign, parameters: Any) -> str:
    """Where the approval of one send lies in the lake."""
    return f"approvals/{chosen.vendor}/{chosen.code}/{parameters.send_on}.json"


def record_approval(objects: Objects, key: str, who: str = "") -> str:
    """Write down who approved and when; the first approval stands."""
    if objects.head(key) is None:
        said = {"approved_by": who or getpass.getuser(), "approved_at": datetime.now(UTC).isoformat()}
        objects.create(key, json.dumps(said, sort_keys=True).encode())
    return str(json.loads(objects.read(key))["approved_by"])
