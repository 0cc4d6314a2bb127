"""Presets, the calendar's windows and the growth ladder, as the policy reads them."""

from datetime import date
from pathlib import Path
from shutil import copytree

import pytest
from pydantic import ValidationError

from tasks.errors import BadPolicyError
from tasks.policy.calendar import Calendar, Window
from tasks.policy.growth import Growth
from tasks.policy.load import load_policy
from tasks.policy.presets import names
from tasks.policy.tiers import Tiers
from tasks.transforms.segments import expand
from tests.unit.transforms.builders import ROOT, ladder

BRAND = ROOT / "infra/demo/demo_cn/policy"
PRESETS = [(part, name) for part in ("rfm", "segments", "tiers") for name in names(part)]


def with_file(folder: Path, part: str, text: str) -> Path:
    """A brand's policy with one more file."""
    copied = copytree(BRAND, folder / "policy")
    (copied / f"{part}.yaml").write_text(text, encoding="utf-8")
    return copied


@pytest.mark.parametrize(("part", "name"), PRESETS)
def test_every_preset_is_a_policy(part: str, name: str, tmp_path: Path):
    policy = load_policy(with_file(tmp_path, part, f"preset: {name}"))
    assert getattr(policy, part).preset == name
    expanded = expand(policy.segments)
    assert (expanded.unmatched, expanded.unreached) == ((), ())


def test_what_the_brand_says_stands_over_the_preset(tmp_path: Path):
    policy = load_policy(with_file(tmp_path, "tiers", "preset: diamond_gold_silver\ngrace_days: 15"))
    assert policy.tiers.grace_days == 15
    assert [tier.up_fen for tier in policy.tiers.tiers] == [0, 50_000, 200_000, 500_000]
    assert policy.tiers.tiers[3].team == "advisers"


def test_an_unknown_preset_is_told_with_those_that_there_are(tmp_path: Path):
    with pytest.raises(BadPolicyError, match=r"classes_abcd, consumption, diamond_gold_silver"):
        load_policy(with_file(tmp_path, "tiers", "preset: platinum"))


def test_a_lock_gives_a_tier_that_there_is(tmp_path: Path):
    lock = "{one_id: c_a, tier: ruby, starts_on: 2026-01-01, ends_on: 2026-01-31, reason: why}"
    with pytest.raises(BadPolicyError, match="ruby, which is no tier"):
        load_policy(with_file(tmp_path, "holds", f"locks: [{lock}]"))


@pytest.mark.parametrize("wrong", [
    {"review": "fixed_dates"}, {"review_on": ["06-30"]}, {"review": "fixed_dates", "review_on": ["13-01"]},
    {"review": "fixed_dates", "review_on": ["6-30"]},
])  # fmt: skip
def test_reviews_that_no_year_has_are_refused(wrong: dict[str, object]):
    with pytest.raises((ValidationError, ValueError)):
        Tiers.model_validate(ladder().model_dump() | wrong)


def test_windows_that_had_begun_the_latest_last():
    calendar = load_policy(BRAND).calendar
    assert [window.code for window in calendar.windows(date(2026, 6, 1), 365)] == ["mid_year_618", "double_11",
        "new_year", "mid_year_618"]  # fmt: skip
    assert calendar.windows(date(2026, 1, 3), 30) == (Window("new_year", date(2025, 12, 25), date(2026, 1, 20)),)
    assert calendar.windows(date(2026, 1, 20), 1)[-1].ends_on == date(2026, 1, 20)
    assert Calendar().windows(date(2026, 6, 1), 365) == ()


@pytest.mark.parametrize("wrong", [
    {"ladder": []}, {"ladder": [{"code": "a", "label": {"zh": "a", "en": "a"}, "at_least": 5}]},
    {"ladder": [{"code": "a", "label": {"zh": "a", "en": "a"}, "at_least": 0}], "actions": [
        {"event": "dance", "points": 1}]},
])  # fmt: skip
def test_a_ladder_begins_at_nothing_and_actions_are_events(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Growth.model_validate(wrong)
