"""Row rules: a name, the column it looks at, and a Polars expression that is true for a good row.

Null counts as good: whether a value may be missing is a rule of its own (`<column>_missing`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import polars as pl

from expectations.tables import TABLES, Table
from expectations.vocabulary import INSTANT

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No shop of ours is older; 1899, 1900 and 1970 are what broken exports write."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """One named row rule."""

    name: str
    column: str
    is_good: pl.Expr
    hint: str


def _declared(table: Table) -> Iterator[Rule]:
    """The rules that follow from the declaration: presence, codes, ranges, plausible instants."""
    for name in table.columns:
        column, codes, value = table.column(name), table.codes_of(name), pl.col(name)
        if name not in table.optional:
            yield Rule(f"{name}_missing", name, value.is_not_null(), f"every row needs {name}")
        if codes:
            yield Rule(f"{name}_unknown_code", name, value.is_in(codes), f"one of {', '.join(codes)}")
        if column.minimum is not None:
            yield Rule(f"{name}_too_small", name, value >= column.minimum, f"at least {column.minimum}")
        if column.maximum is not None:
            yield Rule(f"{name}_too_large", name, value <= column.maximum, f"at most {column.maximum}")
        if column.dtype == INSTANT and column.logical:
            good = value.is_between(EARLIEST, LATEST, closed="left")
            yield Rule(f"{name}_implausible", name, good, "an instant between 2000 and 2100")


_OWN: dict[str, tuple[Rule, ...]] = {
    "orders": (
        Rule(
            "refund_above_payment",
            "refunded_fen",
            pl.col("refunded_fen")
            <= pl.col("paid_fen") + pl.col("freight_fen").fill_null(0) + pl.col("fees_fen").fill_null(0),
            "refunds never exceed what was paid, freight and fees included",
        ),
        Rule(
            "paid_status_without_time",
            "paid_at",
            ~(pl.col("status").is_in(["paid", "shipped", "finished"]) & pl.col("paid_at").is_null()),
            "a paid order needs the time of its payment",
        ),
        Rule(
            "paid_before_ordered",
            "paid_at",
            pl.col("paid_at") >= pl.col("ordered_at"),
            "an order is placed before it is paid",
        ),
        Rule(
            "dated_after_export",
            "ordered_at",
            pl.col("ordered_at") <= pl.col("exported_at"),
            "an export cannot know orders of its own future",
        ),
    ),
    "refunds": (
        Rule(
            "paid_back_without_time",
            "refunded_at",
            ~((pl.col("refund_state") == "paid_back") & pl.col("refunded_at").is_null()),
            "money that went back did so at some time",
        ),
    ),
    "consents": (
        Rule(
            "grant_without_evidence",
            "evidence",
            ~((pl.col("decision") == "granted") & pl.col("evidence").is_null()),
            "a yes must be provable; a no needs no proof",
        ),
        Rule(
            "unreachable_for_one_purpose",
            "decision",
            (pl.col("decision") != "unreachable") | (pl.col("purpose") == "*"),
            "a dead contact is dead for every purpose",
        ),
    ),
}


def own_rules(table: str) -> tuple[Rule, ...]:
    """The rules that no declaration of a column implies: about two columns, or about the table's sense."""
    return _OWN.get(table, ())


@cache
def rules_of(table: str) -> tuple[Rule, ...]:
    """All rules of a table: those that follow from its declaration, then its own."""
    return (*_declared(TABLES[table]), *own_rules(table))
