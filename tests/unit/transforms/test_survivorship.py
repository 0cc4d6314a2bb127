"""One value per person and attribute: by recency, by votes, by the channel's rank; ties never by the order of rows."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.policy.identity import Survivorship
from tasks.transforms.survivorship import ATTRIBUTES, surviving

RULES = (
    Survivorship(attribute="gender", rule="most_frequent"),
    Survivorship(attribute="city", rule="by_channel", channels=("wecom", "youzan")),
    Survivorship(attribute="*", rule="most_recent"),
)


def profile(channel: str, key: str, day: int, **said: str) -> dict[str, Any]:
    line = {"one_id": "c_ann", "channel": channel, "member_key": key, "exported_at": datetime(2026, 6, day, tzinfo=UTC)}
    return line | dict.fromkeys(ATTRIBUTES) | said


def frame(*profiles: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(list(profiles), schema_overrides=dict.fromkeys(ATTRIBUTES, pl.String))


ANN = (
    profile("youzan", "phone::1", 3, gender="female", city="Hangzhou", member_level="gold"),
    profile("taobao", "nick::2", 9, gender="male", city="Shanghai", member_level="vip"),
    profile("wecom", "unionid::3", 1, gender="female", city="Suzhou"),
)


def values(*profiles: dict[str, Any], rules: tuple[Survivorship, ...] = RULES) -> dict[str, str]:
    return dict(surviving(frame(*profiles), rules).select("attribute", "value").collect().iter_rows())


def test_each_attribute_follows_its_own_rule():
    assert values(*ANN) == {"gender": "female", "city": "Suzhou", "member_level": "vip"}


def test_where_a_value_comes_from_and_what_stood_against_it():
    told = surviving(frame(*ANN), RULES).filter(attribute="gender").collect().row(0, named=True)
    assert (told["channel"], told["member_key"], told["rule"]) == ("youzan", "phone::1", "most_frequent")
    assert (told["profiles"], told["values"]) == (2, 2)


def test_a_channel_that_is_not_ranked_speaks_only_where_no_ranked_one_does():
    assert values(ANN[1])["city"] == "Shanghai"
    assert values(ANN[1], profile("youzan", "phone::1", 1, city="Hangzhou"))["city"] == "Hangzhou"


def test_equal_votes_go_to_the_newest():
    assert values(ANN[0], ANN[1])["gender"] == "male"


def test_without_a_rule_the_newest_export_stands():
    assert values(*ANN, rules=()) == {"gender": "male", "city": "Shanghai", "member_level": "vip"}


@given(st.permutations(ANN))
def test_the_order_of_the_profiles_does_not_matter(profiles: list[dict[str, Any]]):
    assert surviving(frame(*profiles), RULES).collect().equals(surviving(frame(*ANN), RULES).collect())
