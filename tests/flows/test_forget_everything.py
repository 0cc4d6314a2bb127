"""Somebody who has it all is forgotten: a coupon, a declared link, the master, a send; and nothing comes back."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from flows.campaign import campaign
from flows.linking import declare
from flows.master import hand_over
from flows.parameters import CampaignParameters
from flows.verify import verify
from tasks.errors import SecurityRefusedError
from tasks.stores.ring import demo_ring
from tests.support.forgetting import forgotten, tokens_of
from tests.support.journey import member_key
from tests.support.leaks import leaks_in
from tests.support.stocked import codes_sent, coupon_policy, pool_file, stocked_brand
from tests.support.winback import AS_OF, SEND_ON, Brand, copy_policy, phone

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The brand with coupons sent, a link declared, and the master handed over; each test goes on where one ended."""
    folder = tmp_path_factory.mktemp("everything")
    brand = stocked_brand(folder / "brand").under(coupon_policy(folder / "policy"))
    brand.deliver()
    hand_over(AS_OF, uri=brand.uri)
    return brand


def told_of(brand: Brand) -> dict[str, str]:
    return {"lake": brand.uri, "policy": str(brand.policy)}


def linked(brand: Brand, one: str, other: str) -> str:
    told = declare("cannot", one, other, "a call", at="2018-01-02", uri=brand.uri, policy=str(brand.policy))
    return str(told["outcome"])


def test_nothing_of_a_person_with_everything_is_left_or_let_in_again(brand: Brand, tmp_path: Path):
    household, other = sorted(brand.expected()["delivered"])[:2]
    who, code = brand.one_ids()[household], codes_sent(brand)[phone(household)]
    linked(brand, member_key(household), member_key(other))
    secrets = [phone(household), f"{household:032x}", code, *tokens_of(_keys(brand, who))]
    assert len(leaks_in(Path(brand.uri), secrets, ring=demo_ring())) > 10, "the search finds what is there"

    receipt = forgotten(told_of(brand), phone(household))
    assert len(receipt["masters_deleted"]) == 1
    (recall,) = Path(brand.uri).rglob("recall.csv")
    assert list(leaks_in(Path(brand.uri), secrets, ring=demo_ring())) == [str(recall.relative_to(brand.uri))]
    found = verify(brand.uri)
    assert (found.damaged, found.mismatches) == ([], [])

    _nobody_else_lost_a_code(brand, code)
    _the_code_comes_back_to_nobody(brand, code, tmp_path)
    _a_list_that_names_them_is_refused(brand, household, other)
    _a_policy_that_names_them_is_refused(brand, who, tmp_path)
    assert list(leaks_in(Path(brand.uri), secrets, ring=demo_ring())) == [str(recall.relative_to(brand.uri))]


def _keys(brand: Brand, who: str) -> list[str]:
    return brand.rows("identities").filter(one_id=who)["key"].unique().to_list()


def _nobody_else_lost_a_code(brand: Brand, code: str) -> None:
    """Everybody else keeps theirs, and whoever comes next week gets one that nobody had."""
    before = codes_sent(brand)
    assert code not in before.values()
    day = SEND_ON.replace(day=9)
    told = {"name": "winback_sms", "send_on": day, "today": day, "known_as_of": str(day)}
    campaign(CampaignParameters(**told, **told_of(brand)))
    later = codes_sent(brand, day)
    assert set(later) == set(before)
    assert not set(later.values()) & {*before.values(), code}


def _the_code_comes_back_to_nobody(brand: Brand, code: str, folder: Path) -> None:
    """The pool exported once more: that code stays out, as everything of the person does."""
    free = brand.rows("coupons").height
    brand.take_in(pool_file(folder / "again.csv", [code, "SPRING-NEW-0001"]), "2018-01-10T06:00:00-05:00")
    assert brand.rows("coupons").height == free + 1
    assert brand.rows("quarantine").filter(rule="erased_person").height == 1


def _a_list_that_names_them_is_refused(brand: Brand, household: int, other: int) -> None:
    links = brand.rows("identity_links").height
    linked(brand, f"phone:{phone(household)}", member_key(other))
    assert brand.rows("identity_links").height == links
    assert brand.rows("quarantine").filter(rule="erased_person").height == 2


def _a_policy_that_names_them_is_refused(brand: Brand, who: str, folder: Path) -> None:
    """A lock, and a condition, of a policy that was never here before."""
    lock = {"one_id": who, "starts_on": "2018-01-01", "ends_on": "2018-01-31", "reason": "promised"}
    by_lock, by_condition = (copy_policy(folder / name) for name in ("lock", "condition"))
    (by_lock / "holds.yaml").write_text(yaml.safe_dump({"locks": [lock]}))
    path = by_condition / "campaigns" / "winback_sms.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8")) | {"audience": f"one_id = '{who}'"}
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    stored = set(Path(brand.uri, "policies").iterdir())
    for policy, place in ((by_lock, "holds.locks.1.one_id"), (by_condition, r"campaigns\..*audience")):
        with pytest.raises(SecurityRefusedError, match=f"names a customer who was forgotten: {place}") as refused:
            brand.under(policy).deliver(dry_run=policy is by_lock)
        assert who not in str(refused.value)
    assert set(Path(brand.uri, "policies").iterdir()) == stored
    assert brand.rows("customers").filter(pl.col("one_id") == who).is_empty()
