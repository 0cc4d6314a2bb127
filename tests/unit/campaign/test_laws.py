"""The laws of allocation over random worlds: what must never happen, and an allocator in plain Python beside ours."""

from collections import Counter
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.waterfall import check_balance, waterfall
from tests.support.allocation_worlds import GLOBAL, World, facts, run, with_log, worlds
from tests.support.campaigns import SEND_ON, campaign, member, phone
from tests.support.examples import examples
from tests.unit.campaign.oracle import Oracle


@settings(max_examples=examples(20), deadline=None)
@given(worlds)
def test_everyone_gets_what_an_allocator_in_plain_python_gives_them(world: World) -> None:
    members = run(facts(world), world).members
    found = {
        (row["campaign"], row["one_id"]): (row["outcome"], row["variant"]) for row in members.iter_rows(named=True)
    }
    assert found == Oracle(world).walk()


def refused(world: World, one_id: str) -> bool:
    """A no by any of the person's keys to SMS marketing, or to all of it, that nothing lifted."""
    words = [word for word in Oracle(world).words() if word[0] in (phone(world["phones"][one_id]), member(one_id))]
    has_yes = any(word[1:] == ("sms", "marketing", "granted") for word in words)
    has_no = any(c in ("sms", "*") and p in ("marketing", "*") and said == "withdrawn" for _, c, p, said in words)
    return has_no or not has_yes


def held(world: World, campaign: Any) -> set[str]:
    """Everyone who stands as held out of a campaign or of all, through any of the ids that they had."""
    names = {old: now for old, now in world["merges"].items() if now in world["people"]}
    experiments = {campaign.holdout.experiment if campaign.holdout else None}
    experiments |= {GLOBAL} if world["global_percent"] is not None else set()
    return {
        names.get(row["unit"], row["unit"])
        for row in world["assignments"]
        if row["experiment"] in experiments and row["variant"] == "holdout"
    }


@settings(max_examples=examples(12), deadline=None)
@given(worlds)
def test_nobody_gets_what_they_must_not_get(world: World) -> None:
    result = run(facts(world), world)
    planned = result.members.filter(pl.col("outcome") == "planned").to_dicts()
    assert not [row for row in planned if refused(world, row["one_id"])]
    assert "holdout" not in {row["variant"] for row in planned}
    campaigns = {c.code: c for c in world["campaigns"]}
    assert not [row for row in planned if row["one_id"] in held(world, campaigns[row["campaign"]])]
    oracle = Oracle(world)
    assert not [
        r
        for r in planned
        if world["global_percent"] and oracle.is_held(GLOBAL, Decimal(world["global_percent"]), r["one_id"])
    ]
    assert max(Counter((r["campaign"], r["recipient_key"]) for r in planned).values(), default=0) <= 1
    for by, of in (("one_id", "one_id"), ("recipient_key", "key")):
        assert max(Counter(r[by] for r in planned if campaigns[r["campaign"]].exclusive_group).values(), default=0) <= 1
        for row in planned:
            earlier = {(m["day"], m["send_id"]) for m in oracle.messages if m[of] == row[by]}
            now = {(SEND_ON, r["send_id"]) for r in planned if r[by] == row[by]}
            assert all(oracle.fullest(earlier | now, cap.days) <= cap.most for cap in world["caps"])
    for out in ("holdout", "global_holdout"):
        kept = result.members.filter(pl.col("outcome") == out).select("campaign", "recipient_key").rows()
        assert not set(kept) & {(r["campaign"], r["recipient_key"]) for r in planned}


@settings(max_examples=examples(8), deadline=None)
@given(worlds)
def test_everyone_has_one_outcome_in_every_campaign_and_no_budget_is_exceeded(world: World) -> None:
    members = run(facts(world), world).members
    oracle = Oracle(world)
    for one in world["campaigns"]:
        mine = members.filter(pl.col("campaign") == one.code)
        assert sorted(mine["one_id"]) == sorted(world["people"])
        check_balance(waterfall(mine), base=len(world["people"]))
        planned = mine.filter(pl.col("outcome") == "planned")["variant"].to_list()
        assert one.budget_fen is None or sum(oracle.cost(one, v) for v in planned) <= one.budget_fen
    has_reason = members["outcome"] != "planned"
    assert members.filter(has_reason)["evidence"].null_count() == 0


@settings(max_examples=examples(8), deadline=None)
@given(worlds, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_twice_is_once(world: World, chance: Any) -> None:
    first = run(facts(world), world)
    people = list(world["people"].items())
    for items in (people, world["consents"], world["touches"], world["campaigns"], world["assignments"]):
        chance.shuffle(items)
    shuffled = facts(world | {"people": dict(people)})
    second = run(shuffled, world)
    assert second.members.equals(first.members)
    assert second.touches.equals(first.touches)
    assert second.assignments.equals(first.assignments)
    third = run(with_log(shuffled, first), world)
    assert third.members.equals(first.members)
    assert third.touches.is_empty()
    assert third.assignments.is_empty()


def test_a_stratified_split_under_a_budget_is_the_same_when_it_is_decided_again() -> None:
    """Priced by the variant that the first decision gave them, one more could be paid."""
    split = {"by": ("tier",), "coverage": "100"}
    variants = ({"code": "a", "weight": 2}, {"code": "b", "weight": 1, "incentive_fen": 20})
    world = {
        "people": {"b": 1, "e": 1}, "tiers": dict.fromkeys("be", "gold"), "phones": {"b": 1, "e": 2}, "merges": {},
        "bought": set(), "consents": [], "all_said_yes": True, "touches": [], "assignments": [], "codes": 0,
        "campaigns": [campaign("one", percent="0", variants=variants, split=split, budget_fen=24)],
        "holders": set(), "global_percent": None, "caps": [],
    }  # fmt: skip
    first = run(facts(world), world)
    assert sorted(first.members["outcome"]) == ["over_budget", "planned"]
    assert run(with_log(facts(world), first), world).members.equals(first.members)


def test_whom_one_campaign_of_a_date_holds_out_takes_no_contact_from_another_when_it_is_decided_again() -> None:
    """Held out of `two`, the first of two people of one phone is no rival in `one`, which does not choose them."""
    campaigns = [campaign(code="one", audience="m_score >= 3"), campaign(code="two", audience="m_score >= 0")]
    world = {
        "people": {"a": 1, "b": 3}, "tiers": dict.fromkeys("ab", "gold"), "phones": {"a": 1, "b": 1}, "merges": {},
        "bought": set(), "consents": [], "all_said_yes": True, "touches": [], "assignments": [], "codes": 0,
        "campaigns": campaigns, "holders": set(), "global_percent": "20", "caps": [],
    }  # fmt: skip
    first = run(facts(world), world)
    assert first.members.filter(outcome="planned").select("campaign", "one_id").rows() == [("one", "b")]
    assert run(with_log(facts(world), first), world).members.equals(first.members)
