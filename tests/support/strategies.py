"""Hypothesis strategies that follow from the declarations: valid rows of any table, and one break for each rule."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from expectations.rules import EARLIEST, LATEST, Rule
from expectations.tables import TABLES, Table
from expectations.vocabulary import INSTANT

Row = dict[str, Any]
PAID = ("paid", "shipped", "finished")
TEXT = st.text(alphabet="abcXYZ019 -_青禾😀", min_size=1, max_size=8)
DATES = st.dates(date(2000, 1, 1), date(2099, 12, 31))
INSTANTS = st.datetimes(
    EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None) - timedelta(microseconds=1), timezones=st.just(UTC)
)


def rows_of(table: str, min_rows: int = 0, max_rows: int = 5) -> st.SearchStrategy[pl.DataFrame]:
    """Frames of valid rows of `table` with its exact schema; no key comes twice."""
    declared = TABLES[table]
    rows = st.lists(
        row_of(table), min_size=min_rows, max_size=max_rows, unique_by=lambda row: tuple(row[k] for k in declared.key)
    )
    return rows.map(lambda drawn: pl.DataFrame(drawn, schema=declared.schema, orient="row"))


def row_of(table: str) -> st.SearchStrategy[Row]:
    """One valid row: every column by its own declaration, then settled where a rule binds two columns."""
    declared = TABLES[table]
    row = st.fixed_dictionaries({name: _value_of(declared, name) for name in declared.columns})
    return row.map(SETTLE.get(table, dict))


def _value_of(table: Table, name: str) -> st.SearchStrategy[Any]:
    value = _present(table, name)
    return st.none() | value if name in table.optional else value


def _present(table: Table, name: str) -> st.SearchStrategy[Any]:
    column = table.column(name)
    if codes := table.codes_of(name):
        return st.sampled_from(codes)
    if name.endswith("_month"):
        return DATES.map(lambda day: f"{day:%m}" if name == "birth_month" else f"{day:%Y-%m}")
    if column.dtype == pl.Int64:
        return st.integers(
            -(2**40) if column.minimum is None else column.minimum, 2**40 if column.maximum is None else column.maximum
        )
    return BY_TYPE[column.dtype]


BY_TYPE: dict[pl.DataType, st.SearchStrategy[Any]] = {
    pl.String(): TEXT,
    pl.Float64(): st.integers(0, 10_000).map(lambda share: share / 10_000),
    pl.Date(): DATES,
    pl.Boolean(): st.booleans(),
    pl.Binary(): st.binary(min_size=12, max_size=24),
    INSTANT: INSTANTS,
}


def _settle_order(row: Row) -> Row:
    """An order is placed, then paid, then exported; it refunds no more than was paid."""
    ordered_at, paid_at, exported_at = sorted(
        [row["ordered_at"], row["paid_at"] or row["ordered_at"], row["exported_at"]]
    )
    is_paid = row["paid_at"] is not None or row["status"] in PAID
    most = row["paid_fen"] + (row["freight_fen"] or 0) + (row["fees_fen"] or 0)
    return row | {
        "ordered_at": ordered_at,
        "paid_at": paid_at if is_paid else None,
        "exported_at": exported_at,
        "refunded_fen": min(row["refunded_fen"], most),
    }


SETTLE: dict[str, Callable[[Row], Row]] = {
    "orders": _settle_order,
    "refunds": lambda row: row | {"refunded_at": row["refunded_at"] or row["exported_at"]},
    "consents": lambda row: (
        row | {"evidence": row["evidence"] or "form"} | ({"purpose": "*"} if row["decision"] == "unreachable" else {})
    ),
}
"""What makes independent columns agree, for each table with rules about two of them."""

BREAKS: dict[str, Callable[[Row], Row]] = {
    "refund_above_payment": lambda row: {
        "refunded_fen": row["paid_fen"] + (row["freight_fen"] or 0) + (row["fees_fen"] or 0) + 1
    },
    "paid_status_without_time": lambda _: {"status": "paid", "paid_at": None},
    "paid_before_ordered": lambda row: {"paid_at": row["ordered_at"] - timedelta(seconds=1)},
    "dated_after_export": lambda row: {"ordered_at": row["exported_at"] + timedelta(seconds=1)},
    "grant_without_evidence": lambda _: {"decision": "granted", "evidence": None},
    "unreachable_for_one_purpose": lambda _: {"decision": "unreachable", "purpose": "marketing"},
    "paid_back_without_time": lambda _: {"refund_state": "paid_back", "refunded_at": None},
}
"""How to break each rule that no declaration of a column implies."""


def break_rule(table: str, rule: Rule, row: Row) -> Row:
    """Return the row changed so that it breaks at least this rule."""
    if rule.name in BREAKS:
        return row | BREAKS[rule.name](row)
    column = TABLES[table].column(rule.column)
    broken = {
        "missing": None,
        "unknown_code": "no such code",
        "too_small": None if column.minimum is None else column.minimum - 1,
        "too_large": None if column.maximum is None else column.maximum + 1,
        "implausible": datetime(1970, 1, 1, tzinfo=UTC),
    }
    return row | {rule.column: broken[rule.name.removeprefix(f"{rule.column}_")]}


def as_read(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what a reader knows beside the table's columns: the file, the row and its money."""
    beside = {
        "file_sha256": pl.lit("0" * 64),
        "row_number": pl.int_range(1, pl.len() + 1, dtype=pl.Int64()),
        "row_money_fen": pl.lit(0, dtype=pl.Int64()),
        "file_month": pl.lit("2026-03"),
    }
    return frame.with_columns(**{name: value for name, value in beside.items() if name not in frame.columns})
