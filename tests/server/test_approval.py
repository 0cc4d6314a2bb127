"""A held campaign on the real server: the run pauses with the waterfall shown, and a person's yes lets it go on."""

import time
from pathlib import Path

import pytest

from infra.server.api import ask
from infra.server.house import Place
from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tests.server.asking import finished, start_run
from tests.support.winback import SEND_ON, WINBACK, copy_policy, write_exports

pytestmark = [pytest.mark.acceptance]
PAUSE_SECONDS = 200


def test_a_held_campaign_pauses_in_prefect_until_somebody_says_yes(house: Place, tmp_path: Path):
    lake, policy = str(tmp_path / "lake"), str(copy_policy(tmp_path / "policy", winback_sms={"hold": True}))
    told = {"lake": lake, "policy": policy}
    inbox, received = [str(write_exports(tmp_path / "exports"))], "2018-01-01T06:00:00-05:00"
    month = start_run(
        house, "month", month="2017-12", inbox=inbox, received_at=received, known_as_of=str(SEND_ON), **told
    )
    assert finished(house, month)["state_type"] == "COMPLETED"

    day = {"send_on": str(SEND_ON), "today": str(SEND_ON), "known_as_of": str(SEND_ON)}
    run = start_run(house, "campaign", name="winback_sms", wait_for_approval=True, **day, **told)
    _paused(house, run)
    outbox = open_objects(f"{lake}/outbox", Settings())
    assert [meta.key for meta in outbox.list("") if meta.key.startswith(WINBACK.vendor)] == []

    _say_yes(house, run)
    assert finished(house, run)["state_type"] == "COMPLETED"
    assert outbox.head(WINBACK.current) is not None
    kept = open_objects(lake, Settings())
    (approval,) = (kept.read(meta.key) for meta in kept.list(f"approvals/{WINBACK.id}/"))
    assert b'"approved_by": "lin"' in approval


def _paused(house: Place, run: dict[str, object]) -> None:
    """Wait until the run asks."""
    until = time.monotonic() + PAUSE_SECONDS
    while (found := ask(house.api, f"/flow_runs/{run['id']}"))["state_type"] != "PAUSED":
        assert found["state_type"] not in ("FAILED", "CRASHED", "COMPLETED"), found["state"]
        assert time.monotonic() < until, found["state_name"]
        time.sleep(0.5)


def _say_yes(house: Place, run: dict[str, object]) -> None:
    """Resume as the dashboard's form does; Prefect stores the form a moment after the run is paused."""
    until = time.monotonic() + PAUSE_SECONDS
    told = {"run_input": {"approved_by": "lin"}}
    while (answer := ask(house.api, f"/flow_runs/{run['id']}/resume", told))["status"] != "ACCEPT":
        assert time.monotonic() < until, answer
        time.sleep(0.5)
