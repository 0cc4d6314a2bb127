"""Expire: what vendors may keep no longer goes from the outbox, every day; what tells of it stays."""

from datetime import date
from typing import Any

from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import open_house
from flows.clock import business_date
from flows.names import run_name
from flows.parameters import ExpireParameters
from flows.plan import outbox_of
from tasks.settings import Settings
from tasks.steps.house import objects_at
from tasks.stores.expiry import Expired, look
from tasks.stores.expiry import expire as let_go
from tasks.stores.lease import hold
from tasks.stores.objects import Objects
from tasks.stores.tables import LEASE_SECONDS

DANGLING_SECONDS = 48 * 3600
"""Uploads that nobody went on with for so long are given up."""


@flow(name="expire", flow_run_name=run_name)
def expire(parameters: ExpireParameters) -> dict[str, Any]:
    """Delete what vendors may keep no longer, and say so where they look; twice is once."""
    return leave_summary("expire", expire_once(parameters))


def expire_once(parameters: ExpireParameters) -> dict[str, Any]:
    """The deletion itself, under the writer's lease; only a list where it is a rehearsal."""
    house = open_house(parameters)
    outbox = objects_at(outbox_of(parameters))
    today = parameters.today or business_date(house.started_at, house.zone)
    if parameters.dry_run:
        found, damaged = look(outbox, today)
        told = _told(today, found, (), is_done=False)
        return told | {"damaged": list(damaged)} if damaged else told
    wait = Settings().lease_wait_seconds
    with hold(objects_at(house.uri), "expire", wait_seconds=wait, lease_seconds=LEASE_SECONDS):
        dangling = _dangling(outbox)
        return _told(today, let_go(outbox, today), dangling, is_done=True)


def _dangling(outbox: Objects) -> tuple[str, ...]:
    return outbox.sweep(DANGLING_SECONDS)


def _told(today: date, gone: tuple[Expired, ...], dangling: tuple[str, ...], *, is_done: bool) -> dict[str, Any]:
    revisions = [
        {"send": one.send_id, "seq": one.seq, "expired_on": str(one.expires_on), "files": len(one.keys)} for one in gone
    ]
    return {
        "today": str(today),
        "outcome": ("expired" if gone else "nothing is due") if is_done else "would expire",
        "revisions": revisions,
        "dangling_uploads": len(dangling),
    }
