"""Refused rows as the house keeps them: where they stand, which rule, and what stood there, masked."""

import polars as pl

from expectations.check import redact
from expectations.tables import TABLES
from tasks.sources.canonical import Stamp


def quarantine(
    refused: pl.DataFrame, faulty: pl.DataFrame, undecodable: pl.DataFrame, money: pl.DataFrame, stamp: Stamp
) -> pl.DataFrame:
    """One row per refused source row and rule.

    A cell that could not be read is shown as it stood in the file; that its value is then missing
    as well goes without saying.

    Args:
        refused: what the row rules refused: row_number, rule, column, value_redacted.
        faulty: cells that could not be read, with the same columns.
        undecodable: rows that could not be taken apart: row_number, rule, value.
        money: row_number and row_money_fen.
        stamp: the file.
    """
    if refused.is_empty() and undecodable.is_empty():
        return TABLES["quarantine"].schema.to_frame()
    rows = pl.concat([refused.pipe(_shown_as_printed, faulty), _raw(undecodable)])
    return (
        rows.sort("row_number", "rule", "column", "value_redacted")
        .unique(subset=["row_number", "rule"], keep="first", maintain_order=True)
        .join(money, on="row_number", how="left", maintain_order="left")
        .with_columns(file_sha256=pl.lit(stamp.file_sha256), file_month=pl.lit(stamp.file_month))
        .select(TABLES["quarantine"].columns)
    )


def _shown_as_printed(refused: pl.DataFrame, faulty: pl.DataFrame) -> pl.DataFrame:
    implied = faulty.select("row_number", "column", rule=pl.format("{}_missing", "column")).unique()
    printed = faulty.select("row_number", "rule", printed="value_redacted").unique(subset=["row_number", "rule"])
    return (
        refused.join(implied, on=["row_number", "column", "rule"], how="anti")
        .join(printed, on=["row_number", "rule"], how="left")
        .with_columns(value_redacted=pl.coalesce("printed", "value_redacted"))
        .drop("printed")
    )


def _raw(undecodable: pl.DataFrame) -> pl.DataFrame:
    none = pl.lit(None, pl.String())
    return undecodable.select("row_number", "rule", column=none, value_redacted=redact(pl.col("value")))
