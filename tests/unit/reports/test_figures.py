"""Small frames from customers: every customer counted once, exact at the edges."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.reports.figures import group_changes, group_sizes, pareto_curve, rfm_grid, score_sizes
from tests.support.report_data import customers_frame


def people(*rows: tuple[int, int, int, str]) -> pl.DataFrame:
    """Customers from (r, f, spend, stage)."""
    columns = ("r_score", "f_score", "monetary_fen", "stage")
    return customers_frame({name: [row[place] for row in rows] for place, name in enumerate(columns)})


FOUR = people((5, 5, 900, "active"), (5, 5, 101, "active"), (1, 1, 0, "lost"), (0, 0, 0, "prospect"))


def test_grid_has_every_cell_and_leaves_out_the_unscored() -> None:
    grid = rfm_grid(FOUR, levels=(5, 5))
    assert grid.height == 25
    filled = grid.filter(pl.col("customers") > 0)
    assert filled.rows() == [(1, 1, 1, 0, 0), (5, 5, 2, 1001, 500)]
    assert grid.row(1, named=True)["mean_fen"] is None


def test_groups_keep_the_policy_s_order_and_show_unnamed_codes_last() -> None:
    assert group_sizes(FOUR, "stage", ["lost", "silent", "active"]).rows() == [
        ("lost", 1, 0),
        ("silent", 0, 0),
        ("active", 2, 1001),
        ("prospect", 1, 0),
    ]


def test_changes_count_groups_of_either_month() -> None:
    before = people((3, 3, 5, "silent"), (3, 3, 5, "at_risk"))
    changes = group_changes(FOUR, before, "stage", ["active", "silent"])
    assert changes.select("code", "customers_before", "customers").rows() == [
        ("active", 0, 2),
        ("silent", 1, 0),
        ("lost", 0, 1),
        ("prospect", 0, 1),
        ("at_risk", 1, 0),
    ]


def test_a_fifth_of_eleven_customers_is_two() -> None:
    curve = pareto_curve(people(*((1, 1, spend, "active") for spend in (10, 50, 10, 10, 40, 10, 10, 10, 10, 10, 10))))
    assert curve.row(20) == (20, 2, 90)
    assert (curve.row(0), curve.row(100)) == ((0, 0, 0), (100, 11, 180))


def test_nobody_makes_a_flat_curve() -> None:
    assert pareto_curve(FOUR.clear())["monetary_fen"].to_list() == [0] * 101


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.randoms())
def test_the_curve_never_falls_and_forgets_the_order_of_rows(spends: list[int], shuffle: object) -> None:
    curve = pareto_curve(people(*((1, 1, spend, "active") for spend in spends)))
    shuffle.shuffle(spends)  # type: ignore[attr-defined]
    again = pareto_curve(people(*((1, 1, spend, "active") for spend in spends)))
    steps = curve["monetary_fen"].to_list()
    assert steps == sorted(steps)
    assert steps[-1] == sum(spends)
    assert curve.equals(again)


def test_scores_that_nobody_earned_stay_in_the_table() -> None:
    cutoffs = pl.DataFrame({"dimension": ["f", "f", "r"], "score": [1, 2, 5], "cutoff": [1, None, -3]})
    sizes = score_sizes(FOUR, cutoffs)
    assert sizes.select("dimension", "score", "customers").rows() == [("r", 5, 2), ("f", 1, 1), ("f", 2, 0)]
