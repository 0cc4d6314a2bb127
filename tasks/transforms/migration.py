"""Who moved: each customer's tier, segment and stage at two dates, those who stayed included."""

from datetime import date

import polars as pl

from expectations.tables import TABLES

DIMENSIONS = ("tier", "segment", "stage")
ENTERED = "ENTERED"
LEFT = "LEFT"


def trace_moves(
    previous: pl.LazyFrame | None, customers: pl.LazyFrame, from_as_of: date | None, as_of: date
) -> pl.LazyFrame:
    """One row per customer of either date and dimension, so that a matrix sums to its base. Sorted by its key.

    Who is new comes from ENTERED, who is gone goes to LEFT. `monetary_fen` is the spend in the
    window at the later date, at the earlier one for who is gone.
    Without an earlier date nobody has moved.
    """
    if previous is None or from_as_of is None:
        return TABLES["migrations"].empty()
    columns = ("one_id", *DIMENSIONS, "monetary_fen")
    both = customers.select(columns).join(
        previous.select(columns), on="one_id", how="full", coalesce=True, suffix="_from"
    )
    moves = pl.concat([both.select(*_move(dimension, from_as_of, as_of)) for dimension in DIMENSIONS])
    return moves.sort("one_id", "dimension")


def _move(dimension: str, from_as_of: date, as_of: date) -> list[pl.Expr]:
    """The columns of one dimension's moves."""
    return [
        pl.col("one_id"),
        pl.lit(dimension).alias("dimension"),
        pl.lit(from_as_of).alias("from_as_of"),
        pl.lit(as_of).alias("as_of"),
        pl.col(f"{dimension}_from").fill_null(ENTERED).alias("from_code"),
        pl.col(dimension).fill_null(LEFT).alias("to_code"),
        pl.coalesce("monetary_fen", "monetary_fen_from").alias("monetary_fen"),
    ]
