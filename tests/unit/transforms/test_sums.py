"""Sums by arrays are sums by groups, whatever the rows, their order and who is asked for what."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tasks.transforms.sums import Sum, sum_by_customer

SUMS = (
    Sum("rows", "count"),
    Sum("counted", "count", where="counts"),
    Sum("fen", "sum", "paid_fen"),
    Sum("counted_fen", "sum", "paid_fen", "counts"),
    Sum("first_on", "min", "paid_on", "counts"),
    Sum("last_on", "max", "paid_on", "counts"),
    Sum("largest", "max", "paid_fen"),
)
SCHEMA = {"one_id": pl.Int64, "paid_fen": pl.Int64, "paid_on": pl.Date, "counts": pl.Boolean}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 9),
        st.integers(-(10**12), 10**12),
        st.integers(0, 2000).map(lambda days: date(2021, 1, 1) + timedelta(days)),
        st.booleans(),
    )
)


@given(ROWS)
def test_arrays_and_groups_give_the_same(rows: list[tuple]):
    orders = pl.LazyFrame(rows, SCHEMA, orient="row")
    groups = orders.drop_nulls("one_id").group_by("one_id").agg(one.in_group() for one in SUMS).sort("one_id")
    assert sum_by_customer(orders, SUMS).collect().equals(groups.collect())


@given(ROWS)
def test_the_order_of_rows_does_not_matter(rows: list[tuple]):
    there, back = (pl.LazyFrame(some, SCHEMA, orient="row") for some in (rows, rows[::-1]))
    assert sum_by_customer(there, SUMS).collect().equals(sum_by_customer(back, SUMS).collect())


@given(ROWS, st.integers(0, 2000))
def test_rows_of_before_a_mark_begins_need_not_be_read(rows: list[tuple], days: int):
    since = date(2021, 1, 1) + timedelta(days)
    orders = pl.LazyFrame(rows, SCHEMA, orient="row")
    marked = orders.with_columns(counts=pl.col("counts") & (pl.col("paid_on") >= since))
    some = [one for one in SUMS if one.where]
    assert sum_by_customer(marked, some, {"counts": since}).collect().equals(sum_by_customer(marked, some).collect())


def test_only_what_is_read_is_worked_out():
    orders = pl.LazyFrame([(3, 5, date(2026, 1, 1), True), (1, 7, date(2026, 1, 2), False)], SCHEMA, orient="row")
    few = sum_by_customer(orders.drop("paid_on").with_columns(paid_on=date(2026, 1, 1)), SUMS)
    found = few.filter(pl.col("fen") > 5).select("one_id", "first_on").collect()
    assert found.rows() == [(1, None)]
