"""From month to month: carried values and their end, and what became of each tag, in counts and for one customer."""

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.tags import Tag
from tasks.transforms.tags.changes import CHANGES, changes_of, count_changes
from tests.support.examples import examples
from tests.unit.tags.frames import DAY, ground, tag, tagged

ANN, BOB = {"one_id": "c_a"}, {"one_id": "c_b"}
VALID = timedelta(days=60)
CITY = tag("home", value="tier", when_null="carry", valid_days=VALID.days)
LISTED = tag("is_listed", imported={"tag": "vip"}, when_null="carry", valid_days=VALID.days)


def past(**columns: Any) -> pl.LazyFrame:
    return pl.LazyFrame({"one_id": ["c_a"], **{name: [value] for name, value in columns.items()}})


def test_a_value_that_is_not_confirmed_again_is_carried_while_it_is_valid():
    for then, expected in ((DAY - VALID, ("gold", DAY - VALID)), (DAY - VALID - timedelta(days=1), (None, None))):
        told = tagged([ANN, BOB | {"tier": "tin"}], CITY, previous=past(home="gold", home_on=then))
        assert told.rows() == [("c_a", DAY, *expected), ("c_b", DAY, "tin", DAY)]


def test_what_is_known_today_stands_whatever_was_said_before():
    told = tagged([ANN | {"tier": "tin"}], CITY, previous=past(home="gold", home_on=DAY - timedelta(days=1)))
    assert told.rows() == [("c_a", DAY, "tin", DAY)]


def test_a_carried_yes_or_no_is_no_only_where_the_source_says_so():
    profiles = [{"one_id": 1, "source_tags": "x"}]
    before = pl.LazyFrame({"one_id": ["c_a", "c_b"], "is_listed": [True, True], "is_listed_on": [DAY - VALID] * 2})
    told = tagged([ANN, BOB], LISTED, previous=before, ground=ground(members=profiles))
    assert told["is_listed"].to_list() == [True, False]
    assert told["is_listed_on"].to_list() == [DAY - VALID, DAY]


def test_a_tag_of_a_new_policy_has_no_past():
    told = tagged([ANN], CITY, previous=past(other=1))
    assert told.rows() == [("c_a", DAY, None, None)]


def counted(before: pl.LazyFrame, after: pl.LazyFrame, *tags: Tag) -> list[tuple[Any, ...]]:
    counts = count_changes(before, after, tags, date(2026, 2, 28), DAY).collect()
    return counts.select("tag", "change", "from_value", "to_value", "customers").rows()


def test_counts_tell_what_became_of_each_tag():
    tags = tag("is_new", when="true"), tag("rank", value="tier"), tag("basket", value="frequency"), CITY
    before = pl.LazyFrame({
        "one_id": ["a", "b", "c"], "is_new": [True, True, False], "rank": ["tin", "tin", None], "basket": [1, 2, 3],
        "home": ["x", "x", "x"], "home_on": [DAY - VALID] * 3,
    })  # fmt: skip
    after = pl.LazyFrame({
        "one_id": ["a", "b", "d"], "is_new": [True, False, True], "rank": ["tin", "gold", "gold"],
        "basket": [1, 3, None], "home": [None, None, "x"], "home_on": [None, DAY, DAY], "as_of": [DAY] * 3,
    })  # fmt: skip
    assert counted(before, after, *tags) == [
        ("basket", "changed", None, None, 1), ("basket", "kept", None, None, 1), ("basket", "removed", None, None, 1),
        ("home", "added", None, "x", 1), ("home", "expired", "x", None, 1), ("home", "removed", "x", None, 2),
        ("is_new", "added", None, None, 1), ("is_new", "kept", None, None, 1), ("is_new", "removed", None, None, 1),
        ("rank", "added", None, "gold", 1), ("rank", "changed", "tin", "gold", 1), ("rank", "kept", "tin", "tin", 1),
    ]  # fmt: skip


def test_without_a_date_before_nothing_changed():
    assert count_changes(None, tagged([ANN], CITY).lazy(), [CITY], None, DAY).collect().is_empty()


VALUES = st.dictionaries(st.sampled_from("abcde"), st.tuples(st.booleans(), st.sampled_from([None, "x", "y"])))


@settings(max_examples=examples(25), deadline=None)
@given(before=VALUES, after=VALUES)
def test_counts_are_those_of_every_customer_one_by_one(before, after):
    tags = tag("yes", when="true"), tag("word", value="tier")
    frames = [_frame(values) for values in (before, after)]
    counts = count_changes(*frames, tags, date(2026, 2, 28), DAY).collect()
    expected: dict[tuple[str, str], int] = {}
    for person in before.keys() | after.keys():
        (was_yes, was_word), (is_yes, word) = before.get(person, (False, None)), after.get(person, (False, None))
        for code, then, now in (("yes", was_yes or None, is_yes or None), ("word", was_word, word)):
            if change := _by_hand(then, now):
                expected[code, change] = expected.get((code, change), 0) + 1
    found = counts.group_by("tag", "change").agg(pl.col("customers").sum()).rows()
    assert {(code, change): count for code, change, count in found} == expected
    assert set(counts["change"]) <= set(CHANGES)
    for person in before.keys() & after.keys():
        one = [frame.filter(pl.col("one_id") == person) for frame in frames]
        told = {entry["tag"]: entry["change"] for entry in changes_of(*one, tags)}
        was, now = before[person], after[person]
        pairs = {"yes": (was[0] or None, now[0] or None), "word": (was[1], now[1])}
        expected_of_one = {code: _by_hand(*pair) for code, pair in pairs.items()}
        assert told == {code: change for code, change in expected_of_one.items() if change}


def _frame(values: dict[str, tuple[bool, str | None]]) -> pl.LazyFrame:
    rows = [(person, DAY, *told) for person, told in values.items()]
    schema = {"one_id": pl.String, "as_of": pl.Date, "yes": pl.Boolean, "word": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def _by_hand(then: object, now: object) -> str | None:
    if then is None:
        return None if now is None else "added"
    if now is None:
        return "removed"
    return "kept" if then == now else "changed"
