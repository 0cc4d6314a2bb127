"""Quiet hours bind: what campaign, vendor and variants allow is told to the vendor; without any nothing goes out."""

from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.errors import BadPolicyError
from tasks.policy.hours import check_hours, hours_for
from tasks.policy.lint.check import check_folder
from tasks.policy.load import load_policy
from tasks.stores.manifest import terms_of
from tests.support.campaigns import campaign, vendor
from tests.support.winback import copy_policy

DAY = {"from": "08:00", "to": "20:00"}
NIGHT = {"from": "21:00", "to": "23:00"}
VARIANTS = ({"code": "a", "hour": 10}, {"code": "b", "hour": 19})


def test_messages_arrive_in_the_hours_that_both_allow_else_in_the_usual_ones() -> None:
    evening = campaign(hours={"from": "18:00", "to": "22:00"})
    assert hours_for(evening, vendor(hours=DAY)) == (time(18), time(20))
    assert hours_for(campaign(), vendor()) == (time(9), time(20))


def test_the_vendor_is_told_them() -> None:
    told = terms_of(campaign(), vendor(hours=DAY), date(2026, 7, 31), "Asia/Shanghai")
    assert (told.not_before, told.not_after, told.zone) == ("08:00", "20:00", "Asia/Shanghai")


@pytest.mark.parametrize("hours", [NIGHT, {"from": "20:00", "to": "21:00"}])
def test_no_shared_hour_is_refused_before_anything_is_published(hours: dict[str, str]) -> None:
    with pytest.raises(BadPolicyError, match="campaign winback and its vendor sms_vendor share no hour"):
        check_hours([campaign(hours=hours)], [vendor(hours=DAY)])
    told = terms_of(campaign(hours=hours), vendor(hours=DAY), date(2026, 7, 31), "Asia/Shanghai")
    assert (told.not_before, told.not_after, told.zone) == ("", "", "")  # somebody may have to be called back


@pytest.mark.parametrize(("hour", "is_good"), [(7, False), (8, True), (19, True), (20, False), (3, False)])
def test_a_variant_arrives_inside_the_hours(hour: int, *, is_good: bool) -> None:
    one = campaign(percent="0", variants=(*VARIANTS, {"code": "c", "hour": hour}))
    if is_good:
        check_hours([one], [vendor(hours=DAY)])
    else:
        with pytest.raises(BadPolicyError, match=f"variant c of campaign winback is for {hour} o'clock"):
            check_hours([one], [vendor(hours=DAY)])


def test_a_policy_folder_with_such_a_campaign_is_neither_loaded_nor_called_good(tmp_path: Path) -> None:
    folder = copy_policy(tmp_path / "policy", winback_sms={"hours": NIGHT})
    path = folder / "vendors" / "demo_sms.yaml"
    told: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) | {"hours": DAY}
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    with pytest.raises(BadPolicyError, match="share no hour"):
        load_policy(folder)
    assert any("share no hour" in finding.found for finding in check_folder(folder))
