"""A day of sends: in order, once, none stopped by another's hold or breaker, nothing without a schedule unasked."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from flows import rehearsal
from flows.approval import approve_send
from flows.cli import app
from flows.parameters import PlanParameters, SendParameters
from flows.plan import plan_once
from flows.send_due import NotAllSentError, due_campaigns, send
from tasks.policy.load import load_policy
from tasks.refs import Run
from tasks.steps.plan import allocation_of
from tasks.stores.sends import Send
from tasks.transforms.allocation import Allocation
from tests.support.winback import SEND_ON, WINBACK, Brand, copy_policy

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
EVERYONE = {"audience": "frequency > 0", "holdout": None}
DAILY = {"schedule": {"every": "day"}}


@pytest.fixture(autouse=True)
def _own_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))


@pytest.fixture
def brand(founded: Brand, tmp_path: Path) -> Brand:
    return founded.copy(tmp_path / "brand")


def sent(brand: Brand, day: date = SEND_ON, **more: Any) -> dict[str, Any]:
    told = {"send_on": day, "today": day, "known_as_of": str(day), "lake": brand.uri, "policy": str(brand.policy)}
    return send(SendParameters.model_validate(told | more))


def by_campaign(summary: dict[str, Any], field: str = "status") -> dict[str, Any]:
    return {row["campaign"]: row[field] for row in summary["sends"]}


def test_all_that_is_due_goes_out_in_order_and_once(brand: Brand, tmp_path: Path):
    """The gift comes first in the alphabet and by priority last; Tuesdays are not due on a Monday."""
    tuesday = EVERYONE | {"schedule": {"every": "week", "weekdays": [2]}}
    policy = copy_policy(tmp_path / "policy", a_gift=EVERYONE | {"priority": 90}, on_tuesday=tuesday)
    day = brand.under(policy)
    rehearsed = sent(day, dry_run=True)
    assert (rehearsed["outcome"], day.stored(), day.rows("touches").is_empty()) == ("done", {}, True)
    told = sent(day)
    assert [row["campaign"] for row in told["sends"]] == ["winback_sms", "welcome_push", "a_gift"]
    assert set(by_campaign(told).values()) == {"published"}
    assert by_campaign(told, "rows") == by_campaign(rehearsed, "rows")
    assert by_campaign(told, "rows")["winback_sms"] == len(day.expected()["delivered"])
    files, ledger = day.stored(), day.rows("touches").height
    again = sent(day)
    assert (again["exit_code"], set(by_campaign(again).values())) == (0, {"already_published"})
    assert (day.stored(), day.rows("touches").height) == (files, ledger)


def test_a_dry_run_allocates_a_day_once_and_tells_of_each_what_it_tells_alone(
    brand: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    allocated: list[frozenset[str]] = []

    def counting(run: Run, outbox: str, send_on: date, campaigns: frozenset[str], at: datetime) -> Allocation:
        allocated.append(campaigns)
        return allocation_of(run, outbox, send_on, campaigns, at)

    day = brand.under(copy_policy(tmp_path / "policy", a_gift=EVERYONE | {"priority": 90}))
    alone = {name: day.deliver(name, dry_run=True)["difference"]["added"] for name in ("winback_sms", "a_gift")}
    monkeypatch.setattr(rehearsal, "allocation_of", counting)
    together = by_campaign(sent(day, dry_run=True), "rows")
    assert {name: together[name] for name in alone} == alone
    assert allocated == [frozenset({"winback_sms", "welcome_push", "a_gift"})]


def test_a_dry_run_of_a_late_campaign_counts_what_the_frozen_plan_has_left(brand: Brand, tmp_path: Path):
    """Planned anew, the late one with the higher priority would take everybody from those that are planned."""
    told = {"send_on": SEND_ON, "known_as_of": str(SEND_ON), "lake": brand.uri, "policy": str(brand.policy)}
    planned = plan_once(PlanParameters.model_validate(told))["waterfalls"]
    day = brand.under(copy_policy(tmp_path / "policy", a_gift=EVERYONE | {"priority": 1}))
    rehearsed, alone = sent(day, dry_run=True), day.deliver("a_gift", dry_run=True)
    assert by_campaign(rehearsed, "rows") == by_campaign(sent(day), "rows")
    assert by_campaign(rehearsed, "rows")["a_gift"] == alone["difference"]["added"]
    assert by_campaign(rehearsed, "rows")["winback_sms"] == next(
        account["planned"] for account in planned if "winback_sms" in account["send"]
    )


def test_a_plan_that_never_went_out_holds_nobody_back(brand: Brand, tmp_path: Path):
    """Three days after its last day it is taken back when a day is planned; its vendor hears nothing of it."""
    told = {"known_as_of": str(SEND_ON), "lake": brand.uri, "policy": str(brand.policy)}
    first = plan_once(PlanParameters.model_validate({"send_on": SEND_ON, **told}))
    planned = {account["send"]: account["planned"] for account in first["waterfalls"]}
    for day, waits in ((date(2018, 1, 4), True), (date(2018, 1, 5), False)):
        late = brand.copy(tmp_path / str(day))
        rehearsed = by_campaign(sent(late, day, dry_run=True), "rows")
        done = sent(late, day)
        assert by_campaign(done, "rows") == rehearsed
        assert rehearsed["winback_sms"] == (0 if waits else planned[WINBACK.id])
        stood = late.rows("audience_members").filter(pl.col("send_id") == WINBACK.id)["outcome"]
        assert ("cancelled" in stood, "planned" in stood) == (not waits, waits)
        assert not any(key.startswith(WINBACK.id) for key in late.stored())


def test_a_hold_stops_no_other_and_tells_what_to_do(brand: Brand, tmp_path: Path):
    day = brand.under(copy_policy(tmp_path / "policy", winback_sms={"hold": True}))
    told = sent(day)
    assert by_campaign(told) == {"winback_sms": "held", "welcome_push": "published"}
    assert (told["outcome"], told["exit_code"]) == ("1 of 2 done", 4)
    assert "strata approve winback_sms --send-on 2018-01-01" in told["sends"][0]["next"]
    approve_send("winback_sms", SEND_ON, "lin", day.uri)
    assert by_campaign(sent(day)) == {"winback_sms": "published", "welcome_push": "already_published"}


def test_a_breaker_stops_its_own_campaign_alone_and_is_the_worst(brand: Brand, tmp_path: Path):
    """On the second day the win-back has forgotten its holdout, and only those held out are left under the cap."""
    sent(brand)
    changes = {"winback_sms": {"holdout": None, "breaks": {"overlap": 0.5}}, "welcome_push": {"hold": True}}
    day, next_day = brand.under(copy_policy(tmp_path / "policy", **changes)), date(2018, 1, 2)
    with pytest.raises(NotAllSentError, match="1 of 2 campaigns of 2018-01-02 did not go out: winback_sms") as stopped:
        sent(day, next_day)
    summary = stopped.value.summary
    assert by_campaign(summary) == {"winback_sms": "stopped by a breaker", "welcome_push": "held"}
    assert summary["exit_code"] == 2
    asked = ["--send-on", str(next_day), "--today", str(next_day), "--known-as-of", str(next_day), "--json"]
    answer = CliRunner().invoke(app, ["send-due", *asked, "--lake", day.uri, "--policy", str(day.policy)])
    assert (answer.exit_code, json.loads(answer.stdout)) == (2, summary)


def test_a_day_long_gone_is_neither_planned_nor_sent(brand: Brand):
    with pytest.raises(NotAllSentError) as refused:
        sent(brand, today=date(2018, 1, 9))
    assert set(by_campaign(refused.value.summary).values()) == {"failed"}
    assert (brand.stored(), brand.rows("audience_members").is_empty()) == ({}, True)


def test_by_itself_only_what_has_a_schedule_goes_out(tmp_path: Path):
    campaigns = load_policy(copy_policy(tmp_path / "policy", daily=EVERYONE | DAILY)).campaigns
    assert [one.code for one in due_campaigns(campaigns, SEND_ON, is_named=False)] == ["daily"]
    assert len(due_campaigns(campaigns, SEND_ON, is_named=True)) == 3


def test_a_deployments_run_plans_and_sends_only_what_has_a_schedule(brand: Brand, tmp_path: Path):
    """No date is told: the day of the run counts, whichever it is."""
    day = brand.under(copy_policy(tmp_path / "policy", daily=EVERYONE | DAILY))
    told = send(SendParameters(lake=day.uri, policy=str(day.policy)))
    assert by_campaign(told) == {"daily": "published"}
    assert set(day.rows("audience_members")["campaign"]) == {"daily"}
    (revision,) = day.published(Send("demo_sms", "daily", date.fromisoformat(told["send_on"])))
    assert revision.manifest["rows"] == by_campaign(told, "rows")["daily"] > 0
