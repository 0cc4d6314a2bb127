"""Measures of predictions: by hand, and against their definitions pair by pair."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.value.backtest import (
    accuracy,
    auc,
    by_group,
    calibration_error,
    chance_figures,
    gini,
    money_figures,
    tenth,
)  # fmt: skip
from tests.support.examples import examples

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25)


def rows(*given: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame(given, schema={"said": pl.Float64, "came": pl.Float64}, orient="row")


def test_accuracy_by_hand():
    """Groups of 300 for 200 and 100 for 200: 200 of 400 wrong; customer by customer 100 + 0 + 100 + 100 wrong."""
    frame = rows((200, 100), (100, 100), (100, 200), (0, 0)).with_columns(tier=pl.Series(["a", "a", "b", "b"]))
    groups = by_group(frame, "tier", "said", "came")
    assert groups.rows() == [("a", 2, 300, 200, 1.5), ("b", 2, 100, 200, 0.5)]
    assert accuracy(groups) == 0.5
    assert money_figures(frame, "said", "came")["accuracy_by_customer"] == 0.5


def test_a_perfect_prediction():
    figures = money_figures(rows(*((value, value) for value in range(40))), "said", "came")
    assert figures == {
        "accuracy_by_decile": 1, "accuracy_by_customer": 1, "calibration_ratio": 1,
        "mean_absolute_error_fen": 0, "gini": 1,
    }  # fmt: skip


def test_tenths_keep_equal_values_together():
    frame = pl.DataFrame({"v": [1] * 15 + [2] * 5})
    assert frame.select(tenth("v"))["tenth"].unique(maintain_order=True).to_list() == [1, 8]


def test_chances_by_hand():
    """Two of ten were told .5 and one came; eight were told 0 and one came."""
    frame = rows(*[(0.0, 1.0)], *[(0.0, 0.0)] * 7, (0.5, 1.0), (0.5, 0.0))
    figures = chance_figures(frame, "said", "came")
    assert figures["calibration_error_points"] == pytest.approx(10)
    assert (figures["brier"], figures["brier_of_base_rate"]) == (0.15, 0.16)
    assert figures["auc"] == (7 * 0.5 + 7 + 0.5) / 16


@settings(max_examples=examples(40))
@given(pairs)
def test_auc_is_the_share_of_pairs_in_the_right_order(given_pairs: list[tuple[int, int]]):
    frame = rows(*((said, float(came > 4)) for said, came in given_pairs))
    hits, misses = ([said for said, came in frame.rows() if came == which] for which in (1, 0))
    wins = [(hit > miss) + (hit == miss) / 2 for hit in hits for miss in misses]
    assert auc(frame, "said", "came") == pytest.approx(sum(wins) / len(wins) if wins else 0.5, abs=1e-4)


@settings(max_examples=examples(40))
@given(pairs, st.randoms())
def test_no_measure_depends_on_the_order_of_rows(given_pairs: list[tuple[int, int]], shuffle):
    mixed = list(given_pairs)
    shuffle.shuffle(mixed)
    one, other = (rows(*((float(a), float(b)) for a, b in these)) for these in (given_pairs, mixed))
    assert money_figures(one, "said", "came") == money_figures(other, "said", "came")


@settings(max_examples=examples(40))
@given(pairs)
def test_gini_is_at_most_that_of_the_outcome(given_pairs: list[tuple[int, int]]):
    frame = rows(*((float(a), float(b)) for a, b in given_pairs))
    assert -1.0001 <= gini(frame, "said", "came") <= 1.0001
    assert gini(frame.with_columns(said=pl.lit(1.0)), "said", "came") == 0


@settings(max_examples=examples(40))
@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_the_base_rate_is_calibrated_and_ranks_nobody(came: list[bool]):
    rate = sum(came) / len(came)
    frame = rows(*((rate, float(value)) for value in came))
    figures = chance_figures(frame, "said", "came")
    assert calibration_error(frame, "said", "came") == pytest.approx(0, abs=0.01)
    assert (figures["auc"], figures["brier"]) == (0.5, figures["brier_of_base_rate"])
