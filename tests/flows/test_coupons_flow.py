"""Coupon codes from the file of a pool to the vendor's file: one each, in no other place."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from flows.campaign import campaign
from flows.parameters import CampaignParameters
from tasks.errors import MissingDataError, SecurityRefusedError
from tests.support.canaries import seen_in
from tests.support.stocked import CODES, codes_sent, coupon_policy, pool_file, stocked_brand
from tests.support.winback import Brand, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand with a pool of sixty codes."""
    return stocked_brand(tmp_path_factory.mktemp("stocked"))


@pytest.fixture
def brand(stocked: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Brand:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    return stocked.copy(tmp_path / "brand").under(coupon_policy(tmp_path / "policy"))


def test_each_person_has_a_code_of_their_own_also_next_week(brand: Brand, tmp_path: Path):
    brand.deliver()
    first = codes_sent(brand)
    assert set(first) == {phone(n) for n in brand.expected()["delivered"]}
    assert len(set(first.values())) == len(first)
    assert set(first.values()) <= set(CODES)
    brand.deliver()
    assert codes_sent(brand) == first

    later = date(2018, 1, 9)
    given = {"name": "winback_sms", "send_on": later, "today": later, "known_as_of": str(later)}
    campaign(CampaignParameters(lake=brand.uri, policy=str(brand.policy), **given))
    assert set(codes_sent(brand, later)) == set(first)
    assert set(codes_sent(brand, later).values()).isdisjoint(first.values())

    outbox = Path(brand.uri) / "outbox" / "demo_sms"
    assert seen_in(Path(brand.uri), CODES, [outbox]) == [], "codes stand in the vendor's files alone"
    assert seen_in(tmp_path / "scratch", CODES) == []


def test_too_few_codes_plan_nothing_unless_the_campaign_leaves_people_out(brand: Brand):
    sent = len(brand.expected()["delivered"])
    path = brand.policy / "campaigns" / "winback_sms.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    few = pool_file(brand.folder / "few.csv", ["FEW-0001-ABC", "FEW-0002-ABC"], "few")
    brand.take_in(few, "2018-01-01T06:40:00-05:00")
    path.write_text(yaml.safe_dump(told | {"coupon_pool": "few"}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(MissingDataError, match=f"needs {sent} codes, pool few has 2"):
        brand.deliver()
    assert brand.stored() == {}
    assert brand.rows("audience_members").is_empty()
    out = {"pool": "few", "when_empty": "leave_out"}
    path.write_text(yaml.safe_dump(told | {"coupon_pool": out}, allow_unicode=True), encoding="utf-8")
    rehearsed, waterfall = brand.deliver(dry_run=True)["waterfall"], brand.deliver()["waterfall"]
    assert (waterfall["delivered"], rehearsed["planned"], rehearsed["no_coupon"]) == (2, 2, waterfall["no_coupon"])
    assert waterfall["no_coupon"] + waterfall["holdout"] == sent - 2 + len(brand.expected()["holdout"])
    assert brand.rows("coupon_allocations").filter(pool="few").height == 2
    assert brand.rows("touches").filter(kind="planned", campaign="winback_sms").height == 2


def test_a_code_that_the_vendor_refuses_of_a_variable_publishes_nothing(brand: Brand):
    links = pool_file(brand.folder / "links.csv", [f"T.CN/SPRING{n:04}QXZ" for n in range(60)], "links")
    brand.take_in(links, "2018-01-01T06:40:00-05:00")
    policy = coupon_policy(brand.folder / "links", "links", sms={"signature": "青禾"})
    with pytest.raises(SecurityRefusedError, match="hold a link"):
        brand.under(policy).deliver()
    assert brand.stored() == {}
