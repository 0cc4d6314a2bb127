"""RFM scores: exact quantiles in integers, edges, clusters or cut-offs that stand; and the eight cells (algorithms §3).

Ties share a score and no order of rows matters. How the cut-offs are written down is in cutoffs.py.
"""

from collections.abc import Mapping

import polars as pl

from tasks.policy.rfm import DIMENSIONS, Dimension, Rfm
from tasks.transforms.breaks import cluster_starts

IS_BASE = pl.col("frequency") > 0
Ladder = tuple[int, ...]
"""Least values of the scores from 2 up, rising; a value on one has that score. Days are counted negatively."""


def value_of(dimension: Dimension, rfm: Rfm) -> pl.Expr:
    """What a dimension scores; larger is better in all three, recency counts its days negatively."""
    if dimension == "r":
        return -pl.col("recency_days")
    if dimension == "f":
        return pl.col("frequency" if rfm.frequency == "orders" else "frequency_scored")
    return pl.col("monetary_fen" if is_plain_spend(rfm) else "monetary_scored_fen")


def is_plain_spend(rfm: Rfm) -> bool:
    """Whether money is scored as it was spent, without cap or division."""
    return rfm.monetary == "spend" and rfm.winsorise is None


def score_rfm(facts: pl.LazyFrame, rfm: Rfm, standing: Mapping[str, Ladder] | None = None) -> pl.LazyFrame:
    """One row per customer as given, with r_score, f_score, m_score (from 1 up) and rfm_cell.

    The base are the customers with an order in the window; all others score 0 and have no cell.
    `standing` are cut-offs of an earlier date, by dimension; a dimension without them is cut anew.

    The default is `score(v) = 1 + levels × less(v) // N`: a score of at least s means that at most
    (levels + 1 − s) / levels of the base stand at or above. With 5 levels, frequencies 1×700,
    2×200, 3×70, 8×30 score 1, 4, 5, 5; all equal score 1. By mid-rank they score 2, 5, 5, 5; all equal 3.
    """
    ladders = {**declared(rfm), **(standing or {})}
    scores = {f"{name}_score": _score(name, rfm, ladders.get(name)) for name in DIMENSIONS}
    return facts.with_columns(**scores).with_columns(rfm_cell=_cell(rfm))


def declared(rfm: Rfm) -> dict[str, Ladder]:
    """The ladders that the policy's edges make. R edges are the most days of a score, best first."""
    fixed = [name for name in DIMENSIONS if rfm.method_of(name) == "fixed_edges"]
    return {name: _rising(name, rfm.scale(name).edges) for name in fixed}


def _rising(name: Dimension, edges: tuple[int, ...]) -> Ladder:
    return tuple(-edge for edge in reversed(edges)) if name == "r" else edges


def _score(name: Dimension, rfm: Rfm, ladder: Ladder | None) -> pl.Expr:
    """The score of one dimension; 0 outside the base."""
    value, levels, method = value_of(name, rfm), rfm.levels_of(name), rfm.method_of(name)
    if ladder is not None:
        score = _passed(pl.lit(pl.Series(ladder, dtype=pl.Int64)), value, at_edge=True)
    elif method == "clusters":
        score = _passed(_cluster_edges(value, levels), value, at_edge=True)
    elif method == "quantile_mid_rank":
        score = _mid_rank(value, levels)
    else:
        score = _passed(_quantile_edges(value, levels), value, at_edge=False)
    return pl.when(IS_BASE).then(1 + score).otherwise(0)


def _passed(edges: pl.Expr, value: pl.Expr, *, at_edge: bool) -> pl.Expr:
    """How many edges the value is above, or at where that is enough."""
    return edges.search_sorted(value, side="right" if at_edge else "left").cast(pl.Int64)


def _quantile_edges(value: pl.Expr, levels: int) -> pl.Expr:
    """The values that one has to be above for each score; one sort, and the ranks are never written down.

    `levels × less ≥ (s − 1) × N` means that ⌈(s − 1)·N / levels⌉ of the base stand lower: the
    value is above the one at that place in the order.
    """
    base = IS_BASE.sum().cast(pl.Int64)
    lower = (pl.lit(pl.Series(range(1, levels))) * base + levels - 1) // levels
    return value.filter(IS_BASE).sort().gather(lower - 1, null_on_oob=True)


def _mid_rank(value: pl.Expr, levels: int) -> pl.Expr:
    """`levels × (lower + not higher) // 2N`; twice the average rank is their sum and one more, exact in a float."""
    base = IS_BASE.sum().cast(pl.Int64)
    both = (2 * pl.when(IS_BASE).then(value).rank("average") - 1).cast(pl.Int64)
    return levels * both // (2 * base)


def _cluster_edges(value: pl.Expr, levels: int) -> pl.Expr:
    """The least value of each cluster but the lowest."""
    return value.filter(IS_BASE).map_batches(
        lambda base: _starts(base, levels), return_dtype=pl.Int64, returns_scalar=False
    )


def _starts(base: pl.Series, levels: int) -> pl.Series:
    counted = base.cast(pl.Int64).rename("value").value_counts(name="tied").sort("value")
    starts = cluster_starts(counted["value"].to_numpy(), counted["tied"].cast(pl.Int64).to_numpy(), levels)
    return pl.Series(base.name, starts, pl.Int64)


def _cell(rfm: Rfm) -> pl.Expr:
    """H where a score is above the base's mean score, or the policy's own, else L, in the order R F M.

    The mean stays a fraction: high means score × N > sum of scores, equal is low. Null outside the base.
    """
    base = IS_BASE.sum().cast(pl.Int64)
    letters = []
    for name in DIMENSIONS:
        score, own = pl.col(f"{name}_score"), rfm.high_above.get(name)
        is_high = score * base > score.sum() if own is None else score > own
        letters.append(pl.when(is_high).then(pl.lit("H")).otherwise(pl.lit("L")))
    return pl.when(IS_BASE).then(pl.concat_str(*letters))
