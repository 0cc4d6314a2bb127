"""Every default tag of an invented brand, at three month-ends, against a recomputation by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from tasks.policy.models import Policy
from tasks.transforms.refresh import refresh
from tests.unit.tags import invented, oracle_buying, oracle_people
from tests.unit.tags.oracle import CARRIED, TAGS, YES_OR_NO, Row, every_tag
from tests.unit.tags.world import Known, world_of
from tests.unit.transforms import builders

assert oracle_buying, oracle_people  # they fill TAGS
DAYS = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31))
POLICY: Policy = builders.demo_policy()
UNSEEN = {
    "income_group", "is_silent_again", "is_top_100", "next_category", "stocks_up_on", "is_restock_due",
    "is_probably_gone", "churn_risk", "is_likely_to_buy", "is_future_value", "is_champion_leaving",
}  # fmt: skip
"""Tags of which an invented brand of this size shows one value alone."""


def test_the_oracle_knows_every_default_tag():
    assert TAGS.keys() == {tag.code for tag in POLICY.tags}
    assert {tag.code for tag in POLICY.tags if tag.is_yes_or_no} == YES_OR_NO
    assert {tag.code: tag.valid_days for tag in POLICY.tags if tag.valid_days} == CARRIED


def months() -> Iterator[tuple[date, dict[str, pl.DataFrame], pl.DataFrame | None]]:
    """Each month-end's tables, made on those of the one before, and the tags of that."""
    given, before = invented.inputs(), None
    for day in DAYS:
        made = {name: frame.collect() for name, frame in refresh(given, POLICY, day).items()}
        yield day, made, before
        before = made["tags"]
        past = {f"previous_{name}": made[name].lazy() for name in ("customers", "identities", "cutoffs", "tags")}
        given = replace(given, **past, previous_as_of=day)


@pytest.fixture(scope="module")
def compared() -> list[tuple[dict[str, Row], dict[str, Row]]]:
    """What stands, and what comes out by hand, for each month-end."""
    pairs = []
    for day, made, before in months():
        known = Known(invented.tables(), day, invented.KNOWN, invented.ZONE, invented.CURRENCY)
        stored = {row.pop("one_id"): row for row in made["tags"].drop("as_of").iter_rows(named=True)}
        pairs.append((stored, every_tag(world_of(known, made, before))))
    return pairs


@pytest.mark.parametrize("month", range(len(DAYS)), ids=[str(day) for day in DAYS])
def test_every_tag_of_everybody_is_what_comes_out_by_hand(compared: Any, month: int):
    stored, expected = compared[month]
    assert stored.keys() == expected.keys()
    assert len(stored) >= 40
    differ = [(code, name, row[code], expected[name][code]) for name, row in stored.items() for code in row
              if row[code] != expected[name][code]]  # fmt: skip
    assert differ == []


def test_hardly_a_tag_says_the_same_of_everybody(compared: Any):
    """What nobody has, or everybody, the comparison would not see."""
    same = [code for code in TAGS if len({row[code] for stored, _ in compared for row in stored.values()}) == 1]
    assert set(same) <= UNSEEN
