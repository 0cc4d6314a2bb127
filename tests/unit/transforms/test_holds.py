"""Locks and flags that people declared: whom they are about, what they give, and what is left when they end."""

from datetime import date
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.policy.holds import Holds
from tasks.transforms.holds import holds_at
from tasks.transforms.tier_replay import advance
from tasks.transforms.tier_spend import with_counting_days
from tests.support.examples import examples
from tests.unit.transforms import builders
from tests.unit.transforms.builders import ladder

JANUARY, FEBRUARY, MARCH, APRIL = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)
NUMBERS = pl.LazyFrame({"old_id": ["ann", "anne", "bob"], "one_id": [0, 0, 1]})
LOCK = {"one_id": "anne", "tier": "gold", "starts_on": "2026-02-01", "ends_on": "2026-03-31", "reason": "promised"}
TIERS = ladder()


def review(state: pl.LazyFrame | None, holds: Holds, after: date, as_of: date, spend: int = 0) -> pl.LazyFrame:
    """Ann (0) and Bob (1) without orders, who have that spend, at the end of a month."""
    people = pl.LazyFrame({"one_id": [0, 1], "tier_spend_fen": [spend, spend]})
    orders = builders.orders().with_columns(pl.lit(None, pl.Int64).alias("one_id"), net_fen="paid_fen")
    counted = with_counting_days(orders, None, as_of=as_of, tiers=TIERS)
    declared = holds_at(holds, TIERS, NUMBERS, after=after, as_of=as_of)
    return advance(people, state, counted, None, after=after, as_of=as_of, tiers=TIERS, holds=declared).collect().lazy()


def ann(rows: pl.LazyFrame) -> tuple[object, ...]:
    columns = ("tier", "tier_cause", "tier_since", "tier_locked_until", "tier_lock_reason")
    return rows.filter(pl.col("one_id") == 0).select(columns).collect().row(0)


def test_a_lock_gives_the_tier_for_its_months_and_the_review_after_it_judges():
    holds = Holds.model_validate({"locks": [LOCK]})
    january = review(None, holds, date(2025, 12, 31), JANUARY)
    february = review(january, holds, JANUARY, FEBRUARY)
    march = review(february, holds, FEBRUARY, MARCH)
    april = review(march, holds, MARCH, APRIL)
    assert ann(january) == ("base", "base", None, None, None)
    assert ann(february) == ("gold", "manual", date(2026, 2, 1), MARCH, "promised")
    assert ann(march) == ("gold", "manual", date(2026, 2, 1), MARCH, "promised")
    assert ann(april) == ("base", "downgrade", APRIL, None, None)
    assert april.collect()["tier"].to_list() == ["base", "base"]


def test_who_has_spent_enough_keeps_what_the_lock_gave():
    holds = Holds.model_validate({"locks": [LOCK | {"ends_on": "2026-02-28"}]})
    march = review(review(None, holds, JANUARY, FEBRUARY), holds, FEBRUARY, MARCH, spend=1700)
    assert ann(march)[:2] == ("gold", "kept")


def test_a_flag_goes_before_a_lock_and_ends():
    flag = {"one_id": "ann", "starts_on": "2026-02-10", "ends_on": "2026-02-28", "reason": "resells"}
    holds = Holds.model_validate({"locks": [LOCK | {"tier": None}], "frauds": [flag]})
    february = review(None, holds, JANUARY, FEBRUARY)
    assert ann(february)[:2] == ("none", "fraud")
    of_bob = Holds.model_validate({"locks": [LOCK | {"one_id": "bob"}]})
    assert ann(review(february, of_bob, FEBRUARY, MARCH, spend=600))[:2] == ("silver", "upgrade")


def test_nobody_is_held_where_nothing_is_declared():
    assert holds_at(Holds(), TIERS, NUMBERS, after=JANUARY, as_of=FEBRUARY) is None


@pytest.mark.parametrize("wrong", [
    {"locks": [LOCK | {"starts_on": "2026-02-02"}]}, {"locks": [LOCK | {"ends_on": "2026-03-30"}]},
    {"locks": [LOCK, LOCK | {"starts_on": "2026-03-01"}]}, {"frauds": [{"one_id": "ann"}]},
    {"locks": [LOCK | {"ends_on": "2025-12-31"}]}, {"locks": [LOCK | {"reason": ""}]},
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Holds.model_validate(wrong)


@settings(max_examples=examples(5), deadline=None)
@given(st.integers(1, 4), st.integers(0, 2), st.sampled_from(["base", "silver", "gold", None]), st.integers(0, 2500))
def test_under_a_lock_nothing_but_the_lock_decides(starts: int, months: int, tier: str | None, spend: int):
    ends = [date(2025, 12, 31), JANUARY, FEBRUARY, MARCH, APRIL]
    last = ends[min(starts + months, 4)]
    holds = Holds.model_validate({"locks": [LOCK | {
        "tier": tier, "starts_on": ends[starts].replace(day=1), "ends_on": last,
    }]})  # fmt: skip
    state, before = None, "base"
    for after, as_of in pairwise(ends):
        state = review(state, holds, after, as_of, spend)
        now, cause, *_ = ann(state)
        if as_of >= ends[starts] and as_of <= last:
            assert (now, cause) == (tier or before, "manual")
        before = now
