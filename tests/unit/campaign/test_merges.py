"""What a merge or split may not do: put anyone into a campaign, free a holdout, empty a cap, send twice."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.contacting import Cap
from tasks.transforms.allocation import Allocation, allocate, send_id_of
from tasks.transforms.known import Former, Known
from tasks.transforms.lineage import predecessors
from tasks.transforms.since_plan import one_message_each, still_theirs
from tests.support.campaigns import NOW, SEND_ON, campaign, known, outcomes, phone, policy, touch

WEEKLY = Cap(touch_channel="sms", days=7, most=1)
RICH = campaign(audience="m_score >= 4")


def names(now: Mapping[str, str]) -> pl.LazyFrame:
    return pl.LazyFrame(list(now.items()), {"old_id": pl.String, "one_id": pl.String}, orient="row")


def base(scores: Mapping[str, int]) -> pl.LazyFrame:
    return pl.LazyFrame(list(scores.items()), {"one_id": pl.String, "m_score": pl.Int64}, orient="row")


def former(scores: Mapping[str, int], *moved: tuple[str, str]) -> Former:
    """Scores of the date before, and what moved since as (old_id, new_id)."""
    changes = pl.LazyFrame(list(moved), {"old_id": pl.String, "new_id": pl.String}, orient="row")
    return Former(predecessors(changes), base(scores))


def reached(*rows: tuple[str, str]) -> pl.LazyFrame:
    """(one_id, recipient_key) of a published revision of the send."""
    people = pl.LazyFrame(list(rows), {"one_id": pl.String, "recipient_key": pl.String}, orient="row")
    return people.with_columns(send_id=pl.lit(send_id_of(RICH, SEND_ON))).select("send_id", "one_id", "recipient_key")


def run(people: Known, *, caps: tuple[Cap, ...] = (), percent: str | None = None) -> Allocation:
    chosen = campaign(audience="m_score >= 4", percent=percent)
    return allocate(people, policy(chosen, caps=caps), send_on=SEND_ON, at=NOW)


def test_who_meets_the_condition_only_through_a_merge_is_left_alone():
    people = replace(known({"a": 5, "c": 5}), former=former({"a": 3, "b": 3, "c": 2}, ("b", "a")))
    members = run(people).members
    assert outcomes(members) == {"a": "identity_changed", "c": "planned"}
    assert members.filter(one_id="a")["evidence"].item() == "was not meant for it before a merge or split: a, b"


def test_a_merge_keeps_whom_one_part_was_meant_for():
    assert outcomes(run(replace(known({"a": 5}), former=former({"a": 1, "b": 4}, ("b", "a")))).members) == {
        "a": "planned"
    }


def test_both_sides_of_a_split_are_asked_what_they_were_before():
    """The whole was not meant for it; each part alone would be."""
    people = replace(known({"whole": 5, "part": 5}), former=former({"whole": 1}, ("whole", "part")))
    assert set(outcomes(run(people).members).values()) == {"identity_changed"}


def test_a_condition_over_what_was_not_known_then_held_for_nobody():
    then = former({"a": 5}, ("b", "a"))
    people = replace(known({"a": 5}), former=replace(then, base=then.base.drop("m_score")))
    assert outcomes(run(people).members) == {"a": "identity_changed"}


def test_messages_to_either_id_count_for_the_person():
    merged = replace(known({"a": 5}, touches=[touch("b", phone("old"), days_ago=3)]), names=names({"b": "a"}))
    assert outcomes(run(merged, caps=(WEEKLY,)).members) == {"a": "capped"}


def test_nobody_gets_the_same_send_again_under_the_new_id():
    """Both were reached before they became one; a stranger with the second contact gets nothing either."""
    people = replace(
        known({"a": 5, "c": 5}, {"a": 1, "c": 2}),
        published=reached(("x", phone(1)), ("y", phone(2))),
        names=names({"x": "a", "y": "a"}),
        former=former({"x": 1, "y": 1}, ("x", "a"), ("y", "a")),
    )
    result = run(people)
    assert outcomes(result.members) == {"a": "planned", "c": "duplicate_contact"}
    assert result.members.filter(one_id="a")["recipient_key"].item() == phone(1)
    assert result.touches.is_empty()


IDS = st.sampled_from("abcdef")
worlds = st.fixed_dictionaries({
    "scores": st.dictionaries(IDS, st.integers(1, 5), min_size=2),
    "merges": st.dictionaries(IDS, st.sampled_from("ab")),
    "held": st.sets(IDS),
    "sent": st.sets(IDS),
})  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(worlds)
def test_a_merge_alone_never_sends_and_a_holdout_always_wins(world: Mapping[str, object]):
    scores, held, sent = world["scores"], world["held"], world["sent"]
    now = {one_id: world["merges"].get(one_id, one_id) if one_id not in "ab" else one_id for one_id in scores}
    now |= {new: new for new in now.values()}
    parts = {new: [old for old in scores if now[old] == new] for new in {now[old] for old in scores}}
    after = {new: min(5, sum(scores[old] for old in olds)) for new, olds in parts.items()}
    moved = [(old, new) for old, new in now.items() if old != new]
    log = [
        {"experiment": "exp:winback", "unit": one_id, "variant": "holdout" if one_id in held else "treated",
         "bucket": 1, "assigned_on": SEND_ON}
        for one_id in scores
    ]  # fmt: skip
    people = replace(
        known(after, assignments=log),
        names=names(now), former=former(scores, *moved),
        published=reached(*((one_id, phone(f"of {one_id}")) for one_id in sorted(sent & set(scores)))),
    )  # fmt: skip
    members = run(people, percent="50").members
    for row in members.filter(outcome="planned").iter_rows(named=True):
        olds = parts[row["one_id"]]
        reached_before = {phone(f"of {old}") for old in olds if old in sent}
        assert not held & set(olds)
        assert row["recipient_key"] in reached_before if reached_before else True
        assert reached_before or any(scores[old] >= 4 for old in olds)


def planned(*one_ids: str) -> pl.DataFrame:
    return run(known(dict.fromkeys(one_ids, 5))).members


def last_look(members: pl.DataFrame, now: Mapping[str, str], *reached_before: str) -> dict[str, str]:
    sent = pl.DataFrame({"one_id": reached_before}, schema={"one_id": pl.String})
    return outcomes(one_message_each(members, sent, names(now)))


def test_of_two_who_became_one_since_the_plan_one_gets_the_message():
    members = planned("a", "b", "c")
    assert last_look(members, {"a": "a", "b": "a", "c": "c"}) == {
        "a": "planned", "b": "duplicate_contact", "c": "planned",
    }  # fmt: skip
    assert last_look(members, {"a": "b", "b": "b"})["a"] == "duplicate_contact"
    assert last_look(members, {"a": "new", "b": "new"}) == {"a": "planned", "b": "duplicate_contact", "c": "planned"}


def test_whoever_was_reached_keeps_the_place():
    assert last_look(planned("a", "b"), {"a": "a", "b": "a"}, "b") == {"a": "duplicate_contact", "b": "planned"}
    assert last_look(planned("a", "b"), {"a": "a", "b": "a"}, "a", "b") == {"a": "planned", "b": "planned"}


def test_a_number_that_is_another_s_now_is_not_written_to():
    points = pl.LazyFrame({"one_id": ["a", "c"], "contact_key": [phone("a"), phone("b")], "is_theirs": True})
    left = outcomes(still_theirs(planned("a", "b"), points))
    assert left == {"a": "planned", "b": "no_contact"}
