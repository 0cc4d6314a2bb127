"""The global holdout and variants: who is drawn, that nobody moves, exact shares, and what the file says to each."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.holdout import bucket
from tasks.transforms.known import Known
from tasks.transforms.variables import variables_by_variant
from tasks.transforms.variants import places, ranges, shares, with_places
from tasks.transforms.waterfall import counts_by_variant
from tests.support.allocation_worlds import with_log
from tests.support.campaigns import NOW, SEND_ON, campaign, known, outcomes, policy, rows
from tests.support.examples import examples

TWO = [{"code": "a"}, {"code": "b"}]
GLOBAL = {"experiment": "global-holdout:2026H1", "percent": 50}
SIX = {f"c_{n:06d}": 5 for n in range(1, 7)}


def run(people: Known, *campaigns: Any, **contacting: Any) -> Allocation:
    return allocate(people, policy(*campaigns, **contacting), send_on=SEND_ON, at=NOW)


def held_by_hand(salt: str, percent: int) -> set[str]:
    found = pl.DataFrame({"one_id": list(SIX)}).select("one_id", bucket=bucket(pl.col("one_id"), salt))
    return set(found.filter(pl.col("bucket") < percent * 100)["one_id"])


def test_who_is_in_the_global_holdout_gets_nothing_but_services() -> None:
    service = campaign("care", purpose="service", priority=1, audience="m_score >= 0")
    people = known(SIX, consents=None)
    result = run(people, service, campaign(), global_holdout=GLOBAL)
    out = held_by_hand("global-holdout:2026H1", 50)
    assert out == {"c_000002", "c_000003"} | (out - {"c_000001"})  # 6504, 3998, 793 of the published vectors
    assert {p for p, end in outcomes(result.members).items() if end == "global_holdout"} == out
    assert "global_holdout" not in outcomes(result.members, "care").values()
    why = result.members.filter(pl.col("outcome") == "global_holdout", pl.col("one_id") == "c_000003")["evidence"]
    assert why.to_list() == ["bucket 793 of global-holdout:2026H1"]


def test_everyone_who_would_be_sent_to_stands_in_the_log_of_the_global_holdout_once() -> None:
    result = run(known(SIX), campaign("one"), campaign("two"), global_holdout=GLOBAL)
    log = result.assignments.filter(pl.col("experiment") == GLOBAL["experiment"])
    assert sorted(log["unit"]) == sorted(SIX)
    again = run(with_log(known(SIX), result), campaign("one"), global_holdout=GLOBAL | {"percent": 0})
    assert {p for p, end in outcomes(again.members, "one").items() if end == "global_holdout"} == held_by_hand(
        "global-holdout:2026H1", 50
    )


def test_a_new_name_draws_the_global_holdout_anew() -> None:
    first = run(known(SIX), campaign("one"), global_holdout=GLOBAL)
    rotated = {"experiment": "global-holdout:2026H2", "percent": 50}
    second = run(with_log(known(SIX), first), campaign("one"), global_holdout=rotated)
    out = {p for p, end in outcomes(second.members, "one").items() if end == "global_holdout"}
    assert out == held_by_hand("global-holdout:2026H2", 50)


def test_who_became_one_with_a_held_out_is_held_out_of_everything() -> None:
    person = "c_000001"  # bucket 6504 of the global holdout
    people = Known(**{
        **vars(known({person: 5})),
        "names": pl.LazyFrame({"old_id": [person, "old"], "one_id": [person, person]}),
        "assignments": rows("assignments", [
            {"experiment": GLOBAL["experiment"], "unit": unit, "variant": variant, "bucket": 1,
             "assigned_on": date(2026, 1, 1)} for unit, variant in ((person, "treated"), ("old", "holdout"))
        ]),
    })  # fmt: skip
    assert outcomes(run(people, campaign(), global_holdout=GLOBAL).members) == {person: "global_holdout"}


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 100), st.integers(1, 100))
def test_raising_the_coverage_moves_nobody(weights: list[int], some: int, more: int) -> None:
    low, high = sorted([some, more])
    told = {str(n): weight for n, weight in enumerate(weights)}
    small, large, full = (ranges(told, Decimal(c)) for c in (low, high, 100))
    assert all(small[c][0] == large[c][0] and small[c][1] <= large[c][1] <= full[c][1] for c in told)
    assert [start for start, _ in full.values()] == [0, *(end for _, end in full.values())][:-1]
    assert list(full.values())[-1][1] == 10_000


@settings(max_examples=examples(50), deadline=None)
@given(
    st.integers(0, 60), st.lists(st.integers(1, 5), min_size=1, max_size=4), st.lists(st.integers(0, 20), max_size=4)
)
def test_shares_are_exact_and_newcomers_move_nobody(fresh: int, weights: list[int], stand: list[int]) -> None:
    told = {str(n): weight for n, weight in enumerate(weights)}
    exact = shares(fresh, told)
    assert sum(exact.values()) == fresh
    assert all(abs(exact[c] - fresh * told[c] / sum(weights)) < 1 for c in told)
    assert Counter(places(fresh, {}, told)) == Counter({c: n for c, n in exact.items() if n})
    standing = dict(zip(told, stand, strict=False))
    given_places = Counter(places(fresh, standing, told))
    assert given_places.total() == fresh
    wanted = shares(fresh + sum(standing.values()), told)
    full = {c for c in told if standing.get(c, 0) >= wanted[c]}
    assert not full & set(given_places) or full == set(told)


def test_a_stratified_split_is_exact_within_each_stratum_and_frozen() -> None:
    split = campaign(percent=0, variants=TWO, split={"by": ["tier"]})
    scores = {f"p{n:02d}": 5 for n in range(20)}
    tiers = {p: "gold" if n < 8 else "silver" for n, p in enumerate(scores)}

    def of(names: dict[str, int]) -> Known:
        people = known(names)
        side = pl.LazyFrame({"one_id": list(names), "tier": [tiers[p] for p in names]})
        return Known(**{**vars(people), "base": people.base.join(side, on="one_id")})

    some = {p: s for p, s in scores.items() if int(p[1:]) not in (3, 15, 19)}
    first = run(of(some), split)
    drawn = dict(first.members.select("one_id", "variant").iter_rows())
    assert Counter((tiers[p], v) for p, v in drawn.items()) == Counter(
        {("gold", "a"): 4, ("gold", "b"): 3, ("silver", "a"): 5, ("silver", "b"): 5}
    )
    second = run(with_log(of(scores), first), split)
    later = dict(second.members.select("one_id", "variant").iter_rows())
    assert {p: later[p] for p in drawn} == drawn
    assert Counter((tiers[p], v) for p, v in later.items()) == Counter(
        {("gold", "a"): 4, ("gold", "b"): 4, ("silver", "a"): 6, ("silver", "b"): 6}
    )
    assert sorted(second.assignments["unit"]) == ["p03", "p15", "p19"]


def test_a_place_that_stands_is_kept_also_without_new_people() -> None:
    people = pl.DataFrame(
        {"one_id": ["x", "y", "z"], "stratum": [""] * 3, "split_bucket": [1, 2, 3], "variant": ["b", None, "b"]}
    )
    placed = with_places(people, campaign(percent=0, variants=TWO, split={"by": ["tier"]}))
    assert placed["variant"].to_list() == ["b", "a", "b"]


def test_each_variant_has_its_own_variables_and_the_manifest_counts_them() -> None:
    told = [
        {"code": "a", "template": "T2", "variables": {"offer": "'ten'"}, "hour": 9},
        {"code": "b", "variables": {"score": "m_score + 1"}},
    ]
    one = campaign(percent=0, variants=told, variables={"score": "m_score", "offer": "'none'"})
    base = pl.LazyFrame({"one_id": ["x", "y", "z"], "m_score": [1, 2, None]})
    members = pl.DataFrame({"one_id": ["x", "y", "z"], "variant": ["a", "b", None], "outcome": ["planned"] * 3})
    found = variables_by_variant(base, one, members.lazy()).collect().sort("one_id").to_dicts()
    assert found == [
        {"one_id": "x", "hour": "9", "offer": "ten", "score": "1", "template": "T2", "variant": "a"},
        {"one_id": "y", "hour": "", "offer": "none", "score": "3", "template": "T1", "variant": "b"},
        {"one_id": "z", "hour": "", "offer": "none", "score": "", "template": "T1", "variant": ""},
    ]
    assert counts_by_variant(members) == {"a": 1, "b": 1}


def test_a_variable_of_another_variant_is_none_of_the_message_and_a_name_that_is_taken_gives_way() -> None:
    told = [{"code": "a", "variables": {"gift": "'tea'", "hour": "'8'"}, "hour": 9}, {"code": "b", "template": "T2"}]
    one = campaign(percent=0, variants=told, variables={"days": "m_score"})
    members = pl.DataFrame({"one_id": ["x", "y", "z"], "variant": ["a", "b", None]})
    base = pl.LazyFrame({"one_id": ["x", "y", "z"], "m_score": [1, None, 3]})
    found = variables_by_variant(base, one, members.lazy()).collect().sort("one_id").drop("one_id").to_dicts()
    assert found == [
        {"@hour": "9", "days": "1", "gift": "tea", "hour": "8", "template": "T1", "variant": "a"},
        {"@hour": "", "days": "", "gift": None, "hour": None, "template": "T2", "variant": "b"},
        {"@hour": "", "days": "3", "gift": None, "hour": None, "template": "T1", "variant": ""},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": TWO},
        {"variants": [{"code": "a"}, {"code": "a"}], "percent": 0},
        {"variants": [{"code": "holdout"}], "percent": 0},
        {"split": {"coverage": 50}},
    ],
)
def test_a_split_that_nothing_names_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        campaign(**wrong)
