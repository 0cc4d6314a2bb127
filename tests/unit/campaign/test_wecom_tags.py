"""Tags of advisers' contacts: the changes applied to what stood give what shall stand, and touch nothing else."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.wecom_tags import (
    NAME_MOST,
    TAGS_MOST,
    changes_by_customer,
    last_handed,
    tag_changes,
    tags_of_contacts,
    tags_that_hold,
)
from tests.support.campaigns import rows
from tests.support.examples import examples

Pairs = dict[tuple[str, str], set[str]]
PAIRS = st.tuples(st.sampled_from(("li", "wu")), st.sampled_from(("wm1", "wm2", "wm3")))
STATES = st.dictionaries(PAIRS, st.sets(st.sampled_from(("vip", "tier_gold", "tier_base", "复购"))))
FOREIGN = st.dictionaries(PAIRS, st.sets(st.sampled_from(("朋友", "VIP"))))
TAGS = pl.Schema({"userid": pl.String, "external_userid": pl.String, "tag": pl.String})
PEOPLE = pl.Schema({"one_id": pl.String, "adviser_id": pl.String, "tier": pl.String, "is_lost": pl.Boolean})


def frame(state: Pairs) -> pl.LazyFrame:
    told = [(*pair, tag) for pair, tags in state.items() for tag in sorted(tags)]
    return pl.LazyFrame(told, schema=TAGS, orient="row")


def people(*given: tuple[str, str | None, str | None, bool | None]) -> pl.LazyFrame:
    return pl.LazyFrame(list(given), schema=PEOPLE, orient="row")


def told(changes: pl.LazyFrame) -> dict[str, tuple[str, str]]:
    return {one: (added, removed) for one, added, removed in changes.collect().iter_rows()}


@settings(max_examples=examples(40), deadline=None)
@given(STATES, STATES, FOREIGN)
def test_yesterday_with_the_changes_is_today(before: Pairs, now: Pairs, foreign: Pairs):
    """What staff or another app put there stays, and a contact in which nothing changes is not named."""
    stands = {pair: before.get(pair, set()) | foreign.get(pair, set()) for pair in {*before, *now, *foreign}}
    changes = tag_changes(frame(before), frame(now)).collect()
    for userid, customer, added, removed in changes.iter_rows():
        assert added or removed
        assert set(removed) <= before.get((userid, customer), set())
        stands[userid, customer] = stands[userid, customer] - set(removed) | set(added)
    assert stands == {pair: now.get(pair, set()) | foreign.get(pair, set()) for pair in stands}
    assert changes.equals(changes.sort("userid", "external_userid"))
    assert changes.select("userid", "external_userid").is_unique().all()


@settings(max_examples=examples(15), deadline=None)
@given(STATES)
def test_nothing_is_told_where_nothing_changes(state: Pairs):
    assert tag_changes(frame(state), frame(state)).collect().is_empty()


def test_only_named_columns_become_tags_and_what_is_not_known_is_none():
    given = people(("a", "li", "gold", True), ("b", "li", None, False), ("c", "wu", "base", None))
    found = tags_that_hold(given, ["tier", "is_lost"]).sort("one_id", "tag").collect().rows()
    assert found == [("a", "is_lost"), ("a", "tier_gold"), ("c", "tier_base")]
    assert tags_that_hold(given, ["is_lost"]).collect().rows() == [("a", "is_lost")]


def test_a_name_has_no_comma_and_at_most_thirty_characters():
    (name,) = tags_that_hold(people(("a", "li", "金,银" + "长" * 40, None)), ["tier"]).collect()["tag"]
    assert (name[:8], len(name)) == ("tier_金，银", NAME_MOST)


def test_several_advisers_of_one_customer_each_get_the_tags_and_a_contact_holds_so_many():
    contacts = pl.LazyFrame({"userid": ["li", "wu"], "external_userid": ["wm1", "wm1"], "one_id": ["a", "a"]})
    many = pl.LazyFrame({"one_id": ["a"] * (TAGS_MOST + 5), "tag": [f"t{n:05d}" for n in range(TAGS_MOST + 5)]})
    held = tags_of_contacts(many, contacts).collect()
    assert dict(held.group_by("userid").len().iter_rows()) == {"li": TAGS_MOST, "wu": TAGS_MOST}
    assert held["tag"].max() == f"t{TAGS_MOST - 1:05d}"


def test_each_customer_is_compared_with_their_own_last_send():
    before = people(("same", "li", "gold", None), ("risen", "li", "base", True), ("moved", "li", "gold", None))
    now = people(
        ("same", "li", "gold", None), ("risen", "li", "gold", None), ("moved", "wu", "gold", None),
        ("new", "wu", "base", True), ("alone", None, "gold", True),
    )  # fmt: skip
    assert told(changes_by_customer(now, before, ["tier", "is_lost"])) == {
        "same": ("", ""), "risen": ("tier_gold", "is_lost,tier_base"), "moved": ("tier_gold", ""),
        "new": ("is_lost,tier_base", ""), "alone": ("", ""),
    }  # fmt: skip


def test_the_first_time_everything_is_added_and_without_names_nothing():
    now = people(("a", "li", "gold", True))
    assert told(changes_by_customer(now, None, ["tier"])) == {"a": ("tier_gold", "")}
    assert told(changes_by_customer(now, None, [])) == {"a": ("", "")}


def test_the_last_send_that_stands_counts_and_none_of_the_day_itself():
    def touch(one: str, day: int, kind: str, campaign: str = "sync", hour: int = 1) -> dict[str, Any]:
        on = date(2026, 7, day)
        return {"one_id": one, "campaign": campaign, "send_id": f"v/{campaign}/{on}", "send_on": on, "kind": kind,
                "happened_at": datetime(2026, 7, day, hour, tzinfo=UTC)}  # fmt: skip

    given = [
        touch("a", 1, "handed_over"), touch("a", 3, "handed_over"), touch("a", 9, "handed_over"),
        touch("b", 1, "handed_over"), touch("b", 3, "handed_over"), touch("b", 3, "cancelled", hour=2),
        touch("c", 3, "planned"), touch("d", 3, "handed_over", "other"),
    ]  # fmt: skip
    found = last_handed(rows("touches", given), ["sync"], date(2026, 7, 9)).sort("one_id").collect().rows()
    assert found == [("a", date(2026, 7, 3)), ("b", date(2026, 7, 1))]
