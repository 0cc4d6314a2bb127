"""Cut-offs: the least value of each score, since when it stands, and whether the scores still tell customers apart.

Intervals are left-closed: a value on a cut-off has that score, and the cut-off of score 1 has no lower end.
"""

from datetime import date

import polars as pl

from tasks.policy.rfm import DIMENSIONS, Dimension, Rfm
from tasks.transforms.rfm import IS_BASE, Ladder, declared, value_of

_QUARTER = 3


def cutoffs_of(scored: pl.LazyFrame, rfm: Rfm, *, as_of: date, standing: pl.DataFrame | None = None) -> pl.LazyFrame:
    """One row per dimension and score: the least value that earns it, null where nobody did when it was cut.

    `standing` are the rows of `standing_cutoffs` that the scores were made with. `computed_on` is the date of
    the cut, null for the policy's own edges; where it is `as_of` the standards were revised. `base_count`
    customers were scored; `effective_levels` different scores were given; `max_tie_share` of the base share one
    value. Sorted by dimension and score.
    """
    base = scored.filter(IS_BASE)
    every = [_of_dimension(base, name, rfm, as_of, _rows(standing, name)) for name in DIMENSIONS]
    return pl.concat(every).select(
        pl.lit(as_of).alias("as_of"), "dimension", "score", "cutoff", "base_count", "effective_levels",
        "max_tie_share", "method", "measure", "computed_on",
    ).sort("dimension", "score")  # fmt: skip


def standing_cutoffs(previous: pl.LazyFrame | None, rfm: Rfm, as_of: date) -> pl.DataFrame:
    """The rows of the earlier date's cut-offs that stand at `as_of`; none where the standards are due for revision.

    They stand within the business month or quarter of their cut, as long as method, measure and levels are the same.
    """
    if previous is None or rfm.revise == "each_refresh":
        return pl.DataFrame(schema={"dimension": pl.String, "score": pl.Int64, "cutoff": pl.Int64})
    rows = previous.collect()
    standing = [name for name in DIMENSIONS if _stands(rows.filter(dimension=name), name, rfm, as_of)]
    return rows.filter(pl.col("dimension").is_in(standing))


def ladders(standing: pl.DataFrame) -> dict[str, Ladder]:
    """The ladder of each dimension; a score that nobody earned begins where the next one does."""
    rising = standing.filter(pl.col("score") > 1).sort("score")
    names = rising["dimension"].unique(maintain_order=True)
    return {name: tuple(rising.filter(dimension=name)["cutoff"].backward_fill().drop_nulls()) for name in names}


def coarse_scores(cutoffs: pl.DataFrame, rfm: Rfm) -> list[dict[str, object]]:
    """One entry per dimension whose quantiles hardly tell customers apart: a base too small, or a tie too large."""
    return [
        {
            "dimension": row["dimension"],
            "warning": f"{row['base_count']} customers, {row['max_tie_share']:.2%} share one value, "
            f"{row['effective_levels']} of {rfm.levels_of(row['dimension'])} scores in use; consider fixed edges",
        }
        for row in cutoffs.filter(pl.col("score") == 1, pl.col("base_count") > 0).iter_rows(named=True)
        if row["method"].startswith("quantile")
        and (row["base_count"] < rfm.warn_base_below or row["max_tie_share"] >= rfm.warn_tie_share)
    ]


def revision_due(computed_on: date, rfm: Rfm) -> date | None:
    """First day on which a refresh revises the cut-offs; None where every refresh does."""
    if rfm.revise == "each_refresh":
        return None
    length = 1 if rfm.revise == "monthly" else _QUARTER
    months = (computed_on.year * 12 + computed_on.month - 1) // length * length + length
    return date(months // 12, months % 12 + 1, 1)


def _stands(rows: pl.DataFrame, name: Dimension, rfm: Rfm, as_of: date) -> bool:
    method = rfm.method_of(name)
    if method == "fixed_edges" or rows["cutoff"].null_count() == rows.height or rows.height != rfm.levels_of(name):
        return False
    first = rows.row(0, named=True)
    due = revision_due(first["computed_on"], rfm)
    return first["method"] == method and first["measure"] == rfm.measure_of(name) and due is not None and as_of < due


def _rows(standing: pl.DataFrame | None, name: str) -> pl.DataFrame | None:
    rows = None if standing is None else standing.filter(dimension=name)
    return None if rows is None or rows.is_empty() else rows


def _of_dimension(
    base: pl.LazyFrame, name: Dimension, rfm: Rfm, as_of: date, standing: pl.DataFrame | None
) -> pl.LazyFrame:
    """One row per score of one dimension."""
    values = base.group_by(value_of(name, rfm).alias("value"), score=pl.col(f"{name}_score")).agg(
        tied=pl.len().cast(pl.Int64)
    )
    share = (pl.col("tied").max() / pl.col("tied").sum()).round(4)
    totals = values.select(
        base_count=pl.col("tied").sum(),
        effective_levels=pl.col("score").n_unique().cast(pl.Int64),
        max_tie_share=pl.when(pl.len() > 0).then(share),
    )
    levels, method = rfm.levels_of(name), rfm.method_of(name)
    every = pl.LazyFrame({"dimension": [name] * levels, "score": range(1, levels + 1)})
    since = as_of if standing is None else standing["computed_on"][0]
    return (
        every.join(_least(values, declared(rfm).get(name), standing), on="score", how="left")
        .join(totals, how="cross")
        .with_columns(
            method=pl.lit(method), measure=pl.lit(rfm.measure_of(name)),
            computed_on=pl.lit(None if method == "fixed_edges" else since, pl.Date),
        )
    )  # fmt: skip


def _least(values: pl.LazyFrame, edges: Ladder | None, standing: pl.DataFrame | None) -> pl.LazyFrame:
    """One row per score with a cut-off: of the policy, of an earlier cut, or the least value that earned it now."""
    if standing is not None:
        return standing.lazy().select("score", "cutoff")
    earned = values.group_by("score").agg(cutoff=pl.col("value").min())
    if edges is None:
        return earned
    given = pl.LazyFrame({"score": range(2, len(edges) + 2), "cutoff": edges})
    return pl.concat([earned.filter(pl.col("score") == 1), given])
