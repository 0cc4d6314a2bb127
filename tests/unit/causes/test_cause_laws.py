"""Whatever happens between two dates: who moved has one cause, and it is the one that a plain replay names."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.vocabulary import MOVE_CAUSES
from tasks.policy.holds import Fraud, Holds, Lock
from tasks.transforms.causes.steps import STEPS, cause_of, label_after, path_of, without_labels
from tests.support.examples import examples
from tests.unit.causes.oracle import causes_by_hand
from tests.unit.causes.world import FEBRUARY, MARCH, World, policy
from tests.unit.transforms.builders import ladder

WHO = st.sampled_from(["ann", "bob", "cat", "Ann", "Dan"])
OLD = st.dates(date(2025, 2, 1), FEBRUARY)
NEW = st.dates(FEBRUARY + timedelta(days=1), MARCH)
FEN = st.sampled_from([100, 450, 600, 2100])


@st.composite
def orders(draw: st.DrawFn) -> tuple[tuple[str, str, date, int, date], ...]:
    """Old orders, some of which became known in March alone, and new ones."""
    made = []
    for number in range(draw(st.integers(1, 7))):
        day = draw(st.one_of(OLD, NEW))
        known = MARCH if draw(st.booleans()) and draw(st.booleans()) else day
        made.append((f"o{number}", draw(WHO), day, draw(FEN), known))
    return (*made, ("first", "zoe", date(2025, 12, 1), 100, date(2025, 12, 1)))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Orders with refunds, two who may be one, and rules that may be others."""
    bought = draw(orders())
    back = []
    for order, _, day, fen, known in bought:
        if draw(st.integers(0, 3)) == 0:
            on = min(day + timedelta(days=draw(st.integers(0, 40))), MARCH)
            back.append((order, on, draw(st.sampled_from([fen, fen // 2])), max(on, known)))
    joined = (("bob", "Ann", date(2026, 3, 20)),) if draw(st.booleans()) else ()
    then = draw(st.sampled_from([ladder(), ladder(grace_days=20), ladder(qualify_window_days=180)]))
    rules = (policy(), policy(tiers=then) if draw(st.booleans()) else policy())
    return World(bought, tuple(back), joined, rules=rules)


DECIDED = st.lists(
    st.tuples(WHO, st.sampled_from([None, "silver", "gold"]), st.booleans(), st.booleans(), st.booleans()),
    max_size=3, unique_by=lambda one: one[0],
)  # fmt: skip
"""Whom a person decided on: the lock's tier, null for a flag of fraud; if it held in February, in March, and longer."""


def with_holds(world: World, drawn: list[tuple[str, str | None, bool, bool, bool]]) -> World:
    """The same world under locks and flags of those whom February knows."""
    ids, held = world.ids(), ([], [])
    for who, tier, *months, goes_on in drawn:
        ends_on = date(2026, 12, 31) if goes_on else MARCH
        for month, declared in zip(held, months, strict=True):
            if declared and who in ids:
                common = {"one_id": ids[who], "starts_on": date(2026, 2, 1), "reason": "a word was given"}
                month.append(Lock(tier=tier, ends_on=ends_on, **common) if tier else Fraud(ends_on=ends_on, **common))
    said = [
        Holds(
            locks=tuple(one for one in month if isinstance(one, Lock)),
            frauds=tuple(one for one in month if isinstance(one, Fraud)),
        )
        for month in held
    ]
    rules = tuple(policy.model_copy(update={"holds": holds}) for policy, holds in zip(world.rules, said, strict=True))
    return replace(world, rules=rules)


@pytest.mark.proof
@settings(max_examples=examples(6), deadline=None)
@given(worlds(), DECIDED)
def test_a_word_given_or_taken_back_is_the_cause_of_whose_tier_it_changed_and_of_nobody_else(world: World, drawn: list):
    """Held against the same months under the words of February alone."""
    decided = with_holds(world, drawn)
    standing = replace(decided, rules=(decided.rules[0], decided.rules[1].model_copy(update=_holds_of(decided))))
    with_word, without = decided.causes(), standing.causes()
    named = {who for who, *_ in drawn} | ({"Ann", "bob"} if world.joined else set())
    for who, (start, end, cause) in with_word.items():
        if who not in named:
            assert [start, end, cause] == without[who]
        elif start != end and end != without[who][1]:
            assert cause == "manual"


def _holds_of(world: World) -> dict[str, Holds]:
    return {"holds": world.rules[0].holds}


@pytest.mark.proof
@settings(max_examples=examples(6), deadline=None)
@given(worlds(), DECIDED)
def test_nobody_moves_without_a_cause_and_nobody_stays_with_one(world: World, drawn: list):
    moves = with_holds(world, drawn).moves()
    moved = pl.col("from_code") != pl.col("to_code")
    assert moves.filter(moved != pl.col("cause").is_not_null()).is_empty()
    assert set(moves["cause"].drop_nulls()) <= set(MOVE_CAUSES)
    for told in (pl.len(), pl.col("monetary_fen").sum()):
        matrix = moves.filter(moved).group_by("dimension", "from_code", "to_code").agg(told.alias("told"))
        causes = moves.drop_nulls("cause").group_by("dimension", "from_code", "to_code").agg(told.alias("told"))
        assert sorted(matrix.rows()) == sorted(causes.rows())


@pytest.mark.proof
@settings(max_examples=examples(8), deadline=None)
@given(worlds())
def test_the_causes_are_those_of_a_replay_of_everybody(world: World):
    moves = world.moves().filter(~pl.col("from_code").is_in(["ENTERED", "SPLIT_FROM"]))
    stayed = moves.filter(~pl.col("to_code").is_in(["MERGED_INTO", "LEFT"]))
    expected = causes_by_hand(world)
    for one_id, dimension, cause in stayed.select("one_id", "dimension", "cause").iter_rows():
        assert cause == expected[dimension][one_id], (one_id, dimension)


@pytest.mark.proof
@settings(max_examples=examples(5), deadline=None)
@given(orders())
def test_when_nothing_happens_only_time_and_cutoffs_move_anybody(bought: tuple[tuple[str, str, date, int, date], ...]):
    old = tuple((order, who, day, fen, day) for order, who, day, fen, _ in bought if day <= FEBRUARY)
    causes = set(World(old).moves().drop_nulls("cause").select("dimension", "cause").iter_rows())
    assert causes <= {("tier", "time"), ("stage", "time"), ("segment", "time"), ("segment", "cutoffs")}


LABEL = st.sampled_from(["a", "b"])


@settings(max_examples=examples(80), deadline=None)
@given(LABEL, LABEL, st.lists(st.one_of(st.none(), LABEL), min_size=7, max_size=7))
def test_the_cause_is_the_last_step_that_changed_the_label(start: str, end: str, after: list[str | None]):
    """Against a plain walk. Time touches everybody: without a replay the label after it is the one after new orders."""
    given = dict(zip(STEPS, after, strict=False))
    columns = {**without_labels().collect_schema(), "start": pl.String, "end": pl.String}
    row = {
        "one_id": "x",
        "start": start,
        "end": end,
        **{label_after("tier", step): label for step, label in given.items()},
    }
    told = pl.DataFrame([row], columns).select(
        cause=cause_of("tier", pl.col("start"), pl.col("end"), pl.lit(value=True)),
        path=path_of("tier", pl.col("start"), pl.col("end")),
    )
    given["new_orders"] = given["new_orders"] or end
    given["time"] = given["time"] or given["new_orders"]
    given["manual"] = end
    changes, now = [], start
    for step in STEPS:
        if (label := given[step] or now) != now:
            changes.append((step, label))
            now = label
    if start == end:
        assert told.row(0) == (None, None)
    else:
        assert told.row(0) == (changes[-1][0], " > ".join(f"{step}={label}" for step, label in changes))
