"""SIGKILL in `strata campaign` itself: the vendor sees all or nothing, the rerun sends to nobody twice and records all.

The protocol of the outbox alone is killed at every step in test_publish_kill.py; here it is the whole
flow, with the plan before it and the lake's record after it.
"""

import signal
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from flows.agreement import disagreements, roots
from flows.doctor import mend
from flows.parameters import PlanParameters
from flows.plan import plan
from tasks.stores.index import orphans
from tests.support.canaries import seen_in
from tests.support.kills import places
from tests.support.sends import Client
from tests.support.strata import finish, start
from tests.support.winback import HOUSEHOLDS, SEND_ON, WINBACK, Brand, phone

pytestmark = pytest.mark.acceptance

INVISIBLE = ["P3:after", "P5:before", "P6:after", "P8:before"]
VISIBLE = ["P8:after", "P9:after"]
RECORDING = ["table:audience_members:after", "pointer:before"]
RECORDED = ["pointer:after"]
RECORDS = ("audience_members", "touches", "deliveries")


BY_DEFAULT = ("P3:after", "P6:after", "P8:before", "P8:after", "pointer:before")
"""Every place is killed at by `make proof`; each costs a process that imports Prefect and the gate."""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scratch of each test's own."""
    folder = tmp_path / "scratch"
    monkeypatch.setenv("STRATA_SCRATCH", str(folder))
    return folder


@pytest.fixture(scope="module")
def planned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand with its date planned, so that every point is reached by the delivery alone."""
    request.getfixturevalue("prefect_harness")
    brand = Brand.found(tmp_path_factory.mktemp("planned"))
    told = {"lake": brand.uri, "policy": str(brand.policy)}
    plan(PlanParameters(send_on=SEND_ON, known_as_of=str(SEND_ON), **told))
    return brand


@pytest.fixture(scope="module")
def undisturbed(planned: Brand, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The same brand after a delivery in which nobody was killed."""
    brand = planned.copy(tmp_path_factory.mktemp("undisturbed") / "brand")
    brand.deliver()
    return brand


@pytest.fixture
def brand(planned: Brand, tmp_path: Path) -> Brand:
    return planned.copy(tmp_path / "brand")


def killed_at(point: str, brand: Brand, scratch: Path, env: Mapping[str, str]) -> None:
    """Deliver in a child that dies at the point; a point that is never reached fails the test."""
    told = ("--send-on", str(SEND_ON), "--today", str(SEND_ON), "--known-as-of", str(SEND_ON))
    own = {"STRATA_SCRATCH": str(scratch), "STRATA_FAILPOINT": f"{point}:kill"}
    answer = finish(start("campaign", "winback_sms", "--json", "--lake", brand.uri, *told, env=env, **own))
    assert answer.code == -signal.SIGKILL, f"{point} never fired: {answer.problem}"


def records(brand: Brand) -> dict[str, pl.DataFrame]:
    """What the lake says of the send."""
    return {table: brand.rows(table) for table in RECORDS}


def same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> bool:
    """Whether both say the same, in whatever order of rows."""
    return all(left[table].sort(pl.all()).equals(right[table].sort(pl.all())) for table in RECORDS)


@pytest.mark.parametrize("point", places((*INVISIBLE, *VISIBLE, *RECORDING, *RECORDED), BY_DEFAULT))
def test_a_killed_delivery_is_finished_by_the_rerun(
    point: str, brand: Brand, planned: Brand, undisturbed: Brand, scratch: Path, harness_env: dict[str, str]
):
    killed_at(point, brand, scratch, harness_env)
    due = Client(undisturbed.outbox, WINBACK).by_pointer()
    assert Client(brand.outbox, WINBACK).by_pointer() == ([] if point in INVISIBLE else due)
    assert same(records(brand), records(undisturbed if point in RECORDED else planned))
    assert seen_in(scratch, map(phone, HOUSEHOLDS)) == []
    for status in ("published" if point in INVISIBLE else "already_published", "already_published"):
        assert brand.deliver()["status"] == status
        check_delivered_once(brand, undisturbed, due)


def check_delivered_once(brand: Brand, undisturbed: Brand, due: list[str]) -> None:
    """The outbox byte for byte, and the ledger row for row, as if nobody had been killed."""
    client = Client(brand.outbox, WINBACK)
    assert client.by_pointer() == client.by_success() == due
    assert brand.stored() == undisturbed.stored()
    assert orphans(brand.outbox) == ()
    assert same(records(brand), records(undisturbed))
    assert brand.lake.snapshot().seq == undisturbed.lake.snapshot().seq


@pytest.mark.parametrize("point", places(("P8:after", "pointer:before"), BY_DEFAULT))
def test_the_doctor_finds_and_mends_what_a_kill_left(
    point: str, brand: Brand, undisturbed: Brand, scratch: Path, harness_env: dict[str, str]
):
    assert disagreements(*roots(undisturbed.uri)) == []
    killed_at(point, brand, scratch, harness_env)
    rehearsed = mend(brand.uri, is_rehearsal=True)
    assert {row["what"] for row in rehearsed} == {"unrecorded"} | ({"unfinished"} if point == "P8:after" else set())
    assert mend(brand.uri, is_rehearsal=False) == rehearsed
    assert disagreements(*roots(brand.uri)) == []
    assert brand.stored() == undisturbed.stored()
    told = {"audience_members": ["one_id", "outcome", "seq"], "touches": ["one_id", "kind"], "deliveries": ["seq"]}
    for table, columns in told.items():
        left, right = (one.rows(table).select(columns).sort(pl.all()) for one in (brand, undisturbed))
        assert left.equals(right), table


def test_a_point_that_does_not_exist_fails_the_test(
    undisturbed: Brand, tmp_path: Path, scratch: Path, harness_env: dict[str, str]
):
    with pytest.raises(AssertionError, match="P99:before never fired"):
        killed_at("P99:before", undisturbed.copy(tmp_path / "brand"), scratch, harness_env)
