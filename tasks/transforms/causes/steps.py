"""The steps of the counterfactual in their order, and how the labels after each of them name one cause."""

import itertools
from datetime import date

import polars as pl

from expectations.vocabulary import MOVE_CAUSES

STEPS = MOVE_CAUSES
"""What is added to the date before, one after another, until everything is as it is now."""
DIMENSIONS = ("tier", "segment", "stage")
ENTERED, SPLIT_FROM, MERGED_INTO, LEFT = "ENTERED", "SPLIT_FROM", "MERGED_INTO", "LEFT"
ARRIVALS = (ENTERED, SPLIT_FROM)
"""Not a label but a way to come."""
_GONE = (MERGED_INTO, LEFT)
_BY_HAND = ("fraud", "reinstated", "manual")
"""Causes of a tier that a person decided on."""


def label_after(dimension: str, step: str) -> str:
    """Name of the column that holds the label after a step; null: the step does not touch the customer."""
    return f"_{dimension}_{step}"


def cause_of(dimension: str, start: pl.Expr, end: pl.Expr, was_there: pl.Expr) -> pl.Expr:
    """The last step that changed the label; null for who stayed. `was_there`: first seen by the earlier date.

    Whoever comes or goes, does so by one step: a merge or a split, data that came late, or the new month.
    """
    chain = _chain(dimension, start, end)
    changed: pl.Expr = pl.lit(None, pl.String)
    for (_, before), (step, after) in itertools.pairwise(chain):
        changed = pl.when(after != before).then(pl.lit(step)).otherwise(changed)
    arrived = pl.when(was_there).then(pl.lit("late_data")).otherwise(pl.lit("new_orders"))
    return (
        pl.when(start == end).then(pl.lit(None, pl.String))
        .when(start == ENTERED).then(arrived)
        .when((start == SPLIT_FROM) | end.is_in(_GONE)).then(pl.lit("identity"))
        .otherwise(changed)
    )  # fmt: skip


def path_of(dimension: str, start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """The labels on the way as `time=at_risk > new_orders=returned`; null for who stayed, came or went."""
    chain = _chain(dimension, start, end)
    parts = [
        pl.when(after != before).then(pl.format(f"{step}={{}}", after))
        for (_, before), (step, after) in itertools.pairwise(chain)
    ]
    path = pl.concat_str(parts, separator=" > ", ignore_nulls=True)
    comes_or_goes = start.is_in(ARRIVALS) | end.is_in(_GONE)
    return pl.when((start != end) & ~comes_or_goes).then(path)


def _chain(dimension: str, start: pl.Expr, end: pl.Expr) -> list[tuple[str, pl.Expr]]:
    """Each step with the label after it, from the label before all of them.

    Time touches everybody, so that it alone is told of those whom the new month touches too: without a new order
    the label after time is the one after new orders.
    """
    after = {step: pl.col(label_after(dimension, step)) for step in STEPS}
    old = [pl.coalesce(*(after[step] for step in reversed(STEPS[: n + 1])), start) for n in range(4)]
    new_orders = pl.coalesce(after["new_orders"], end)
    cutoffs = pl.coalesce(after["cutoffs"], new_orders)
    labels = [*old, pl.coalesce(after["time"], new_orders), new_orders, cutoffs, end]
    return [("", start), *zip(STEPS, labels, strict=True)]


def is_by_hand() -> pl.Expr:
    """Whether the tier is what a person decided, not what was spent."""
    return pl.col("tier_cause").is_in(_BY_HAND)


def is_unlocked(as_of: date) -> pl.Expr:
    """Whether a lock of the date before, which would still have held at `as_of`, was taken away since."""
    return (pl.col("was_locked_until") >= as_of) & pl.col("tier_locked_until").is_null()


def all_columns() -> dict[str, pl.DataType]:
    """The columns of all steps, of every dimension."""
    return {label_after(dimension, step): pl.String() for dimension in DIMENSIONS for step in STEPS}


def without_labels() -> pl.LazyFrame:
    """Nobody was replayed."""
    return pl.LazyFrame(schema={"one_id": pl.String(), **all_columns()})
