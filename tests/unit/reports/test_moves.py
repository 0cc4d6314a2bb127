"""Matrices of moves: nobody lost between two months."""

import polars as pl

from tasks.reports.moves import climbs, code_order, is_balanced, move_matrix, move_totals
from tests.support.report_data import customers_frame

LADDER = ["diamond", "gold", "silver", "base"]


def moves(*pairs: tuple[str, str]) -> pl.DataFrame:
    """One migration in `tier` for each pair of labels, each worth 10 fen."""
    return pl.DataFrame(
        [("tier", start, end, 10) for start, end in pairs],
        schema={"dimension": pl.String, "from_code": pl.String, "to_code": pl.String, "monetary_fen": pl.Int64},
        orient="row",
    )


FIVE = moves(("base", "gold"), ("base", "base"), ("gold", "silver"), ("ENTERED", "base"), ("silver", "LEFT"))


def test_matrix_is_sorted_by_the_ladder_with_arrivals_first_and_leavers_last() -> None:
    assert move_matrix(FIVE, "tier", LADDER).select("from_code", "to_code", "customers").rows() == [
        ("ENTERED", "base", 1),
        ("gold", "silver", 1),
        ("silver", "LEFT", 1),
        ("base", "gold", 1),
        ("base", "base", 1),
    ]


def test_totals_and_climbs() -> None:
    matrix = move_matrix(FIVE, "tier", LADDER)
    assert move_totals(matrix) == {"stayed": 1, "moved": 2, "arrived": 1, "left": 1}
    assert climbs(matrix, LADDER) == (1, 1)
    assert climbs(matrix, []) == (0, 0)


def test_a_label_that_the_policy_no_longer_knows_is_kept() -> None:
    assert code_order(moves(("bronze", "base")), LADDER) == ["base", "bronze"]


def test_a_matrix_balances_only_with_the_customers_of_both_months() -> None:
    matrix = move_matrix(FIVE, "tier", LADDER)
    now = customers_frame({"tier": ["gold", "base", "silver", "base"]})
    before = customers_frame({"tier": ["base", "base", "gold", "silver"]})
    assert is_balanced(matrix, now, before, "tier")
    assert not is_balanced(matrix, now.head(3), before, "tier")
    assert not is_balanced(matrix, now, before.head(3), "tier")
