"""Two deliveries with one coupon pool at once, as separate processes: nobody has two codes, no code two people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from flows.campaign import campaign
from flows.parameters import CampaignParameters
from tests.support.frozen import frozen, thaw_when
from tests.support.stocked import CODES, codes_sent, coupon_policy, stocked_brand
from tests.support.strata import finish
from tests.support.winback import SEND_ON, Brand, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
LATER = date(2018, 1, 9)


def deliver(brand: Brand, day: date) -> dict:
    given = {"name": "winback_sms", "send_on": day, "today": day, "known_as_of": str(day)}
    return campaign(CampaignParameters(lake=brand.uri, policy=str(brand.policy), **given))


@pytest.mark.parametrize("mine", [SEND_ON, LATER], ids=["the same send", "a later send"])
def test_two_deliveries_at_once_share_a_pool(
    mine: date, tmp_path: Path, harness_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    """The second chose its codes on a state that is gone when its turn comes: it chooses again."""
    brand = stocked_brand(tmp_path / "brand").under(coupon_policy(tmp_path / "policy"))
    scratch = tmp_path / "scratch"
    monkeypatch.setenv("STRATA_SCRATCH", str(scratch))
    at = str(SEND_ON)
    told = ("--send-on", at, "--today", at, "--known-as-of", at, "--lake", brand.uri, "--policy", str(brand.policy))
    theirs = frozen(
        "campaign", "winback_sms", "--json", *told, failpoint="table:coupon_allocations:before", env=harness_env
    )
    with theirs as other, ThreadPoolExecutor() as pool:
        thawed = pool.submit(thaw_when, lambda: any(scratch.glob("*/coupon_allocations.parquet")), other)
        deliver(brand, mine)
        thawed.result()
        answer = finish(other)
    assert answer.code == 0, answer.problem
    sent = {day: codes_sent(brand, day) for day in {SEND_ON, mine}}
    assert set(sent[SEND_ON]) == {phone(n) for n in brand.expected()["delivered"]}
    every = [code for codes in sent.values() for code in codes.values()]
    assert len(set(every)) == len(every) == len(sent[SEND_ON]) * len(sent)
    assert set(every) <= set(CODES)
    given = brand.rows("coupon_allocations")
    assert given["code_key"].is_unique().all()
    assert given.height == len(every)
