"""RFM scores by exact min-rank, in integers: ties share a score and no order of rows matters (algorithms §3a, §3d)."""

from datetime import date

import polars as pl

_VALUES = {"r": -pl.col("recency_days"), "f": pl.col("frequency"), "m": pl.col("monetary_fen")}
"""Larger is better in all three; recency counts its days negatively."""
_IS_BASE = pl.col("frequency") > 0
METHOD = "quantile_min_rank"


def score_rfm(facts: pl.LazyFrame, *, levels: int) -> pl.LazyFrame:
    """One row per customer as given, with r_score, f_score, m_score (1 to `levels`) and rfm_cell.

    `score(v) = 1 + levels × less(v) // N` over the customers with an order in the window;
    all others score 0 and have no cell. So a score of at least s means: at most
    (levels + 1 − s) / levels of the base stand at or above.

    With 5 levels, frequencies 1×700, 2×200, 3×70, 8×30 score 1, 4, 5, 5; all equal score 1.
    """
    scores = {f"{name}_score": _score(value, levels) for name, value in _VALUES.items()}
    return facts.with_columns(**scores).with_columns(rfm_cell=_cell())


def _score(value: pl.Expr, levels: int) -> pl.Expr:
    """Count the levels whose edge the value has passed; one sort, and the ranks are never written down.

    `levels × less ≥ (s − 1) × N` means that ⌈(s − 1)·N / levels⌉ of the base stand lower: the
    value is above the one at that place in the order.
    """
    base = _IS_BASE.sum().cast(pl.Int64)
    lower = (pl.lit(pl.Series(range(1, levels))) * base + levels - 1) // levels
    edges = value.filter(_IS_BASE).sort().gather(lower - 1, null_on_oob=True)
    passed = edges.search_sorted(value, side="left").cast(pl.Int64)
    return pl.when(_IS_BASE).then(1 + passed).otherwise(0)


def _cell() -> pl.Expr:
    """H where a score is above the base's mean score, else L, in the order R F M; null outside the base.

    The mean stays a fraction: high means score × N > sum of scores, equal is low.
    """
    base = _IS_BASE.sum().cast(pl.Int64)
    letters = []
    for name in _VALUES:
        score = pl.col(f"{name}_score")
        letters.append(pl.when(score * base > score.sum()).then(pl.lit("H")).otherwise(pl.lit("L")))
    return pl.when(_IS_BASE).then(pl.concat_str(*letters))


def cutoffs_of(scored: pl.LazyFrame, *, as_of: date, levels: int) -> pl.LazyFrame:
    """One row per dimension and score: the least value that earned it, null where nobody did.

    `base_count` customers were scored; `effective_levels` different scores were given;
    `max_tie_share` of the base share one value. Sorted by dimension and score.
    """
    base = scored.filter(_IS_BASE)
    return pl.concat([_cutoffs(base, name, value, levels) for name, value in _VALUES.items()]).select(
        pl.lit(as_of).alias("as_of"), "dimension", "score", "cutoff", "base_count", "effective_levels",
        "max_tie_share", pl.lit(METHOD).alias("method"),
    ).sort("dimension", "score")  # fmt: skip


def _cutoffs(base: pl.LazyFrame, name: str, value: pl.Expr, levels: int) -> pl.LazyFrame:
    """One row per score of one dimension."""
    values = base.group_by(value.alias("value"), score=pl.col(f"{name}_score")).agg(tied=pl.len().cast(pl.Int64))
    least = values.group_by("score").agg(cutoff=pl.col("value").min())
    share = (pl.col("tied").max() / pl.col("tied").sum()).round(4)
    totals = values.select(
        base_count=pl.col("tied").sum(),
        effective_levels=pl.col("score").n_unique().cast(pl.Int64),
        max_tie_share=pl.when(pl.len() > 0).then(share),
    )
    every = pl.LazyFrame({"dimension": [name] * levels, "score": range(1, levels + 1)})
    return every.join(least, on="score", how="left").join(totals, how="cross")
