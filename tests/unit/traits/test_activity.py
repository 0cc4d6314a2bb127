"""Activity: counts by kind and window, against a plain count event by event."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.vocabulary import EVENTS
from tasks.transforms.traits.activity import joined_on, judge_activity
from tasks.transforms.traits.events import count_events
from tests.support.examples import examples
from tests.unit.traits.worlds import at, event, ground, on, told

COUNTED = {
    "logins_7d": ("login", 7), "logins_30d": ("login", 30), "views_7d": ("view", 7), "views_30d": ("view", 30),
    "searches_30d": ("search", 30), "favourites_30d": ("favourite", 30), "carts_30d": ("cart_add", 30),
    "checkouts_30d": ("checkout", 30), "shares_30d": ("share", 30), "messages_7d": ("message", 7),
    "messages_30d": ("message", 30), "live_30d": ("live_watch live_interact", 30),
    "coupons_claimed_30d": ("coupon_claim", 30), "coupons_used_30d": ("coupon_use", 30), "reviews_30d": ("review", 30),
    "services_30d": ("service", 30), "posts_30d": ("post", 30), "visits_30d": ("visit_store", 30),
    "referrals_life": ("referral", 10_000),
}  # fmt: skip
NO_INTERACTION = {"unfollow", "other"}
Happened = list[tuple[str, int]]
EVENT_LISTS = st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from([0, 1, 6, 7, 29, 30, 90])), max_size=25)


def of(*people: Happened) -> list[dict[str, Any]]:
    """Rows of traits for people who did these things."""
    events = [event(who, kind, ago) for who, did in enumerate(people) for kind, ago in did]
    return told(ground(len(people), events=events), [count_events], [judge_activity])


def plain(happened: Happened, brand: Happened) -> dict[str, Any]:
    """The row of one customer, counted one event after the other."""
    row: dict[str, Any] = {
        name: sum(kind in kinds.split() and ago < days for kind, ago in happened)
        for name, (kinds, days) in COUNTED.items()
    }
    interactions = [ago for kind, ago in happened if kind not in NO_INTERACTION]
    row |= {f"interactions_{days}d": sum(ago < days for ago in interactions) for days in (7, 30)}
    row["days_since_active"] = min(interactions, default=None)
    row["days_since_login"] = min((ago for kind, ago in happened if kind == "login"), default=None)
    row["last_active_on"] = on(min(interactions)) if interactions else None
    row["is_active"] = row["logins_7d"] >= 3 if any(kind == "login" for kind, _ in brand) else None
    row["activity"] = _activity(row) if brand else "unknown"
    return row


def _activity(row: dict[str, Any]) -> str:
    if row["is_active"] or row["interactions_7d"] >= 7 or row["interactions_30d"] >= 20:
        return "high"
    if row["interactions_7d"] >= 1 or row["interactions_30d"] >= 4:
        return "middle"
    return "low" if row["interactions_30d"] >= 1 else "none"


@settings(max_examples=examples(15), deadline=None)
@given(EVENT_LISTS, EVENT_LISTS)
def test_counts_are_those_of_a_plain_count(ann: Happened, bea: Happened):
    for row, did in zip(of(ann, bea), (ann, bea), strict=True):
        expected = plain(did, ann + bea)
        assert {column: row[column] for column in expected} == expected


def test_three_log_ins_in_seven_days_are_active_and_two_are_not():
    rows = of([("login", 0), ("login", 3), ("login", 6)], [("login", 0), ("login", 6), ("login", 7)])
    assert [(row["is_active"], row["activity"]) for row in rows] == [(True, "high"), (False, "middle")]


def test_somebody_joined_when_the_first_profile_says_in_the_brands_own_days():
    joined = [(0, at(10)), (0, at(11, hour=17)), (1, None), (2, at(-1))]
    members = [{"one_id": who, "joined_at": instant} for who, instant in joined]
    rows = told(ground(3, members=members), [joined_on])
    assert [row["member_since_on"] for row in rows] == [on(10), None, None], "17:00 UTC is the next day in Shanghai"


def test_a_brand_without_log_ins_cannot_say_who_is_active():
    assert [(row["is_active"], row["activity"]) for row in of([("view", 1)], [])] == [(None, "middle"), (None, "none")]
    assert [(row["is_active"], row["activity"]) for row in of([])] == [(None, "unknown")]
