"""What the traits of a date were fitted to, as rows of the table models, and the centres of a date read back."""

from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.transforms.traits.clusters import CENTRES

CLUSTERS, COMPANIONS = "clusters", "companions"
_MEASURES = ("support", "confidence", "lift")


def fitted_rows(centres: pl.DataFrame, rules: pl.DataFrame, as_of: date, *, is_new: bool) -> pl.LazyFrame:
    """Rows of the table models: each centre as `cluster.dimension`, each number of a rule as `a > b: lift`.

    Centres that were not fitted at this date, because there was nobody to group, are `carried`.
    """
    places = centres.select(
        model=pl.lit(CLUSTERS), parameter=pl.format("{}.{}", "cluster", "dimension"), estimate="centre",
        fit_status=pl.lit("accepted" if is_new else "carried"),
    )  # fmt: skip
    numbers = [
        rules.select(
            model=pl.lit(COMPANIONS), parameter=pl.format("{} > {}: {}", "bought", "companion", pl.lit(name)),
            estimate=name, fit_status=pl.lit("accepted"),
        )
        for name in _MEASURES
    ]  # fmt: skip
    return pl.concat([places, *numbers]).lazy().with_columns(as_of=pl.lit(as_of)).select(TABLES["models"].columns)


def centres_in(models: pl.LazyFrame) -> pl.DataFrame:
    """One row per group and dimension (CENTRES), from rows of the table models of one date."""
    centres = models.filter(pl.col("model") == CLUSTERS)
    names = pl.col("parameter").str.splitn(".", 2).struct.rename_fields(["cluster", "dimension"])
    return centres.select(names, centre="estimate").unnest("parameter").collect().cast(CENTRES)


def with_fitted(models: pl.LazyFrame, fitted: pl.LazyFrame) -> pl.LazyFrame:
    """The table models: what customers were valued by, and what their traits were fitted to; doing it twice is once."""
    others = models.filter(~pl.col("model").is_in([CLUSTERS, COMPANIONS]))
    return pl.concat([others, fitted]).sort(TABLES["models"].key)
