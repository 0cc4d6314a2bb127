"""SIGKILL at every named step of a plan with coupons and its delivery: no code twice, none lost, each their own."""

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.canaries import seen_in
from tests.support.kills import places
from tests.support.stocked import CODES, codes_sent, coupon_policy, stocked_brand
from tests.support.strata import finish, start
from tests.support.winback import SEND_ON, Brand, phone

pytestmark = pytest.mark.acceptance

PLANNING = [
    *(f"table:{table}:{when}" for table in ("audience_members", "assignments", "touches", "coupon_allocations")
      for when in ("before", "after")), "pointer:before",
]  # fmt: skip
"""The plan's tables, then the swap: nothing of it was ever there."""
PLANNED = ["pointer:after", "P3:before", "P3:after", "P4:before", "P4:after", "P5:before", "P5:after", "P6:before",
           "P6:after", "P7:before", "P7:after", "P8:before"]  # fmt: skip
"""The plan stands, and with it everybody's code; no vendor sees it."""
VISIBLE = ["P8:after", "P9:before", "index:before", "P9:after", "P10:before", "P10:after"]
RECORDING = ["table:deliveries:before", "table:deliveries:after"]
BY_DEFAULT = ("table:audience_members:after", "P8:after")
"""Every place is killed at by `make proof`."""


@pytest.fixture(scope="module")
def stocked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The brand with its pool, before any plan."""
    request.getfixturevalue("prefect_harness")
    folder = tmp_path_factory.mktemp("stocked")
    return stocked_brand(folder / "brand").under(coupon_policy(folder / "coupons"))


@pytest.fixture(scope="module")
def undisturbed(stocked: Brand, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The same brand after a delivery in which nobody was killed."""
    brand = stocked.copy(tmp_path_factory.mktemp("undisturbed") / "brand")
    brand.deliver()
    return brand


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def killed_at(point: str, brand: Brand, scratch: Path, env: Mapping[str, str]) -> None:
    """Plan and deliver in a child that dies at the point; a point that is never reached fails the test."""
    told = ("--send-on", str(SEND_ON), "--today", str(SEND_ON), "--known-as-of", str(SEND_ON))
    command = ("campaign", "winback_sms", "--json", "--lake", brand.uri, "--policy", str(brand.policy), *told)
    own = {"STRATA_SCRATCH": str(scratch), "STRATA_FAILPOINT": f"{point}:kill"}
    answer = finish(start(*command, env=env, **own))
    assert answer.code == -signal.SIGKILL, f"{point} never fired: {answer.problem}"


def given(brand: Brand) -> dict[str, str]:
    """Person to the name of their code, as the lake has it."""
    rows = brand.rows("coupon_allocations")
    assert rows["code_key"].is_unique().all()
    assert rows["one_id"].is_unique().all()
    return dict(rows.select("one_id", "code_key").iter_rows())


@pytest.mark.parametrize("point", places((*PLANNING, *PLANNED, *VISIBLE, *RECORDING), BY_DEFAULT))
def test_a_kill_gives_nobody_a_second_code_and_loses_none(
    point: str, stocked: Brand, undisturbed: Brand, tmp_path: Path, scratch: Path, harness_env: dict[str, str]
):
    brand = stocked.copy(tmp_path / "brand")
    killed_at(point, brand, scratch, harness_env)
    assert given(brand) == ({} if point in PLANNING else given(undisturbed))
    seen = codes_sent(brand) if brand.outbox.head("demo_sms/INDEX.json") else {}
    assert seen.items() <= codes_sent(undisturbed).items()
    assert seen_in(scratch, CODES) == [], "a killed process left codes in clear"
    for _ in range(2):
        brand.deliver()
        assert codes_sent(brand) == codes_sent(undisturbed)
        assert given(brand) == given(undisturbed)
    assert set(codes_sent(brand)) == {phone(n) for n in brand.expected()["delivered"]}
    assert len(set(codes_sent(brand).values())) == len(given(brand))
