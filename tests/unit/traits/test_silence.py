"""Silence, early warning and potential: edges by literal example, everything against a plain reading of the text."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.traits.activity import joined_on, judge_activity
from tasks.transforms.traits.events import count_events
from tasks.transforms.traits.silence import judge_promise, judge_silence, last_coupon_order, last_recall
from tests.support.examples import examples
from tests.unit.traits.worlds import Row, at, event, ground, on, order, policy, told, touch

MEASURES = (joined_on, count_events, last_coupon_order, last_recall)
VERDICTS = (judge_activity, judge_silence, judge_promise)
AGO = st.sampled_from([0, 2, 3, 5, 6, 7, 14, 15, 29, 30, 31, 59, 60, 90, 91, 180, 181])
KINDS = ("login", "cart_add", "checkout", "coupon_claim", "coupon_use", "view", "post", "other")
LIFE = st.fixed_dictionaries({
    "joined": st.none() | AGO,
    "orders": st.lists(st.tuples(AGO, st.booleans()), max_size=4),
    "events": st.lists(st.tuples(st.sampled_from(KINDS), AGO), max_size=6),
    "touches": st.lists(
        st.tuples(st.sampled_from(["winback_sms", "welcome"]), st.sampled_from(["handed_over", "delivered", "failed"]),
                  AGO),
        max_size=3,
    ),
    "month_fen": st.sampled_from([None, 0, 50_000, 50_001]),
})  # fmt: skip
Life = dict[str, Any]


def customer(who: int, life: Life) -> Row:
    """What the table customers, and the months of habits, say of such a life."""
    days = [ago for ago, _ in life["orders"]]
    return {
        "one_id": who, "life_orders": len(days), "days_since_order": min(days, default=None),
        "last_order_on": on(min(days)) if days else None, "max_month_spend_fen": life["month_fen"],
    }  # fmt: skip


def judged(*lives: Life) -> list[dict[str, Any]]:
    everyone = list(enumerate(lives))
    world = ground(
        len(lives),
        customers=[customer(who, life) for who, life in everyone],
        orders=[order(who, ago, has_coupon=coupon) for who, life in everyone for ago, coupon in life["orders"]],
        events=[event(who, kind, ago) for who, life in everyone for kind, ago in life["events"]],
        touches=[touch(who, *sent) for who, life in everyone for sent in life["touches"]],
        members=[
            {"one_id": who, "joined_at": at(life["joined"])} for who, life in everyone if life["joined"] is not None
        ],
    )
    return told(world, MEASURES, VERDICTS)


def a_life(**parts: Any) -> Life:
    return {"joined": None, "orders": [], "events": [], "touches": [], "month_fen": None, **parts}


def last(life: Life, *kinds: str) -> int | None:
    """How many days ago one of these events was last."""
    return min((ago for kind, ago in life["events"] if kind in kinds), default=None)


def plain_scenario(life: Life) -> str | None:
    bought = min((ago for ago, _ in life["orders"]), default=999)
    used_on = [ago for ago, coupon in life["orders"] if coupon]
    used = min(used_on + [ago for kind, ago in life["events"] if kind == "coupon_use"], default=999)
    for kind, name, end in (
        ("checkout", "checkout", bought),
        ("cart_add", "cart", bought),
        ("coupon_claim", "coupon", used),
    ):
        start = last(life, kind)
        if start is not None and 3 <= start <= 30 and end > start:
            return name
    joined = life["joined"]
    return "newcomer" if joined is not None and 7 <= joined <= 30 and not life["orders"] else None


def plain_exposures(life: Life) -> list[int]:
    sends: dict[tuple[str, int], set[str]] = {}
    for campaign, kind, ago in life["touches"]:
        sends.setdefault((campaign, ago), set()).add(kind)
    return [
        ago for (campaign, ago), kinds in sends.items()
        if campaign.startswith("winback") and ("delivered" in kinds or "failed" not in kinds)
    ]  # fmt: skip


def plain(life: Life, *, has_logins: bool) -> dict[str, Any]:
    """The text, read for one customer."""
    bought = min((ago for ago, _ in life["orders"]), default=None)
    active = last(life, *(kind for kind in KINDS if kind != "other"))
    login = last(life, "login")
    core = min(x for x in (bought, last(life, "login", "cart_add", "checkout", "coupon_use"), 999) if x is not None)
    recalled = min((ago for ago in plain_exposures(life) if ago >= 7), default=None)
    joined, orders = life["joined"], len(life["orders"])
    recent = [ago for kind, ago in life["events"] if kind != "other" and ago < 30]
    is_active = len([ago for kind, ago in life["events"] if kind == "login" and ago < 7]) >= 3
    is_lively = is_active or any(ago < 7 for ago in recent) or len(recent) >= 4
    return {
        "silent_behaviour": bought is not None and bought >= 30 and (active is None or active >= 15),
        "silent_value": bought is not None and bought >= 60 and (life["month_fen"] or 0) > 50_000,
        "silent_scenario": plain_scenario(life) is not None,
        "silent_scenario_kind": plain_scenario(life),
        "silent_latent": (login is not None and 30 <= login <= 90) if has_logins else None,
        "silent_again": recalled is not None and core > recalled,
        "early_warning": joined is not None and 5 <= joined <= 30 and orders == 0,
        "is_potential": joined is not None and 30 <= joined <= 180 and 1 <= orders <= 3
        and bought is not None and bought >= 30 and is_lively,
    }  # fmt: skip


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(LIFE, min_size=1, max_size=6))
def test_every_verdict_is_the_text_s(lives: list[Life]):
    has_logins = any(kind == "login" for life in lives for kind, _ in life["events"])
    for row, life in zip(judged(*lives), lives, strict=True):
        expected = plain(life, has_logins=has_logins)
        assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("verdict", "life"),
    [
        ("silent_behaviour", a_life(orders=[(30, False)], events=[("view", 15)])),
        ("silent_value", a_life(orders=[(60, False)], month_fen=50_001)),
        ("silent_scenario", a_life(events=[("cart_add", 3)])),
        ("silent_scenario", a_life(events=[("coupon_claim", 10)], orders=[(9, False)])),
        ("silent_scenario", a_life(joined=7)),
        ("silent_latent", a_life(events=[("login", 30)])),
        ("silent_latent", a_life(events=[("login", 90)])),
        ("silent_again", a_life(touches=[("winback_sms", "handed_over", 7)], orders=[(8, False)])),
        ("early_warning", a_life(joined=5)),
        ("is_potential", a_life(joined=30, orders=[(30, False)], events=[("post", 6)])),
    ],
)  # fmt: skip
def test_the_edge_is_inside(verdict: str, life: Life):
    assert judged(life)[0][verdict] is True


@pytest.mark.parametrize(
    ("verdict", "life"),
    [
        ("silent_behaviour", a_life(orders=[(29, False)])),
        ("silent_behaviour", a_life(orders=[(30, False)], events=[("view", 14)])),
        ("silent_behaviour", a_life(events=[("view", 60)])),
        ("silent_value", a_life(orders=[(60, False)], month_fen=50_000)),
        ("silent_scenario", a_life(events=[("cart_add", 3)], orders=[(3, False)])),
        ("silent_scenario", a_life(events=[("coupon_claim", 10), ("coupon_use", 10)])),
        ("silent_latent", a_life(events=[("login", 91), ("login", 29)])),
        ("silent_again", a_life(touches=[("winback_sms", "handed_over", 7)], orders=[(7, False)])),
        ("silent_again", a_life(touches=[("winback_sms", "handed_over", 6)])),
        ("silent_again", a_life(touches=[("winback_sms", k, 9) for k in ("handed_over", "failed")])),
        ("silent_again", a_life(touches=[("welcome", "handed_over", 9)])),
        ("early_warning", a_life(joined=5, orders=[(0, False)])),
        ("is_potential", a_life(joined=30, orders=[(29, False)], events=[("post", 6)])),
    ],
)  # fmt: skip
def test_beyond_the_edge_is_outside(verdict: str, life: Life):
    assert judged(life)[0][verdict] is False


def test_thresholds_are_the_policy_s():
    lifecycle = policy().lifecycle
    silence = lifecycle.silence.model_copy(update={"value_days": 10, "month_spend_over_fen": 100})
    rules = policy().model_copy(update={"lifecycle": lifecycle.model_copy(update={"silence": silence})})
    life = a_life(orders=[(10, False)], month_fen=101)
    world = ground(1, customers=[customer(0, life)], rules=rules)
    assert told(world, MEASURES, VERDICTS)[0]["silent_value"] is True


def test_days_are_counted_from_the_date():
    assert on(30) == date(2026, 3, 1)
