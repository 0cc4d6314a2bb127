"""Scores: the numbers of algorithms §3, and what they promise of any base."""

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.rfm import Rfm
from tasks.transforms.cutoffs import cutoffs_of
from tasks.transforms.rfm import score_rfm
from tests.support.examples import examples

SCHEMA = {"one_id": pl.String, "recency_days": pl.Int64, "frequency": pl.Int64, "monetary_fen": pl.Int64}


def scored(frequencies: list[int], levels: int = 5) -> pl.DataFrame:
    """Customers whose recency and spend rise with their frequency; frequency 0 has none."""
    rows = [(f"{n:04}", 400 - f if f else None, f, 10 * f) for n, f in enumerate(frequencies)]
    return score_rfm(pl.LazyFrame(rows, SCHEMA, orient="row"), Rfm(levels=levels)).collect()


def test_the_published_example():
    got = scored([1] * 700 + [2] * 200 + [3] * 70 + [8] * 30)
    by_value = got.select("frequency", "r_score", "f_score", "m_score").unique().sort("frequency").rows()
    assert by_value == [(1, 1, 1, 1), (2, 4, 4, 4), (3, 5, 5, 5), (8, 5, 5, 5)]


def test_small_and_equal_bases():
    assert scored([10, 20, 30])["f_score"].to_list() == [1, 2, 4]
    assert scored([7, 7, 7, 7])["f_score"].to_list() == [1, 1, 1, 1]
    assert scored([5])["f_score"].to_list() == [1]


def test_customers_outside_the_window_score_0_and_push_nobody_up():
    with_zeros = scored([0, 0, 0, 0, 1, 2, 3])
    assert with_zeros["f_score"].to_list() == [0, 0, 0, 0, 1, 2, 4]
    assert with_zeros["rfm_cell"].to_list()[:5] == [None] * 4 + ["LLL"]
    assert scored([0, 0])["m_score"].to_list() == [0, 0]


def test_a_score_equal_to_the_mean_is_low():
    assert scored([1, 2, 3])["rfm_cell"].to_list() == ["LLL", "LLL", "HHH"]
    assert scored([4, 4])["rfm_cell"].to_list() == ["LLL", "LLL"]


def test_cutoffs_are_the_least_values_that_earned_a_score():
    got = cutoffs_of(
        scored([1] * 700 + [2] * 200 + [3] * 70 + [8] * 30).lazy(), Rfm(), as_of=date(2026, 3, 31)
    ).collect()
    frequency = got.filter(pl.col("dimension") == "f")
    assert frequency["cutoff"].to_list() == [1, None, None, 2, 3]
    assert frequency.select("base_count", "effective_levels", "max_tie_share").row(0) == (1000, 3, 0.7)
    assert got.filter(pl.col("dimension") == "r")["cutoff"].to_list() == [-399, None, None, -398, -397]


def test_an_empty_base_has_cutoff_rows_without_values():
    got = cutoffs_of(scored([0]).lazy(), Rfm(), as_of=date(2026, 3, 31)).collect()
    assert got.select("cutoff", "base_count", "max_tie_share").unique().rows() == [(None, 0, None)]


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=40), st.integers(3, 10), st.randoms(use_true_random=False))
def test_what_scores_promise(frequencies: list[int], levels: int, shuffled):
    got = scored(frequencies, levels)
    base = [f for f in frequencies if f]
    assert got["f_score"].to_list() == [brute_force(frequency, base, levels) for frequency in frequencies]
    for frequency, earned in set(got.filter(pl.col("frequency") > 0).select("frequency", "f_score").iter_rows()):
        at_or_above = sum(f >= frequency for f in base)
        # An equivalence: less = N − (at or above), so k·less ≥ (s−1)·N turns round.
        reached = [at_or_above * levels <= (levels + 1 - score) * len(base) for score in range(1, levels + 1)]
        assert reached == [earned >= score for score in range(1, levels + 1)]
    order = list(range(got.height))
    shuffled.shuffle(order)
    again = score_rfm(got.select(SCHEMA.keys())[order].lazy(), Rfm(levels=levels)).sort("one_id").collect()
    assert again.equals(got)


def brute_force(value: int, base: list[int], levels: int) -> int:
    """The formula of the text."""
    return 1 + levels * sum(other < value for other in base) // len(base) if value else 0
