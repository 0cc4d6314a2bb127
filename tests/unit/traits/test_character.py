"""Character: types by their edges, and against a plain reading of the rules."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.activity import Character
from tasks.transforms.traits.character import judge_character
from tasks.transforms.traits.events import count_events
from tests.support.examples import examples
from tests.unit.traits.worlds import event, ground, told

KINDS = ("view", "search", "favourite", "cart_remove", "coupon_claim", "share", "post", "checkout", "login")
AGO = st.sampled_from([0, 89, 90])
LIVES = st.tuples(st.lists(st.tuples(st.sampled_from(KINDS), AGO), max_size=20), st.none() | AGO)
Life = tuple[list[tuple[str, int]], int | None]
"""Events with their days, and the days since the last order."""


def judged(*lives: Life) -> list[tuple[str, str]]:
    world = ground(
        len(lives),
        customers=[{"one_id": who, "days_since_order": bought} for who, (_, bought) in enumerate(lives)],
        events=[event(who, kind, ago) for who, (did, _) in enumerate(lives) for kind, ago in did],
    )
    rows = told(world, [count_events], [judge_character])
    return [(row["browsing_type"], row["decision_type"]) for row in rows]


def plain(life: Life) -> tuple[str, str]:
    did = [kind for kind, ago in life[0] if ago < 90]
    has_bought = life[1] is not None and life[1] < 90
    looks, checkouts = sum(kind in {"view", "search"} for kind in did), did.count("checkout")
    comparing = sum(kind in {"search", "favourite", "cart_remove", "coupon_claim"} for kind in did)
    content = sum(kind in {"view", "share", "post"} for kind in did)
    return _browsing(looks, checkouts, comparing, content, has_bought=has_bought), _decision(looks, checkouts)


def _browsing(looks: int, checkouts: int, comparing: int, content: int, *, has_bought: bool) -> str:
    telling = comparing + content
    if has_bought and checkouts and 1 <= looks <= 3 * checkouts:
        return "impulse_buyer"
    if telling < 5:
        return "unknown"
    if comparing / telling >= 0.4:
        return "price_comparer"
    return "content_browser" if content / telling >= 0.6 else "mixed"


def _decision(looks: int, checkouts: int) -> str:
    if checkouts and 1 <= looks <= 5 * checkouts:
        return "decider"
    if looks >= 15 * max(checkouts, 1):
        return "explorer"
    return "unknown" if looks < 5 else "mixed"


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(LIVES, min_size=1, max_size=6))
def test_types_are_those_of_the_rules(lives: list[Life]):
    assert judged(*lives) == [plain(life) for life in lives]


def test_types_by_example():
    view, search = ("view", 3), ("search", 3)
    rows = judged(
        ([], 5),
        ([view] * 3 + [("checkout", 3)], 3),
        ([view] * 3 + [search] * 2, None),
        ([view] * 15, None),
        ([("view", 90)] * 15, None),
    )
    assert rows == [
        ("unknown", "unknown"), ("impulse_buyer", "decider"), ("price_comparer", "mixed"),
        ("content_browser", "explorer"), ("unknown", "unknown"),
    ]  # fmt: skip


def test_who_decides_cannot_explore():
    with pytest.raises(ValueError, match="decider_looks 15 must be below explorer_looks 15"):
        Character(decider_looks=15)


def test_an_event_that_there_is_not_is_refused():
    wrong: dict[str, Any] = {"looks": ("glance",)}
    with pytest.raises(ValueError, match="glance is no event"):
        Character(**wrong)
