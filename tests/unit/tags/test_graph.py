"""Which tag rests on which, down to columns; the checks of a policy's tags; and what the commands tell of them."""

import json

import pytest
from typer.testing import CliRunner

from expectations.tables import TABLES
from flows.cli import app
from tasks.errors import BadPolicyError
from tasks.policy.tag_graph import check_tags, in_levels, lineage, tags_behind
from tasks.policy.tag_words import rule_of
from tests.unit.tags.frames import tag
from tests.unit.transforms import builders

TAGS = {each.code: each for each in builders.demo_policy().tags}
FOLDER = str(builders.ROOT / "infra/demo/complete_journey/policy")


def reads(code: str) -> set[str]:
    return {f"{read.table}.{read.column}" for read in lineage(TAGS[code], TAGS)}


def test_lineage_goes_through_tags_down_to_columns_and_tables():
    assert reads("is_baby_high_weekend") == {
        "customers.frequency", "customers.monetary_fen", "customers.preferred_category", "customers.weekday_rate",
        "traits.second_category",
    }  # fmt: skip
    assert reads("net_spend_30d") == {"orders.paid_fen", "orders.paid_on", "refunds.refund_fen"}
    assert reads("categories_90d") == {"orders.paid_on", "products.category"}
    assert reads("adviser_level") == {"follows.source_tags"}
    assert reads("watches_live") == {"events.event", "events.happened_on"}
    assert "products.product_name" in reads("mentions_allergy")


@pytest.mark.parametrize("code", TAGS)
def test_every_default_tag_rests_on_columns_that_exist(code: str):
    found = list(lineage(TAGS[code], TAGS))
    assert found
    assert all(read.column in TABLES[read.table].columns for read in found)
    assert rule_of(TAGS[code])


def test_a_tag_comes_after_all_that_it_rests_on():
    place = {each.code: level for level, tags in enumerate(in_levels(TAGS.values())) for each in tags}
    assert place.keys() == TAGS.keys()
    for code, each in TAGS.items():
        assert all(place[behind.code] < place[code] for behind in tags_behind(each, TAGS))


def test_there_are_the_tags_that_were_asked_for():
    assert len(TAGS) >= 60
    assert {each.type for each in TAGS.values()} == {
        "static", "rule", "model", "composite", "window", "top", "imported", "keyword"
    }  # fmt: skip
    assert all(each.meaning.zh and each.meaning.en and each.label.zh and each.owner for each in TAGS.values())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (tag("a", when="b", type="composite"), "there is no column `b`"),
        (tag("a", when="frequency > 1", type="composite"), "a composite that reads no tag"),
        (tag("a", window={"of": "orders", "days": 9, "where": "event = 'x'"}), "there is no column `event`"),
        (tag("a", when="a"), "circle: a reads a"),
    ],
)
def test_what_does_not_hold_is_refused_with_file_and_tag(wrong, told):
    with pytest.raises(BadPolicyError, match=r"^tags\.yaml: ") as refused:
        check_tags([wrong], "tags.yaml")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "parts",
    [
        {}, {"when": "true", "value": "tier"}, {"measure": "frequency"}, {"when": "true", "at_least": 1},
        {"value": "tier", "when_null": "carry"}, {"when": "true", "valid_days": 3}, {"when": "true", "type": "window"},
        {"top": {"by": "frequency"}}, {"top": {"by": "frequency", "count": 1, "percent": 1}},
        {"window": {"of": "orders", "days": 9, "take": "sum"}}, {"imported": {"tag": "a", "prefix": "b"}},
        {"window": {"of": "orders", "days": 9, "take": "sum", "column": "event"}}, {"keyword": {"words": []}},
    ],
)  # fmt: skip
def test_a_tag_is_one_thing_and_whole(parts):
    with pytest.raises(ValueError, match=r"tag a|needs|a column|exactly one|have no|at least 1 item"):
        tag("a", **parts)


def told(*words: str) -> object:
    answer = CliRunner().invoke(app, ["tags", *words, "--policy", FOLDER, "--json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_the_commands_tell_of_a_policy_folder_without_a_lake():
    listed = told("list")
    assert [each["tag"] for each in listed] == list(TAGS)
    shown = told("show", "spending_power")
    assert [value["code"] for value in shown["values"]] == ["low", "middle", "high"]
    assert shown["rests_on_columns"] == ["customers.spend_3m_fen"]
    traced = told("lineage", "is_champion_weekend")
    assert [each["tag"] for each in traced["through"]] == ["is_weekend_buyer"]
    assert {each["column"] for each in traced["columns"]} == {"segment", "weekday_rate"}


def test_a_tag_that_is_not_there_is_told_with_near_names():
    answer = CliRunner().invoke(app, ["tags", "show", "is_silent_vipp", "--policy", FOLDER])
    assert "is_silent_vip" in str(answer.exception)
