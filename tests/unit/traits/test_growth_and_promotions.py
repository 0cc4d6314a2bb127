"""Growth points by hand, and what fell into a promotion."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.growth import Action
from tasks.transforms.traits.growth import climb, collect_points, points_of_actions
from tasks.transforms.traits.promotions import count_promotions, name_promotion
from tests.support.examples import examples
from tests.unit.traits.grounds import AS_OF, by_customer, events, ground, orders

DAY = date(2026, 6, 1)
SINCE = date(2026, 5, 1)
ACTIONS = (Action(event="review", points=20, most_a_day=2), Action(event="referral", points=100))
DONE = st.tuples(
    st.integers(0, 2), st.sampled_from(["review", "referral", "view"]),
    st.integers(-2, 3).map(lambda days: SINCE + timedelta(days=days)),
)  # fmt: skip


def test_a_point_for_each_yuan_and_some_for_actions():
    bought = orders(
        {"one_id": 1, "paid_on": DAY, "paid_fen": 99_950}, {"one_id": 1, "paid_on": DAY, "net_fen": 0},
        {"one_id": 2, "paid_on": AS_OF - timedelta(days=365), "paid_fen": 90_000}, {"one_id": 3, "paid_fen": 99},
    )  # fmt: skip
    acted = events((1, "login", DAY), (1, "login", DAY), (4, "referral", DAY), (4, "view", DAY))
    made = by_customer(collect_points(ground(orders=bought, events=acted)))
    assert {who: row["growth_points"] for who, row in made.items()} == {1: 1000, 3: 0, 4: 100}


def test_the_ladder():
    points = pl.LazyFrame({"growth_points": [0, 999, 1000, 5000]})
    levels = climb(points, ground()).collect()["growth_level"].to_list()
    assert levels == ["explorer", "explorer", "adept", "expert"]


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(DONE, max_size=20))
def test_points_equal_those_counted_one_by_one(done: list[tuple[int, str, date]]):
    expected: dict[int, int] = {}
    for who, event, day in sorted(set(done)):
        times, rule = done.count((who, event, day)), {action.event: action for action in ACTIONS}.get(event)
        if rule is not None and day > SINCE:
            counted = times if rule.most_a_day is None else min(times, rule.most_a_day)
            expected[who] = expected.get(who, 0) + counted * rule.points
    got = points_of_actions(events(*done), ACTIONS, SINCE).group_by("one_id").agg(pl.col("_points").sum()).collect()
    assert dict(got.iter_rows()) == expected


def test_spend_in_the_last_promotion_and_the_share_of_orders_in_any():
    bought = orders(
        {"one_id": 1, "paid_on": date(2026, 5, 20), "paid_fen": 300}, {"one_id": 1, "paid_on": date(2026, 6, 20)},
        {"one_id": 1, "paid_on": date(2026, 6, 21)}, {"one_id": 1, "paid_on": date(2025, 11, 11)},
        {"one_id": 2, "paid_on": date(2026, 4, 1)}, {"one_id": 3, "paid_on": date(2024, 11, 11)},
    )  # fmt: skip
    made = by_customer(count_promotions(ground(orders=bought)))
    assert made == {
        1: {"promotion_fen": 400, "promotion_rate": 0.75}, 2: {"promotion_fen": 0, "promotion_rate": 0.0},
    }  # fmt: skip
    assert name_promotion(pl.LazyFrame({"one_id": [1]}), ground()).collect()["promotion"].to_list() == ["mid_year_618"]
