"""Named segments: the policy's first-match-wins map over the scores, and the kinds of customer outside them."""

import itertools
from dataclasses import dataclass

import polars as pl

from tasks.errors import BadPolicyError
from tasks.policy.models import SegmentRule, Segments

Cell = tuple[int, int, int]


@dataclass(frozen=True)
class SegmentMap:
    """The map expanded to every cell, and what is wrong with it."""

    cells: dict[Cell, str]
    unmatched: tuple[Cell, ...]
    unreached: tuple[str, ...]
    """Rules that can never win, because earlier ones cover all of their cells."""


def expand(segments: Segments, *, levels: int) -> SegmentMap:
    """Expand the rules over all levels³ cells of (r, f, m); `strata policy check` reports both gaps."""
    scores = range(1, levels + 1)
    every = list(itertools.product(scores, scores, scores))
    winners = {cell: _winner(segments.rules, cell) for cell in every}
    cells = {cell: code for cell, code in winners.items() if code is not None}
    reached = set(cells.values())
    return SegmentMap(
        cells=cells,
        unmatched=tuple(cell for cell in every if winners[cell] is None),
        unreached=tuple(rule.code for rule in segments.rules if rule.code not in reached),
    )


def _winner(rules: tuple[SegmentRule, ...], cell: Cell) -> str | None:
    """Code of the first rule whose three ranges hold the cell."""
    for rule in rules:
        if all(low <= score <= high for score, (low, high) in zip(cell, (rule.r, rule.f, rule.m), strict=True)):
            return rule.code
    return None


def name_segments(scored: pl.LazyFrame, segments: Segments, *, levels: int) -> pl.LazyFrame:
    """One row per customer as given, with `segment`; never null.

    Outside the base: `prospect` never paid for an order, `refunded_only` never kept one,
    `lapsed_out_of_window` bought before the window.

    Raises:
        BadPolicyError: the map leaves a cell without a name.
    """
    expanded = expand(segments, levels=levels)
    if expanded.unmatched:
        raise BadPolicyError(
            f"segments.yaml names no segment for (r, f, m) = {expanded.unmatched[0]} and "
            f"{len(expanded.unmatched) - 1} other cells",
            expected="a rule for every cell",
            next_step="widen a rule, or add one at the end that takes the rest",
        )
    base = levels + 1
    codes = {(r * base + f) * base + m: code for (r, f, m), code in expanded.cells.items()}
    cell = (pl.col("r_score") * base + pl.col("f_score")) * base + pl.col("m_score")
    named = cell.replace_strict(codes, default=None, return_dtype=pl.String)
    return scored.with_columns(segment=pl.when(pl.col("frequency") > 0).then(named).otherwise(_outside()))


def _outside() -> pl.Expr:
    """Why a customer has no scores."""
    return (
        pl.when(pl.col("gross_orders") == 0).then(pl.lit("prospect"))
        .when(pl.col("life_orders") == 0).then(pl.lit("refunded_only"))
        .otherwise(pl.lit("lapsed_out_of_window"))
    )  # fmt: skip
