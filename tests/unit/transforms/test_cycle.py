"""Cycles and the stages that follow from them: against a plain reading of the text, customer by customer."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import median, median_low

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.lifecycle import Cycle, Lifecycle
from tasks.transforms.cycle import edges, median_gaps, with_cycle
from tasks.transforms.lifecycle import stage_customers
from tests.support.examples import examples
from tests.unit.transforms import builders

AS_OF = date(2026, 3, 31)
LIFECYCLE: Lifecycle = builders.demo_policy().lifecycle.model_copy(update={"basis": "cycle"})
Population = list[tuple[list[int], str | None]]
"""Per customer: days before as_of on which they bought, and their preferred category."""
POPULATIONS = st.lists(
    st.tuples(st.lists(st.integers(0, 400), max_size=7), st.sampled_from([None, "milk", "tea"])), min_size=1, max_size=8
)


def orders_of(people: Population) -> pl.LazyFrame:
    rows = [(number, AS_OF - timedelta(days=ago), True) for number, (bought, _) in enumerate(people) for ago in bought]
    schema = {"one_id": pl.Int64, "paid_on": pl.Date, "is_qualifying": pl.Boolean}
    return pl.LazyFrame(rows, schema, orient="row")


def facts_of(people: Population) -> pl.LazyFrame:
    rows = [
        (number, len(bought), len(bought), len({*bought}), min(bought, default=None),
         AS_OF - timedelta(days=max(bought)) if bought else None, category)
        for number, (bought, category) in enumerate(people)
    ]  # fmt: skip
    schema = {
        "one_id": pl.Int64, "gross_orders": pl.Int64, "life_orders": pl.Int64, "purchase_days": pl.Int64,
        "days_since_order": pl.Int64, "first_order_on": pl.Date, "preferred_category": pl.String,
    }  # fmt: skip
    return pl.LazyFrame(rows, schema, orient="row")


def gaps(bought: list[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(sorted({*bought}))]


def plain_cycles(people: Population) -> list[tuple[int, str]]:
    """Twice the cycle of each customer, and where it comes from."""
    own = [int(2 * Fraction(median(gaps(bought)))) if len(gaps(bought)) >= 3 else None for bought, _ in people]
    found = []
    for (_, category), g2 in zip(people, own, strict=True):
        same = [
            other
            for other, (_, theirs) in zip(own, people, strict=True)
            if other is not None and theirs == category is not None
        ]
        everyone = [other for other in own if other is not None]
        if g2 is not None:
            chosen, basis = g2, "own"
        elif same:
            chosen, basis = median_low(same), "category"
        elif everyone:
            chosen, basis = median_low(everyone), "base"
        else:
            chosen, basis = 60, "otherwise"
        found.append((min(max(chosen, 14), 360), basis))
    return found


@settings(max_examples=examples(40), deadline=None)
@given(POPULATIONS)
def test_the_cycle_is_the_text_s(people: Population):
    got = with_cycle(facts_of(people), median_gaps(orders_of(people)), LIFECYCLE.cycle).sort("one_id").collect()
    assert got.select("cycle_g2", "cycle_basis").rows() == plain_cycles(people)
    halves = [gaps(bought) for bought, _ in people]
    assert got["median_gap_days"].to_list() == [int(median(gap) + Fraction(1, 2)) if gap else None for gap in halves]


def plain_stage(bought: list[int], g2: int) -> str:
    if not bought:
        return "prospect"
    days = sorted({*bought}, reverse=True)
    at_risk = int(Fraction(3, 4) * g2 + Fraction(1, 2))
    if len(days) == 1 and days[0] <= 7:
        return "new"
    if days[0] <= 30:
        return "growing"
    if any(p - q > at_risk and q <= 30 for p, q in pairwise(days)):
        return "returned"
    ends = [("active", int(Fraction(g2, 2) + Fraction(1, 2))), ("at_risk", at_risk)]
    ends.append(("silent", int(Fraction(3, 2) * g2 + Fraction(1, 2))))
    return next((name for name, end in ends if days[-1] <= end), "lost")


@settings(max_examples=examples(40), deadline=None)
@given(POPULATIONS)
def test_the_stage_by_cycle_is_the_text_s(people: Population):
    staged = stage_customers(facts_of(people), orders_of(people), as_of=AS_OF, lifecycle=LIFECYCLE)
    got = staged.sort("one_id").collect()["stage"].to_list()
    plain = plain_cycles(people)
    assert got == [plain_stage(bought, g2) for (bought, _), (g2, _) in zip(people, plain, strict=True)]


def test_a_cycle_of_thirty_days_has_the_fixed_first_and_last_edge():
    found = pl.select(*(edge.alias(name) for edge, name in zip(edges(pl.lit(60)), "abc", strict=True)))
    assert found.row(0) == (30, 45, 90)


def test_edges_rise_for_every_cycle():
    g2 = pl.DataFrame({"g2": range(14, 361)})
    a, b, c = edges(pl.col("g2"))
    assert g2.select(((a < b) & (b < c)).all()).item()


def test_limits_without_room_are_refused():
    with pytest.raises(ValueError, match="least_days 10 is above most_days 9"):
        Cycle(least_days=10, most_days=9)
