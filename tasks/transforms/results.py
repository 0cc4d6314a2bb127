"""The figures by which a refresh is judged as a whole: joins with the date before, sums, and shifts of its labels."""

from collections.abc import Mapping

import polars as pl

from expectations.results import FIGURES
from tasks.policy.drift import Drift

DIMENSIONS = ("tier", "segment", "stage")
_DIGITS = 4
Frames = Mapping[str, pl.LazyFrame]


def result_figures(found: Frames, previous: pl.LazyFrame | None, limits: Drift) -> pl.DataFrame:
    """One row: each figure of `expectations.results` beside the most that it may be.

    Args:
        found: customers, traits, tags and migrations of the date.
        previous: the customers of the date before.
        limits: the brand's; with few customers before, or a short past, shares and factors are 0.
    """
    figures = {"lost_share": 0.0, "spend_factor": 0.0, **{f"{name}_shift": 0.0 for name in DIMENSIONS}}
    figures |= dict.fromkeys(("moves_missing", "moves_without_cause", "matrix_gap_fen"), 0)
    figures |= {f"{name}_missing": _unlike(found["customers"], found[name]) for name in ("tags", "traits")}
    if previous is not None:
        figures |= _of_moves(found["migrations"], found["customers"], previous)
        if _count(previous) >= limits.least_customers:
            figures |= _of_lost(found["migrations"], previous)
            figures |= {} if _is_young(previous, limits) else _of_labels(found["customers"], previous)
    most = {figure.most: getattr(limits, figure.knob) if figure.knob else 0 for figure in FIGURES}
    return pl.DataFrame([{figure.name: figures[figure.name] for figure in FIGURES} | most])


def _count(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect().item())


def _is_young(previous: pl.LazyFrame, limits: Drift) -> bool:
    lived = pl.col("as_of").max() - pl.col("first_seen_at").dt.date().min()
    return bool(previous.select(lived.dt.total_days() < limits.young_days).collect().item())


def _unlike(customers: pl.LazyFrame, others: pl.LazyFrame) -> int:
    """Rows of either side that have no match in the other."""
    one, other = customers.select("one_id"), others.select("one_id")
    return sum(_count(left.join(right, on="one_id", how="anti")) for left, right in ((one, other), (other, one)))


def _of_moves(moves: pl.LazyFrame, customers: pl.LazyFrame, previous: pl.LazyFrame) -> dict[str, int]:
    """How far the matrices of moves are from the customers of both dates, in heads and in fen."""
    is_here = ~pl.col("to_code").is_in(["LEFT", "MERGED_INTO"])
    was_there = ~pl.col("from_code").is_in(["ENTERED", "SPLIT_FROM"])
    moved = pl.col("from_code") != pl.col("to_code")
    heads = moves.group_by("dimension").agg(
        here=is_here.sum().cast(pl.Int64), there=was_there.sum().cast(pl.Int64),
        fen=pl.col("monetary_fen").filter(is_here).sum(),
        uncaused=(moved != pl.col("cause").is_not_null()).sum().cast(pl.Int64),
    ).collect()  # fmt: skip
    now, before, spend = _count(customers), _count(previous), _spend(customers)
    missing = [abs(row["here"] - now) + abs(row["there"] - before) for row in heads.iter_rows(named=True)]
    absent = (len(DIMENSIONS) - heads.height) * max(now, before)
    return {
        "moves_missing": sum(missing) + absent,
        "moves_without_cause": int(heads["uncaused"].sum()),
        "matrix_gap_fen": sum(abs(fen - spend) for fen in heads["fen"]),
    }


def _spend(customers: pl.LazyFrame) -> int:
    return int(customers.select(pl.col("monetary_fen").sum()).collect().item())


def _of_labels(customers: pl.LazyFrame, previous: pl.LazyFrame) -> dict[str, float]:
    """Half the sum of the differences between two divisions into shares, by dimension; and the factor of spend."""
    now, before = _spend(customers), _spend(previous)
    factor = max(now, before, 1) / max(min(now, before), 1)
    return {f"{name}_shift": _shift(customers, previous, name) for name in DIMENSIONS} | {
        "spend_factor": round(factor, _DIGITS)
    }


def _shift(customers: pl.LazyFrame, previous: pl.LazyFrame, name: str) -> float:
    now, before = _shares(customers, name), _shares(previous, name)
    differences = (abs(now.get(code, 0.0) - before.get(code, 0.0)) for code in sorted({*now, *before}))
    return round(sum(differences) / 2, _DIGITS)


def _shares(customers: pl.LazyFrame, name: str) -> dict[str, float]:
    heads = customers.group_by(name).agg(heads=pl.len()).collect()
    return dict(heads.select(name, pl.col("heads") / pl.col("heads").sum()).iter_rows())


def _of_lost(moves: pl.LazyFrame, previous: pl.LazyFrame) -> dict[str, float]:
    lost = _count(moves.filter(pl.col("dimension") == DIMENSIONS[0], pl.col("to_code") == "LEFT"))
    return {"lost_share": round(lost / max(_count(previous), 1), _DIGITS)}
