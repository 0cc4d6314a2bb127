"""Stages: the first that fits, and always one."""

from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from expectations.vocabulary import STAGES
from tasks.policy.lifecycle import Silence
from tasks.transforms.lifecycle import stage_customers
from tests.support.examples import examples
from tests.unit.transforms import builders

AS_OF = date(2026, 3, 31)
LIFECYCLE = builders.demo_policy().lifecycle


def stage(*days_ago: int, gross: int | None = None) -> str:
    """Stage of a customer who bought on these days before as_of."""
    days = sorted({AS_OF - timedelta(days=ago) for ago in days_ago})
    bought, since = len(days_ago), min(days_ago, default=None)
    facts = pl.LazyFrame(
        [("ann", gross or bought, bought, len(days), since, min(days, default=None))],
        {"one_id": pl.String, "gross_orders": pl.Int64, "life_orders": pl.Int64, "purchase_days": pl.Int64,
         "days_since_order": pl.Int64, "first_order_on": pl.Date},
        orient="row",
    )  # fmt: skip
    orders = pl.LazyFrame(
        {"one_id": ["ann"] * len(days_ago), "paid_on": [AS_OF - timedelta(days=ago) for ago in days_ago]},
        {"one_id": pl.String, "paid_on": pl.Date},
    ).with_columns(is_qualifying=pl.lit(value=True))
    return stage_customers(facts, orders, as_of=AS_OF, lifecycle=LIFECYCLE).collect()["stage"].item()


def test_every_stage_and_its_edges():
    assert stage() == "prospect"
    assert stage(gross=2) == "refunded_only"
    assert [stage(0), stage(7), stage(8), stage(30), stage(31)] == ["new", "new", "growing", "growing", "at_risk"]
    assert [stage(2, 10), stage(5, 40), stage(30, 90)] == ["growing", "active", "active"]
    assert [stage(31, 90), stage(60, 90), stage(61, 90), stage(90, 99), stage(91, 99)] == [
        "at_risk", "at_risk", "silent", "silent", "lost",
    ]  # fmt: skip


def test_returned_needs_a_silence_of_more_than_60_days_ended_in_the_last_30():
    assert stage(30, 91) == "returned"
    assert stage(30, 90) == "active"
    assert stage(2, 5, 30, 91) == "returned"
    assert stage(2, 31, 92) == "active"
    assert stage(0, 0, 200) == "returned"


def brute_force(ago: list[int]) -> str:
    """The text of algorithms §5 for a customer with orders."""
    days = sorted(set(ago), reverse=True)
    if len(days) == 1 and days[0] <= 7:
        return "new"
    if days[0] <= 30:
        return "growing"
    if any(p - q > 60 and q <= 30 for p, q in pairwise(days)):
        return "returned"
    return next((name for name, edge in (("active", 30), ("at_risk", 60), ("silent", 90)) if days[-1] <= edge), "lost")


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=5))
def test_the_stage_is_the_text_s(ago: list[int]):
    assert stage(*ago) == brute_force(ago)
    assert stage(*ago) in STAGES


@pytest.mark.parametrize("recalls", ["^(winback", "^(?!welcome)"])
def test_an_expression_that_cannot_be_searched_for_is_refused(recalls: str):
    with pytest.raises(ValidationError, match=r"no regular expression|looks around"):
        Silence(recalls=recalls)
