"""Named segments: the policy's first-match-wins map over the scores, and the kinds of customer outside them."""

import polars as pl

from tasks.errors import BadPolicyError
from tasks.policy.rfm import DIMENSIONS, Rfm
from tasks.policy.segment_map import expand
from tasks.policy.segments import Segments


def on_scale(score: pl.Expr, levels: int, scale: int) -> pl.Expr:
    """A score of `levels` on the scale of the rules: evenly, 1 on 1 and the best on the best, halves up.

    Of 3 levels on 5: 1, 3, 5; of 4: 1, 2, 4, 5; of 10: 1, 1, 2, 2, 3, 3, 4, 4, 5, 5.
    """
    if levels == scale:
        return score
    return 1 + (2 * (score - 1) * (scale - 1) + levels - 1) // (2 * (levels - 1))


def name_segments(scored: pl.LazyFrame, segments: Segments, rfm: Rfm) -> pl.LazyFrame:
    """One row per customer as given, with `segment`; never null, whatever number of levels each dimension has.

    Outside the base: `prospect` never paid for an order, `refunded_only` never kept one,
    `lapsed_out_of_window` bought before the window.

    Raises:
        BadPolicyError: the map leaves a cell without a name.
    """
    expanded = expand(segments)
    if expanded.unmatched:
        raise BadPolicyError(
            f"segments.yaml names no segment for (r, f, m) = {expanded.unmatched[0]} and "
            f"{len(expanded.unmatched) - 1} other cells",
            expected="a rule for every cell",
            next_step="widen a rule, or add one at the end that takes the rest",
        )
    base = segments.levels + 1
    codes = {(r * base + f) * base + m: code for (r, f, m), code in expanded.cells.items()}
    r, f, m = (on_scale(pl.col(f"{name}_score"), rfm.levels_of(name), segments.levels) for name in DIMENSIONS)
    cell = (r * base + f) * base + m
    named = cell.replace_strict(codes, default=None, return_dtype=pl.String)
    return scored.with_columns(segment=pl.when(pl.col("frequency") > 0).then(named).otherwise(_outside()))


def _outside() -> pl.Expr:
    """Why a customer has no scores."""
    return (
        pl.when(pl.col("gross_orders") == 0).then(pl.lit("prospect"))
        .when(pl.col("life_orders") == 0).then(pl.lit("refunded_only"))
        .otherwise(pl.lit("lapsed_out_of_window"))
    )  # fmt: skip
