"""Causes on the page: they sum to the moves, in customers and in fen."""

import polars as pl

from tasks.reports.causes import cause_block, cause_totals

MOVES = pl.DataFrame(
    [
        ("tier", "base", "silver", "new_orders", 700),
        ("tier", "base", "silver", "late_data", 600),
        ("tier", "silver", "base", "time", 30),
        ("tier", "base", "base", None, 10),
        ("stage", "active", "at_risk", "time", 30),
    ],
    ["dimension", "from_code", "to_code", "cause", "monetary_fen"],
    orient="row",
)


def test_causes_stand_in_the_order_of_the_steps_and_who_stayed_has_none() -> None:
    assert cause_totals(MOVES, "tier").rows() == [("late_data", 1, 600), ("time", 1, 30), ("new_orders", 1, 700)]


def test_the_table_holds_every_cause_once_with_both_sums() -> None:
    block = cause_block(MOVES, "CNY")
    assert block.table is not None
    assert [tuple(cell.en for cell in line) for line in block.table.rows] == [
        ("Late data", "1", "¥6.00", "0", "¥0.00", "0", "¥0.00"),
        ("Time passing", "1", "¥0.30", "1", "¥0.30", "0", "¥0.00"),
        ("New orders and arrivals", "1", "¥7.00", "0", "¥0.00", "0", "¥0.00"),
    ]
    assert block.warnings == ()


def test_a_move_without_a_cause_is_warned_of() -> None:
    assert cause_block(MOVES.with_columns(cause=pl.lit(None, pl.String)), "CNY").warnings
