"""Coupon codes from the file of a pool to the vendor's file: one each, the same after a kill, in no other place."""

import csv
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from flows.campaign import campaign
from flows.parameters import CampaignParameters
from tasks.errors import MissingDataError
from tests.support.canaries import seen_in
from tests.support.strata import finish, start
from tests.support.winback import SEND_ON, Brand, copy_policy, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
CODES = tuple(f"SPRING-{n:04}-QXZ" for n in range(60))


@pytest.fixture(scope="module")
def stocked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand with a pool of sixty codes."""
    request.getfixturevalue("prefect_harness")
    brand = Brand.found(tmp_path_factory.mktemp("stocked"))
    pool = brand.folder / "codes.csv"
    pool.write_text("pool,code,face_value\n" + "".join(f"spring,{code},20\n" for code in CODES))
    brand.take_in(pool, "2018-01-01T06:30:00-05:00")
    return brand


@pytest.fixture
def brand(stocked: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Brand:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    folder = copy_policy(tmp_path / "policy", winback_sms={"coupon_pool": "spring"})
    path = folder / "vendors" / "demo_sms.yaml"
    vendor = yaml.safe_load(path.read_text(encoding="utf-8"))
    vendor["columns"].append({"header": "code", "source": "variable:coupon"})
    path.write_text(yaml.safe_dump(vendor, allow_unicode=True), encoding="utf-8")
    return stocked.copy(tmp_path / "brand").under(folder)


def codes(brand: Brand, day: date = SEND_ON) -> dict[str, str]:
    """Phone to code in all parts of a day's send."""
    folder = brand.folder / "lake" / "outbox" / "demo_sms" / "winback_sms" / str(day)
    return {row["phone"]: row["code"] for path in sorted(folder.glob("rev-*/part-*.csv")) for row in _rows(path)}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(path.open(encoding="utf-8", newline=""))


@pytest.mark.proof
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("point", ["table:audience_members:after", "pointer:before", "P8:before", "P8:after"])
def test_a_kill_gives_nobody_a_second_code(brand: Brand, harness_env: dict[str, str], point: str):
    told = ("--send-on", str(SEND_ON), "--today", str(SEND_ON), "--known-as-of", str(SEND_ON))
    command = ("campaign", "winback_sms", "--json", "--lake", brand.uri, "--policy", str(brand.policy), *told)
    killed = finish(start(*command, env=harness_env, STRATA_FAILPOINT=f"{point}:kill"))
    assert killed.code == -signal.SIGKILL, killed.problem
    brand.deliver()
    first = codes(brand)
    assert set(first) == {phone(n) for n in brand.expected()["delivered"]}
    assert len(set(first.values())) == len(first) == brand.rows("coupon_allocations").height


def test_each_person_has_a_code_of_their_own_also_next_week(brand: Brand, tmp_path: Path):
    brand.deliver()
    first = codes(brand)
    assert set(first) == {phone(n) for n in brand.expected()["delivered"]}
    assert len(set(first.values())) == len(first)
    assert set(first.values()) <= set(CODES)
    brand.deliver()
    assert codes(brand) == first

    later = date(2018, 1, 9)
    given = {"name": "winback_sms", "send_on": later, "today": later, "known_as_of": str(later)}
    campaign(CampaignParameters(lake=brand.uri, policy=str(brand.policy), **given))
    assert set(codes(brand, later)) == set(first)
    assert set(codes(brand, later).values()).isdisjoint(first.values())

    outbox = Path(brand.uri) / "outbox" / "demo_sms"
    assert seen_in(Path(brand.uri), CODES, [outbox]) == [], "codes stand in the vendor's files alone"
    assert seen_in(tmp_path / "scratch", CODES) == []


def test_too_few_codes_plan_nothing_unless_the_campaign_leaves_people_out(brand: Brand):
    sent = len(brand.expected()["delivered"])
    path = brand.policy / "campaigns" / "winback_sms.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    few = brand.folder / "few.csv"
    few.write_text("pool,code\nfew,FEW-0001-ABC\nfew,FEW-0002-ABC\n")
    brand.take_in(few, "2018-01-01T06:40:00-05:00")
    path.write_text(yaml.safe_dump(told | {"coupon_pool": "few"}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(MissingDataError, match=f"needs {sent} codes, pool few has 2"):
        brand.deliver()
    assert brand.stored() == {}
    assert brand.rows("audience_members").is_empty()
    out = {"pool": "few", "when_empty": "leave_out"}
    path.write_text(yaml.safe_dump(told | {"coupon_pool": out}, allow_unicode=True), encoding="utf-8")
    assert brand.deliver(dry_run=True)["waterfall"]["no_coupon"] == sent - 2
    waterfall = brand.deliver()["waterfall"]
    assert (waterfall["delivered"], waterfall["no_coupon"]) == (2, sent - 2)
    assert brand.rows("touches").filter(kind="planned", campaign="winback_sms").height == 2
