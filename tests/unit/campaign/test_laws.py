"""The laws of allocation over random people: an independent reading, in plain Python, of what must never happen."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Cap
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.known import Known
from tasks.transforms.waterfall import check_balance, waterfall
from tests.support.campaigns import NOW, SEEN, SEND_ON, campaign, consent, known, member, phone, policy, touch
from tests.support.examples import examples

PEOPLE = ("a", "b", "c", "d", "e")
NUMBERS = (1, 2, 3)

World = dict[str, Any]
consents = st.builds(
    lambda subject, decision, channel, purpose, day: consent(
        subject, decision, touch_channel=channel, purpose=purpose, decided_at=SEEN + timedelta(days=day)
    ),
    st.sampled_from([*map(phone, NUMBERS), *map(member, PEOPLE)]),
    st.sampled_from(["granted", "granted", "granted", "withdrawn"]),
    st.sampled_from(["sms", "sms", "sms", "push", "*"]),
    st.sampled_from(["marketing", "marketing", "marketing", "*"]),
    st.integers(0, 3),
)
touches = st.builds(
    touch,
    st.sampled_from([*PEOPLE, None]),
    st.sampled_from([*map(phone, NUMBERS), member("a")]),
    st.integers(-8, 8),
    st.sampled_from(["planned", "handed_over", "cancelled", "clicked"]),
)

campaigns = st.lists(
    st.builds(
        campaign,
        st.sampled_from(["one", "two", "three"]),
        priority=st.integers(1, 2),
        audience=st.sampled_from(["m_score >= 0", "m_score >= 3"]),
        exclusive_group=st.sampled_from([None, "g"]),
        percent=st.sampled_from([None, "30"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda c: c.code,
)
worlds = st.fixed_dictionaries(
    {
        "people": st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 5), min_size=1),
        "phones": st.fixed_dictionaries({p: st.sampled_from([None, *NUMBERS]) for p in PEOPLE}),
        "consents": st.lists(consents, max_size=12),
        "touches": st.lists(touches, max_size=6),
        "campaigns": campaigns,
        "caps": st.lists(
            st.builds(Cap, touch_channel=st.sampled_from(["sms", "*"]), days=st.integers(1, 8), most=st.integers(1, 2)),
            max_size=2,
        ),
    }
)


def facts(world: World) -> Known:
    phones = {p: world["phones"][p] for p in world["people"]}
    return known(world["people"], phones, world["consents"], world["touches"])


def run(people: Known, campaigns: list[Campaign], caps: list[Cap]) -> Allocation:
    return allocate(people, policy(*campaigns, caps=caps), send_on=SEND_ON, at=NOW)


def refused(world: World, one_id: str) -> bool:
    """No consent, or a no by any of the keys: of two words of one instant the no comes last."""
    subjects = (phone(world["phones"][one_id]), member(one_id))
    latest: dict[tuple[str, str, str], tuple[datetime, str]] = {}
    for said in world["consents"]:
        key = (said["subject"], said["touch_channel"], said["purpose"])
        latest[key] = max(latest.get(key, (SEEN, "")), (said["decided_at"], said["decision"]))
    words = [(s, c, p, decision) for (s, c, p), (_, decision) in latest.items() if s in subjects]
    has_yes = any((c, p, decision) == ("sms", "marketing", "granted") for _, c, p, decision in words)
    has_no = any(
        c in ("sms", "*") and p in ("marketing", "*") and decision == "withdrawn" for _, c, p, decision in words
    )
    return has_no or not has_yes


def sent(world: World, planned: list[Mapping[str, Any]], by: str, value: str) -> list[tuple[date, str]]:
    """(day, send) of every message to one person or contact: the earlier ledger, and what was planned now."""
    days: dict[tuple[str, str, Any], list[tuple[datetime, str, date]]] = {}
    for row in world["touches"]:
        group = days.setdefault((row["send_id"], row["recipient_key"], row["one_id"]), [])
        group.append((row["happened_at"], row["kind"], row["send_on"]))
    messages = [(r["send_on"], r["send_id"]) for r in planned if r[by] == value]
    for (send_id, key, one_id), seen in days.items():
        owners = {one_id} if one_id else {p for p in world["people"] if key in (member(p), phone(world["phones"][p]))}
        counts = any(kind == "clicked" for _, kind, _ in seen) or max(seen)[1] != "cancelled"
        if counts and (value == key or value in owners):
            messages.append((seen[0][2], send_id))
    return sorted(set(messages))


def most_in_a_window(messages: list[tuple[date, str]], days: int) -> int:
    """The most messages of any window of so many days that holds the day of the send."""
    starts = [SEND_ON - timedelta(days=back) for back in range(days)]
    return max(sum(start <= day < start + timedelta(days=days) for day, _ in messages) for start in starts)


@settings(max_examples=examples(20), deadline=None)
@given(worlds)
def test_nobody_gets_what_they_must_not_get(world: World) -> None:
    result = run(facts(world), world["campaigns"], world["caps"])
    planned = result.members.filter(pl.col("outcome") == "planned").to_dicts()
    assert not [row for row in planned if refused(world, row["one_id"])]
    assert "holdout" not in {row["variant"] for row in planned}
    assert max(Counter((r["campaign"], r["recipient_key"]) for r in planned).values(), default=0) <= 1
    groups = {c.code: c.exclusive_group for c in world["campaigns"]}
    for by in ("one_id", "recipient_key"):
        assert max(Counter(r[by] for r in planned if groups[r["campaign"]]).values(), default=0) <= 1
        for value in {row[by] for row in planned}:
            messages = sent(world, planned, by, value)
            assert all(most_in_a_window(messages, cap.days) <= cap.most for cap in world["caps"])
    held = result.members.filter(pl.col("outcome") == "holdout").select("campaign", "recipient_key").rows()
    assert not set(held) & {(r["campaign"], r["recipient_key"]) for r in planned}


@settings(max_examples=examples(15), deadline=None)
@given(worlds)
def test_everyone_has_one_outcome_in_every_campaign(world: World) -> None:
    members = run(facts(world), world["campaigns"], world["caps"]).members
    for one in world["campaigns"]:
        mine = members.filter(pl.col("campaign") == one.code)
        assert sorted(mine["one_id"]) == sorted(world["people"])
        check_balance(waterfall(mine), base=len(world["people"]))
    has_reason = members["outcome"] != "planned"
    assert members.filter(has_reason)["evidence"].null_count() == 0


@settings(max_examples=examples(15), deadline=None)
@given(worlds, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_twice_is_once(world: World, chance: Any) -> None:
    first = run(facts(world), world["campaigns"], world["caps"])
    people = list(world["people"].items())
    for items in (people, world["consents"], world["touches"], world["campaigns"]):
        chance.shuffle(items)
    shuffled = facts(world | {"people": dict(people)})
    second = run(shuffled, world["campaigns"], world["caps"])
    assert second.members.equals(first.members)
    assert second.touches.equals(first.touches)
    assert second.assignments.equals(first.assignments)
    ledger = pl.concat([shuffled.touches, first.touches.lazy()])
    after = Known(**{**vars(shuffled), "touches": ledger, "assignments": first.assignments.lazy()})
    third = run(after, world["campaigns"], world["caps"])
    assert third.members.equals(first.members)
    assert third.touches.is_empty()
    assert third.assignments.is_empty()
