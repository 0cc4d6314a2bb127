"""Moves sum to their base; key figures are integers, shares half up."""

from datetime import UTC, date, datetime
from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.metrics import pareto_share
from tasks.transforms.migration import DIMENSIONS, ENTERED, LEFT, trace_moves
from tests.support.examples import examples

FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)
SEEN = datetime(2026, 3, 5, tzinfo=UTC)
TIERS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["base", "silver", "gold"]))


def customers(tiers: dict[str, str], fen: int = 100) -> pl.LazyFrame:
    """Customers whose segment and stage follow from the tier."""
    schema = {"one_id": pl.String, "tier": pl.String}
    frame = pl.LazyFrame(list(tiers.items()), schema, orient="row")
    seen = pl.lit(SEEN, pl.Datetime("us", "UTC"))
    return frame.with_columns(segment="tier", stage="tier", monetary_fen=pl.lit(fen, pl.Int64), first_seen_at=seen)


def test_who_is_new_enters_and_who_is_gone_leaves():
    before, after = customers({"a": "gold", "b": "base"}, 70), customers({"b": "silver", "c": "base"})
    moves = trace_moves(before, after, FEBRUARY, MARCH).collect()
    columns = ("one_id", "from_code", "to_code", "monetary_fen")
    assert moves.filter(pl.col("dimension") == "tier").select(columns).rows() == [
        ("a", "gold", LEFT, 70),
        ("b", "base", "silver", 100),
        ("c", ENTERED, "base", 100),
    ]


def test_without_an_earlier_date_nobody_has_moved():
    assert trace_moves(None, customers({"a": "base"}), None, MARCH).collect().is_empty()


@settings(max_examples=examples(30), deadline=None)
@given(TIERS, TIERS)
def test_the_matrix_sums_to_both_bases(before: dict[str, str], after: dict[str, str]):
    moves = trace_moves(customers(before), customers(after), FEBRUARY, MARCH).collect()
    for dimension in DIMENSIONS:
        one = moves.filter(pl.col("dimension") == dimension)
        assert one.filter(pl.col("from_code") != ENTERED).height == len(before)
        assert one.filter(pl.col("to_code") != LEFT).height == len(after)
        assert dict(one.filter(pl.col("to_code") != LEFT).select("one_id", "to_code").iter_rows()) == after


def share(spends: list[int]) -> int | None:
    frame = pl.DataFrame({"spend": spends}, schema={"spend": pl.Int64})
    return frame.select(pareto_share(pl.col("spend"), percent=20)).item()


def test_the_top_fifth_is_rounded_down_to_whole_customers():
    assert share([10] * 4 + [60]) == 6000
    assert share([10] * 8 + [20]) == 2000
    assert share([1, 2]) == 0
    assert share([]) is None


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.integers(0, 10**14), min_size=1, max_size=30).filter(any))
def test_a_share_is_the_nearest_basis_point(spends: list[int]):
    top = sum(sorted(spends, reverse=True)[: len(spends) // 5])
    exact = Fraction(10_000 * top, sum(spends))
    assert abs(share(spends) - exact) <= Fraction(1, 2)
