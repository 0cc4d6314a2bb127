"""Who moved, and why: each customer's tier, segment and stage at two dates, those who stayed included."""

from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.transforms.causes.steps import (
    DIMENSIONS,
    ENTERED,
    LEFT,
    MERGED_INTO,
    SPLIT_FROM,
    cause_of,
    path_of,
    without_labels,
)
from tasks.transforms.lineage import heirs

__all__ = ["DIMENSIONS", "ENTERED", "LEFT", "MERGED_INTO", "SPLIT_FROM", "trace_moves"]


def trace_moves(
    previous: pl.LazyFrame | None,
    customers: pl.LazyFrame,
    from_as_of: date | None,
    as_of: date,
    *,
    names: pl.LazyFrame | None = None,
    changes: pl.LazyFrame | None = None,
    labels: pl.LazyFrame | None = None,
    zone: str = "UTC",
) -> pl.LazyFrame:
    """One row per customer of either date and dimension, so that a matrix sums to its base. Sorted by its key.

    Who is new comes from ENTERED, who is gone goes to LEFT. Of several who became one person, one goes on and the
    others go to MERGED_INTO; who was a part of somebody else comes from SPLIT_FROM. `monetary_fen` is the spend in
    the window at the later date, at the earlier one for who is gone.
    Without an earlier date nobody has moved.

    Args:
        previous: the customers of the date before.
        customers: those of the date.
        from_as_of: the date before.
        as_of: the date.
        names: `lineage.aliases` of the date; without them nobody was merged.
        changes: identity_changes of the date; without them nobody was split.
        labels: those of `causes.labels_between`, on the way; without them time alone passed.
        zone: business zone, in which somebody was first seen by the date before or after it.
    """
    if previous is None or from_as_of is None:
        return TABLES["migrations"].empty()
    columns = ("one_id", *DIMENSIONS, "monetary_fen", "first_seen_at")
    earlier = _before(previous, names).select("one_id", *DIMENSIONS, "monetary_fen", "gone_to")
    both = (
        customers.select(columns)
        .join(earlier, on="one_id", how="full", coalesce=True, suffix="_from")
        .join(_split(changes), on="one_id", how="left")
        .join(without_labels() if labels is None else labels, on="one_id", how="left")
        .with_columns(_was_there=pl.col("first_seen_at").dt.convert_time_zone(zone).dt.date() <= from_as_of)
    )
    moves = pl.concat([both.select(*_move(dimension, from_as_of, as_of)) for dimension in DIMENSIONS])
    return moves.sort("one_id", "dimension")


def _before(previous: pl.LazyFrame, names: pl.LazyFrame | None) -> pl.LazyFrame:
    """The customers of the date before under the ids of those who go on from them, and where the others went."""
    if names is None:
        return previous.with_columns(gone_to=pl.lit(LEFT))
    merged = pl.when(pl.col("now").is_not_null() & ~pl.col("is_heir")).then(pl.lit(MERGED_INTO))
    return previous.join(heirs(previous, names), on="one_id").with_columns(
        one_id=pl.when("is_heir").then("now").otherwise("one_id"), gone_to=merged.otherwise(pl.lit(LEFT))
    )


def _split(changes: pl.LazyFrame | None) -> pl.LazyFrame:
    """One row per customer who was a part of another at the date before."""
    if changes is None:
        return pl.LazyFrame(schema={"one_id": pl.String, "came_from": pl.String})
    parts = changes.filter(pl.col("change") == "split_from").select(one_id="new_id").unique()
    return parts.with_columns(came_from=pl.lit(SPLIT_FROM))


def _move(dimension: str, from_as_of: date, as_of: date) -> list[pl.Expr]:
    """The columns of one dimension's moves."""
    start = pl.coalesce(f"{dimension}_from", "came_from", pl.lit(ENTERED))
    end = pl.coalesce(dimension, "gone_to")
    return [
        pl.col("one_id"),
        pl.lit(dimension).alias("dimension"),
        pl.lit(from_as_of).alias("from_as_of"),
        pl.lit(as_of).alias("as_of"),
        start.alias("from_code"),
        end.alias("to_code"),
        cause_of(dimension, start, end, pl.col("_was_there")).alias("cause"),
        path_of(dimension, start, end).alias("label_path"),
        pl.coalesce("monetary_fen", "monetary_fen_from").alias("monetary_fen"),
    ]
