"""Split rows by the rules of their table: what is kept, what is refused and by which rule."""

from dataclasses import dataclass

import polars as pl

from expectations.rules import rules_of

BROKEN = "broken_rules"
_REDACT = r"[\p{L}\p{N}]"
_REFUSED = pl.Schema(
    {
        "file_sha256": pl.String(), "row_number": pl.Int64(), "rule": pl.String(), "column": pl.String(),
        "value_redacted": pl.String(), "row_money_fen": pl.Int64(), "file_month": pl.String(),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """`kept` has the table's rows; `refused` has one row per source row and broken rule."""

    kept: pl.DataFrame
    refused: pl.DataFrame


def check(frame: pl.DataFrame, table: str) -> Checked:
    """Apply every rule of `table` to `frame`.

    `frame` has the table's columns and, beside them, `row_number`, `row_money_fen` and
    `file_month`, which the quarantine needs, and optionally `broken_rules`: names of
    `column:rule` that the mapping found before values were cast.
    """
    rules = rules_of(table)
    early = pl.col(BROKEN) if BROKEN in frame.columns else pl.lit([], dtype=pl.List(pl.String))
    broken = [pl.when(~rule.is_good).then(pl.lit(f"{rule.column}:{rule.name}")) for rule in rules]
    # Nearly all rows are good: naming what is broken for the others alone halves the time of an ingest.
    is_kept = pl.all_horizontal(
        early.list.len().fill_null(0) == 0, *(rule.is_good.fill_null(value=True) for rule in rules)
    )
    good = frame.select(is_kept).to_series()
    if good.all():
        return Checked(frame.drop(BROKEN, strict=False), _REFUSED.to_frame())
    named = frame.filter(~good).with_columns(pl.concat_list(early, *broken).list.drop_nulls().alias(BROKEN))
    return Checked(frame.filter(good).drop(BROKEN, strict=False), _refused(named))


def _refused(marked: pl.DataFrame) -> pl.DataFrame:
    """One row per source row and rule, the value masked: letters and digits become `x`."""
    columns = [name for name in marked.columns if name != BROKEN]
    rows = marked.explode(BROKEN).with_columns(
        column=pl.col(BROKEN).str.split(":").list.first(), rule=pl.col(BROKEN).str.split(":").list.last()
    )
    value = pl.coalesce(
        *(pl.when(pl.col("column") == name).then(pl.col(name).cast(pl.String, strict=False)) for name in columns)
    )
    return rows.select(
        "file_sha256", "row_number", "rule", "column",
        redact(value).alias("value_redacted"), "row_money_fen", "file_month",
    ).unique().sort("file_sha256", "row_number", "rule")  # fmt: skip


def redact(value: pl.Expr) -> pl.Expr:
    """Mask letters and digits; punctuation and length stay, at most 40 characters."""
    return value.str.slice(0, 40).str.replace_all(_REDACT, "x")
