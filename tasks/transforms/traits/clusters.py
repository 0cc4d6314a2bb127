"""Clusters: groups of customers who are alike in several dimensions, each with a name that stays.

k-means over scores. A score is a small whole number, so that millions of customers stand in a few thousand cells:
the cells are grouped, each weighing as many customers as it has, in one order and without any random start. The
centres are rounded before customers are put to the nearest, so that the stored ones give the same groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.policy.clusters import Clusters, Dimension, Profile

_DIGITS = 4
_GRID = 9
"""Digits at which two distances are equal: sums of floats differ beyond."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CENTRES = pl.Schema({"cluster": pl.String(), "dimension": pl.String(), "centre": pl.Float64()})
"""Centres as they are stored: the place of a group in one dimension, 0 the least score of all and 1 the greatest."""


@dataclass(frozen=True)
class Cells:
    """The scored customers, each cell of equal scores once, in the order of the scores."""

    scores: Ints
    """One row per cell, one column per dimension."""
    customers: Ints
    """How many customers have these scores."""

    def placed(self, dimensions: Sequence[Dimension]) -> Floats:
        """The scores as places between 0 and 1, so that a dimension of ten scores weighs as much as one of five."""
        places: Floats = self.scores / np.array([float(dimension.greatest) for dimension in dimensions])
        return places


@dataclass(frozen=True)
class Clustered:
    """Who is in which group, and where the groups lie."""

    customers: pl.LazyFrame
    """one_id, cluster; of those in the scored base."""
    centres: pl.DataFrame
    """CENTRES."""
    is_new: bool
    """False where the centres are those of the date before."""


def find_clusters(customers: pl.LazyFrame, clusters: Clusters, previous: pl.DataFrame) -> Clustered:
    """The groups of these customers, going on from the centres of the date before (CENTRES, empty without any).

    `customers` have the columns of the dimensions and `r_score`. With nobody to group, the former centres stand.
    """
    scores = score_dimensions(customers, clusters).collect(engine="streaming").lazy()
    cells = cells_of(scores, clusters)
    is_new = len(cells.customers) > 0
    centres = fit_centres(cells, clusters, previous) if is_new else previous
    return Clustered(assign_clusters(scores, centres, clusters), centres, is_new=is_new)


def score_dimensions(customers: pl.LazyFrame, clusters: Clusters) -> pl.LazyFrame:
    """One row per customer in the scored base: one_id and one score per dimension; null counts as 0."""
    base = customers.filter(pl.col("r_score") > 0)
    return base.select("one_id", *(_score(dimension) for dimension in clusters.dimensions))


def cells_of(scores: pl.LazyFrame, clusters: Clusters) -> Cells:
    """The cells of customers who were scored by `score_dimensions`."""
    columns = [dimension.column for dimension in clusters.dimensions]
    cells = scores.group_by(columns).agg(_customers=pl.len().cast(pl.Int64)).collect(engine="streaming").sort(columns)
    return Cells(cells.select(columns).to_numpy().astype(np.int64), cells.get_column("_customers").to_numpy())


def fit_centres(cells: Cells, clusters: Clusters, previous: pl.DataFrame) -> pl.DataFrame:
    """One row per group and dimension: the centres (CENTRES), named.

    With the centres of the date before, groups go on from them and keep their names. Without any, or where the
    policy's profiles or dimensions are others, the first centres are the cells that lie furthest apart, and each
    group takes the profile that fits it best, all together as well as can be.
    """
    names, columns = [p.code for p in clusters.profiles], [d.column for d in clusters.dimensions]
    points, weights = cells.placed(clusters.dimensions), cells.customers.astype(np.float64)
    former = _matrix(previous, names, columns)
    if former is not None:
        return _table(_settle(points, weights, former, clusters.rounds), names, columns)
    centres = _settle(points, weights, _far_apart(points, weights, len(names)), clusters.rounds)
    return _table(centres[_fitting(centres, clusters.profiles, columns)], names, columns)


def assign_clusters(scores: pl.LazyFrame, centres: pl.DataFrame, clusters: Clusters) -> pl.LazyFrame:
    """One row per customer of `score_dimensions`: one_id, cluster. Between two centres, the profile named first."""
    columns = [dimension.column for dimension in clusters.dimensions]
    names = [profile.code for profile in clusters.profiles]
    matrix = _matrix(centres, names, columns)
    if matrix is None:
        return scores.select("one_id", cluster=pl.lit(None, pl.String))
    cells = cells_of(scores, clusters)
    nearest = _nearest(cells.placed(clusters.dimensions), matrix)
    known = pl.DataFrame(cells.scores, columns, orient="row").with_columns(
        cluster=pl.Series([names[number] for number in nearest], dtype=pl.String)
    )
    return scores.join(known.lazy(), on=columns).select("one_id", "cluster")


def _score(dimension: Dimension) -> pl.Expr:
    value = pl.col(dimension.column)
    if not dimension.edges:
        return value.fill_null(0).clip(0, dimension.top).cast(pl.Int64).alias(dimension.column)
    reached = [(value >= float(edge)).fill_null(value=False).cast(pl.Int64) for edge in dimension.edges]
    return pl.sum_horizontal(reached).cast(pl.Int64).alias(dimension.column)


def _settle(points: Floats, weights: Floats, centres: Floats, rounds: int) -> Floats:
    """Lloyd's rounds until the rounded centres stand still; a group without anybody stays where it is."""
    for _ in range(rounds):
        nearest = _nearest(points, centres)
        moved = np.array([_mean(points, weights, nearest == number, old) for number, old in enumerate(centres)])
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def _mean(points: Floats, weights: Floats, is_in: npt.NDArray[np.bool_], old: Floats) -> Floats:
    if not is_in.any():
        return old
    weighted = points[is_in] * weights[is_in, None]
    mean: Floats = np.round(weighted.sum(axis=0) / weights[is_in].sum(), _DIGITS)
    return mean


def _nearest(points: Floats, centres: Floats) -> Ints:
    """The nearest centre of each point; distances are rounded, and between equal ones the first centre wins."""
    distances = np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
    nearest: Ints = np.round(distances, _GRID).argmin(axis=1)
    return nearest


def _far_apart(points: Floats, weights: Floats, count: int) -> Floats:
    """First centres: the cell with the most customers, then each time that with the most customers × distance²."""
    chosen = [points[int(weights.argmax())]]
    while len(chosen) < count:
        distances = np.min([((points - centre) ** 2).sum(axis=1) for centre in chosen], axis=0)
        chosen.append(points[int(np.round(distances * weights, _GRID).argmax())])
    return np.round(np.array(chosen), _DIGITS)


def _fitting(centres: Floats, profiles: Sequence[Profile], columns: Sequence[str]) -> Ints:
    """For each profile the group that it fits, so that all together fit best.

    A group fits a profile by how far it stands, on average, above the mean of all groups where the profile says high
    and below it where it says low.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - commands that only read need no scipy

    relative = centres - centres.mean(axis=0)
    fits = np.zeros((len(profiles), len(centres)))
    for row, profile in enumerate(profiles):
        signs = np.array([float(c in profile.high) - float(c in profile.low) for c in columns])
        fits[row] = relative @ signs / max(np.abs(signs).sum(), 1)
    _, groups = linear_sum_assignment(np.round(fits, _GRID), maximize=True)
    return np.asarray(groups, np.int64)


def _matrix(centres: pl.DataFrame, names: Sequence[str], columns: Sequence[str]) -> Floats | None:
    """One row per name, one column per dimension; None unless the centres are of exactly these."""
    held = {(cluster, dimension): centre for cluster, dimension, centre in centres.select(list(CENTRES)).iter_rows()}
    if held.keys() != {(name, column) for name in names for column in columns} or not held:
        return None
    return np.array([[held[name, column] for column in columns] for name in names])


def _table(centres: Floats, names: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    rows = [
        (name, column, float(centre))
        for name, row in zip(names, centres, strict=True)
        for column, centre in zip(columns, row, strict=True)
    ]
    return pl.DataFrame(rows, CENTRES, orient="row")
