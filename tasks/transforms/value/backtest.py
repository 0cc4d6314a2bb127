"""How good predictions turned out: by group and by customer, in fen, and as chances (algorithms §9, §16, §17).

Everything here compares two columns of one frame, whoever predicted them.
"""

from typing import Any

import polars as pl

_DIGITS = 4
_NOISE = 1e-9
GROUPS = 10
Figures = dict[str, Any]


def tenth(value: str) -> pl.Expr:
    """Which tenth of the customers the value lies in, 1 the lowest: by min-rank, so equal values stay together."""
    return (1 + GROUPS * (pl.col(value).rank("min").cast(pl.Int64) - 1) // pl.len()).alias("tenth")


def by_group(rows: pl.DataFrame, group: str | pl.Expr, predicted: str, actual: str) -> pl.DataFrame:
    """One row per group: customers, both sums in fen, and predicted over actual (null where nothing came)."""
    sums = rows.group_by(group).agg(
        customers=pl.len().cast(pl.Int64), predicted_fen=pl.col(predicted).sum(), actual_fen=pl.col(actual).sum()
    )
    ratio = pl.when(pl.col("actual_fen") > 0).then((pl.col("predicted_fen") / pl.col("actual_fen")).round(_DIGITS))
    return sums.with_columns(ratio=ratio).sort(sums.columns[0])


def accuracy(groups: pl.DataFrame) -> float:
    """1 less the sum of absolute errors over the sum of what came; below 0 where the errors are larger than that."""
    errors = _number(groups, (pl.col("predicted_fen") - pl.col("actual_fen")).abs().sum())
    return round(1 - errors / max(_sum(groups, "actual_fen"), 1), _DIGITS)


def money_figures(rows: pl.DataFrame, predicted: str, actual: str) -> Figures:
    """Accuracy by tenth and by customer, predicted over actual, mean absolute error in fen, and Gini."""
    each = rows.select(predicted_fen=predicted, actual_fen=actual)
    error = (pl.col("predicted_fen") - pl.col("actual_fen")).abs().sum()
    return {
        "accuracy_by_decile": accuracy(by_group(rows, tenth(predicted), predicted, actual)),
        "accuracy_by_customer": accuracy(each),
        "calibration_ratio": round(_sum(each, "predicted_fen") / max(_sum(each, "actual_fen"), 1), _DIGITS),
        "mean_absolute_error_fen": round(_number(each, error) / max(rows.height, 1)),
        "gini": gini(rows, predicted, actual),
    }


def gini(rows: pl.DataFrame, predicted: str, actual: str) -> float:
    """How well the prediction ranks the customers: 1 as the outcome itself would, 0 as chance would.

    Customers with equal predictions share what came of them.
    """
    best = _area(rows, actual, actual)
    return round(_area(rows, predicted, actual) / best, _DIGITS) if best > _NOISE else 0.0


def _area(rows: pl.DataFrame, by: str, actual: str) -> float:
    """Twice the area between the curve of cumulated outcomes, best first, and that of equal shares."""
    each = rows.select(rank=by, came=actual)
    steps = each.group_by("rank").agg(people=pl.len(), came=pl.col("came").sum()).sort("rank", descending=True)
    people, came = steps["people"].to_list(), steps["came"].to_list()
    everyone, everything = sum(people), sum(came)
    if not everything:
        return 0.0
    share, area = 0.0, 0.0
    for count, sum_ in zip(people, came, strict=True):
        area += count / everyone * (2 * share + sum_ / everything)
        share += sum_ / everything
    return area - 1


def chance_figures(rows: pl.DataFrame, chance: str, happened: str) -> Figures:
    """Weighted calibration error in points, AUC, Brier score, and the Brier score of the base rate."""
    rate = _number(rows, pl.col(happened).cast(pl.Float64).mean())
    brier = _number(rows, ((pl.col(chance) - pl.col(happened)) ** 2).mean())
    return {
        "calibration_error_points": calibration_error(rows, chance, happened),
        "auc": auc(rows, chance, happened),
        "brier": round(brier, _DIGITS),
        "brier_of_base_rate": round(rate * (1 - rate), _DIGITS),
        "base_rate": round(rate, _DIGITS),
    }


def reliability(rows: pl.DataFrame, chance: str, happened: str) -> pl.DataFrame:
    """One row per tenth of the chance: customers, mean chance, and the share to whom it happened."""
    tenths = rows.group_by(tenth(chance)).agg(
        customers=pl.len().cast(pl.Int64),
        predicted=pl.col(chance).mean().round(_DIGITS),
        happened=pl.col(happened).cast(pl.Float64).mean().round(_DIGITS),
        _error=(pl.col(chance) - pl.col(happened)).sum().abs(),
    )
    return tenths.sort("tenth")


def calibration_error(rows: pl.DataFrame, chance: str, happened: str) -> float:
    """Points by which the chances of a tenth miss the share to whom it happened, weighted by customers."""
    return round(100 * _sum(reliability(rows, chance, happened), "_error") / max(rows.height, 1), 2)


def auc(rows: pl.DataFrame, chance: str, happened: str) -> float:
    """Chance that one to whom it happened was given a higher chance than one to whom it did not; ties count half."""
    ranks = rows.select(happened, rank=pl.col(chance).rank("average"))
    hits = ranks.filter(pl.col(happened).cast(pl.Boolean))
    misses = ranks.height - hits.height
    if not hits.height or not misses:
        return 0.5
    return round((_sum(hits, "rank") - hits.height * (hits.height + 1) / 2) / (hits.height * misses), _DIGITS)


def _sum(rows: pl.DataFrame, name: str) -> float:
    return _number(rows, pl.col(name).sum())


def _number(rows: pl.DataFrame, expression: pl.Expr) -> float:
    """What an aggregation over all rows comes to; 0 of nothing."""
    return float(rows.select(expression).item() or 0)
