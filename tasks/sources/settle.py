"""Which source rows enter: a row enters whole, into every table it feeds, or not at all.

The row rules are applied here, before lines are summed to orders: an order of which one line was
refused would otherwise be silently smaller. So the other lines of that order are refused with it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from expectations.check import check

Tables = dict[str, pl.DataFrame]
REASONS = ("row_number", "rule", "column", "value_redacted")


@dataclass(frozen=True)
class Settled:
    """Rows that entered, and for every refused source row its reasons."""

    tables: Tables
    refused: pl.DataFrame
    """row_number, rule, column, value_redacted; one row per source row and rule."""


def settle(
    wide: pl.DataFrame, primary: Tables, dependents: Callable[[pl.DataFrame], Tables], *, by_order: bool
) -> Settled:
    """Apply the rules to the primary table, then to what is built from the rows that passed.

    Args:
        wide: the file's rows, with `row_number`, and `order_id` when `by_order`.
        primary: the one table in which the file's rows are counted, by name.
        dependents: builds all other tables from the rows of `wide` that passed.
        by_order: refuse every line of an order of which one line was refused.
    """
    kept, broken = _checked(primary)
    first = pl.concat([broken, _reasons(_lost(wide, kept, broken), "no_usable_key")])
    first = pl.concat([first, _siblings(wide, first)]) if by_order else first
    others, second = _checked(dependents(_without(wide, first)))
    refused = pl.concat([first, second])
    refused = pl.concat([refused, _siblings(wide, refused)]) if by_order else refused
    tables = {name: _without(rows, refused) for name, rows in (kept | others).items()}
    return Settled(tables, refused)


def _lost(wide: pl.DataFrame, kept: Tables, broken: pl.DataFrame) -> pl.DataFrame:
    """Source rows of which nothing entered, although nothing is wrong with them."""
    if any(rows["row_number"].equals(wide["row_number"]) for rows in kept.values()):
        return wide.clear()
    return wide.join(kept_rows(kept), on="row_number", how="anti").join(broken, on="row_number", how="anti")


def kept_rows(tables: Tables) -> pl.DataFrame:
    """The source rows that are in any of the tables."""
    return pl.concat([rows.select("row_number") for rows in tables.values()]).unique()


def _checked(tables: Tables) -> tuple[Tables, pl.DataFrame]:
    results = {name: check(rows, name) for name, rows in tables.items()}
    refused = [result.refused.select(REASONS) for result in results.values()]
    return {name: result.kept for name, result in results.items()}, pl.concat([_nothing(), *refused])


def _siblings(wide: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """The other lines of orders of which a line was refused."""
    hit = wide.join(refused.select("row_number").unique(), on="row_number", how="semi").select("order_id").unique()
    return _reasons(
        wide.join(hit, on="order_id", how="semi").join(refused, on="row_number", how="anti"), "sibling_line_refused"
    )


def _reasons(rows: pl.DataFrame, rule: str) -> pl.DataFrame:
    """One reason that is not about a value, for each source row."""
    return rows.select("row_number").unique().select(
        "row_number", rule=pl.lit(rule), column=pl.lit(None, pl.String()), value_redacted=pl.lit(None, pl.String())
    )  # fmt: skip


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"row_number": pl.Int64(), "rule": pl.String(), "column": pl.String(), "value_redacted": pl.String()}
    )


def _without(rows: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    if refused.is_empty():
        return rows
    return rows.join(refused.select("row_number").unique(), on="row_number", how="anti")
