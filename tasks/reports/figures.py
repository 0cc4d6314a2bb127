"""A month's customers -> small frames to show: grid, groups, concentration, scores. Integers only, no words."""

from collections.abc import Iterable

import polars as pl

FIFTH = 20
"""Per cent of the customers whose share of the spend the handbooks quote."""


def sum_of(frame: pl.DataFrame, column: str) -> int:
    """The sum of a whole-number column; 0 for no rows."""
    return int(frame[column].sum())


def greatest(frame: pl.DataFrame, column: str) -> int:
    """The greatest of a whole-number column; 0 for no rows."""
    return max(frame[column].to_list(), default=0)


def scored_base(customers: pl.DataFrame) -> pl.DataFrame:
    """One row per customer with a qualifying order in the window: those who have scores."""
    return customers.filter(pl.col("r_score") > 0)


def rfm_grid(customers: pl.DataFrame, *, levels: tuple[int, int]) -> pl.DataFrame:
    """One row per cell of recency score and frequency score, empty cells included; `levels` are the best of each.

    `mean_fen` is the mean monetary value rounded down to the fen, null in an empty cell.
    """
    recent, frequent = (
        pl.DataFrame({name: range(1, best + 1)}, schema={name: pl.Int64})
        for name, best in zip(("r_score", "f_score"), levels, strict=True)
    )
    cells = recent.join(frequent, how="cross")
    found = scored_base(customers).group_by("r_score", "f_score").agg(*_size())
    return (
        cells.join(found, on=["r_score", "f_score"], how="left")
        .with_columns(pl.col("customers", "monetary_fen").fill_null(0))
        .with_columns(mean_fen=pl.col("monetary_fen") // pl.col("customers"))
        .with_columns(mean_fen=pl.when(pl.col("customers") > 0).then("mean_fen"))
        .sort("r_score", "f_score")
    )


def group_sizes(customers: pl.DataFrame, column: str, codes: Iterable[str]) -> pl.DataFrame:
    """One row per code of a label: customers and window spend in fen.

    In the order of `codes`, empty groups included; codes found but not named come last, by name.
    """
    found = (
        customers.filter(pl.col(column).is_not_null()).group_by(code=pl.col(column)).agg(*_size())
    )  # fmt: skip
    named = list(codes)
    extra = sorted(set(found["code"]) - set(named))
    order = pl.DataFrame({"code": [*named, *extra]}, schema={"code": pl.String})
    return order.join(found, on="code", how="left", maintain_order="left").with_columns(
        pl.col("customers", "monetary_fen").fill_null(0)
    )


def group_changes(now: pl.DataFrame, before: pl.DataFrame, column: str, codes: Iterable[str]) -> pl.DataFrame:
    """One row per code: customers now and before, window spend now."""
    current = group_sizes(now, column, codes)
    former = group_sizes(before, column, current["code"].to_list())
    return former.select("code", customers_before="customers").join(
        current, on="code", how="left", maintain_order="left"
    ).with_columns(pl.col("customers", "monetary_fen").fill_null(0))  # fmt: skip


def pareto_curve(customers: pl.DataFrame) -> pl.DataFrame:
    """One row per percent of the customers who bought in the window, from 0 to 100, best spenders first.

    At p percent stand the first `N * p // 100` customers and what they spent, in fen. Customers
    who spent the same are worth the same, so ties change nothing.
    """
    spends = scored_base(customers)["monetary_fen"].sort(descending=True)
    running = [0, *spends.cum_sum()]
    tops = [len(spends) * percent // 100 for percent in range(101)]
    return pl.DataFrame(
        {"percent": range(101), "customers": tops, "monetary_fen": [running[top] for top in tops]},
        schema={"percent": pl.Int64, "customers": pl.Int64, "monetary_fen": pl.Int64},
    )


def score_sizes(customers: pl.DataFrame, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """One row per dimension and score of `cutoffs`: the least value that earned it, and how many earned it."""
    base = scored_base(customers)
    held = pl.concat([
        base.group_by(score=pl.col(f"{name}_score")).agg(dimension=pl.lit(name), customers=pl.len().cast(pl.Int64))
        for name in ("r", "f", "m")
    ], how="diagonal")  # fmt: skip
    return (
        cutoffs.join(held.select("dimension", "score", "customers"), on=["dimension", "score"], how="left")
        .with_columns(pl.col("customers").fill_null(0))
        .sort(pl.col("dimension").replace_strict({"r": 0, "f": 1, "m": 2}, return_dtype=pl.Int64), "score")
    )


def _size() -> tuple[pl.Expr, pl.Expr]:
    return pl.len().cast(pl.Int64).alias("customers"), pl.col("monetary_fen").sum().alias("monetary_fen")
