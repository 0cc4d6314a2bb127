"""Moves between two months -> matrices to show. Counts only; why somebody moved is not told here."""

from collections.abc import Iterable, Sequence

import polars as pl

ARRIVED = ("ENTERED", "SPLIT_FROM")
"""New to the brand, or a part of somebody else until now."""
GONE = ("MERGED_INTO", "LEFT")
"""One person with somebody else since, or not there any more."""


def move_matrix(migrations: pl.DataFrame, dimension: str, codes: Iterable[str]) -> pl.DataFrame:
    """One row per pair of labels that occurs: customers, and the window spend of them in fen.

    Arrivals come from ENTERED, leavers go to LEFT. Sorted by the order of `codes`, arrivals first,
    leavers last.
    """
    chosen = migrations.filter(pl.col("dimension") == dimension)
    order = code_order(chosen, codes)
    rank = {code: position for position, code in enumerate(order)}
    return (
        chosen.group_by("from_code", "to_code")
        .agg(customers=pl.len().cast(pl.Int64), monetary_fen=pl.col("monetary_fen").sum())
        .sort(pl.col("from_code", "to_code").replace_strict(rank, return_dtype=pl.Int64))
    )


def code_order(migrations: pl.DataFrame, codes: Iterable[str]) -> list[str]:
    """The labels that occur, in the order of `codes`; unknown ones before who is gone, arrivals first."""
    seen = set(migrations["from_code"]) | set(migrations["to_code"])
    named = [*ARRIVED, *codes]
    extra = sorted(seen - set(named) - {*GONE})
    return [code for code in (*named, *extra, *GONE) if code in seen]


def move_totals(matrix: pl.DataFrame) -> dict[str, int]:
    """How many stayed, moved, arrived and left."""
    kind = (
        pl.when(pl.col("from_code").is_in(ARRIVED)).then(pl.lit("arrived"))
        .when(pl.col("to_code").is_in(GONE)).then(pl.lit("left"))
        .when(pl.col("from_code") == pl.col("to_code")).then(pl.lit("stayed"))
        .otherwise(pl.lit("moved"))
    )  # fmt: skip
    counts = dict(matrix.group_by(kind=kind).agg(pl.col("customers").sum()).iter_rows())
    return {name: counts.get(name, 0) for name in ("stayed", "moved", "arrived", "left")}


def climbs(matrix: pl.DataFrame, ladder: Sequence[str]) -> tuple[int, int]:
    """How many rose and how many fell on a ladder whose highest step stands first."""
    rank = {code: len(ladder) - position for position, code in enumerate(ladder)}
    steps = [
        (rank[end] - rank[start], customers)
        for start, end, customers in matrix.select("from_code", "to_code", "customers").iter_rows()
        if start in rank and end in rank
    ]
    return sum(n for step, n in steps if step > 0), sum(n for step, n in steps if step < 0)


def is_balanced(matrix: pl.DataFrame, now: pl.DataFrame, before: pl.DataFrame, dimension: str) -> bool:
    """Whether the matrix accounts for every customer of both months: who was there, who is there."""
    arrived = matrix.filter(~pl.col("to_code").is_in(GONE))
    origin = matrix.filter(~pl.col("from_code").is_in(ARRIVED))
    return _sums(arrived, "to_code") == _heads(now, dimension) and _sums(origin, "from_code") == _heads(
        before, dimension
    )


def _sums(matrix: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(matrix.group_by(column).agg(pl.col("customers").sum()).iter_rows())


def _heads(customers: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(customers.group_by(column).agg(pl.len().cast(pl.Int64)).iter_rows())
