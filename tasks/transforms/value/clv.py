"""Every customer's value: chance to be alive and to buy, expected orders and their worth, CLV (algorithms §8, §9)."""

from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl

from tasks.policy.value import Value
from tasks.transforms.value.buying import Array, Histories
from tasks.transforms.value.models import Models, models_of
from tasks.transforms.value.outlook import Living, alive_of, history_of, worths_of

MONTH_DAYS = 30
AHEAD_DAYS = 90
"""The horizon that stands in the names of columns."""
_PART = 500_000
"""Customers whose arrays are in memory at once."""
_DIGITS = 4
_BP = 10_000
_SCORED = ("p_alive", "p_buy_90d", "expected_orders_90d", "expected_value_fen", "clv_fen", "clv_status")
_SCHEMA = pl.Schema(
    {
        "p_alive": pl.Float64, "p_buy_90d": pl.Float64, "expected_orders_90d": pl.Float64,
        "expected_value_fen": pl.Int64, "clv_fen": pl.Int64, "clv_status": pl.String,
    }
)  # fmt: skip


def value_customers(customers: pl.LazyFrame, models: pl.LazyFrame, policy: Value, as_of: date) -> pl.LazyFrame:
    """One row per customer as given and in the same order, with the columns of value.

    `customers` needs stage, preferred_category and what orders give; `models` are the rows of this date.
    Rates are rounded to four digits, money half to even to whole fen and never below 0.
    """
    standing = customers.with_columns(margin_fen=_margin_fen(policy)).collect()
    scored = score_values(standing, models_of(models, policy), policy, as_of)
    return standing.hstack(scored).lazy()


def score_values(standing: pl.DataFrame, models: Models, policy: Value, as_of: date) -> pl.DataFrame:
    """One row per customer of `standing` in its order: the scored columns alone."""
    days = [AHEAD_DAYS, *(MONTH_DAYS * month for month in range(1, policy.horizon_months + 1))]
    living = Living.of(standing.lazy(), models, as_of, days)
    parts = [_score(part, models, living, policy, as_of) for part in standing.iter_slices(_PART)]
    return pl.concat(parts) if parts else _SCHEMA.to_frame()


def _score(part: pl.DataFrame, models: Models, living: Living, policy: Value, as_of: date) -> pl.DataFrame:
    """The scored columns of one part; customers without an order have nulls."""
    numbered = part.with_row_index("place")
    bought = numbered.filter(pl.col("purchase_days") > 0)
    scored = bought.select("place").hstack(_score_buyers(bought, models, living, policy, as_of))
    return (
        numbered.select("place")
        .join(scored, on="place", how="left", maintain_order="left")
        .select(*_SCORED[:-1], pl.col("clv_status").fill_null("none"))
    )


def _score_buyers(bought: pl.DataFrame, models: Models, living: Living, policy: Value, as_of: date) -> pl.DataFrame:
    """One row per buyer in the given order."""
    history = history_of(bought, as_of)
    alive, worth = alive_of(bought, models, history), worths_of(bought, models, history.x)
    purchases = living.at(history) * alive[:, None]
    margin = bought.select(_margin_bp(policy)).to_series().to_numpy() / _BP
    clv = _discounted(purchases[:, 1:], policy) * worth * margin
    columns = {
        "p_alive": _p_alive(models, history),
        "p_buy_90d": _p_buys(models, history),
        "expected_orders_90d": purchases[:, 0].round(_DIGITS),
        "expected_value_fen": np.rint(worth).astype(np.int64),
        "clv_fen": np.maximum(np.rint(clv), 0).astype(np.int64),
        "clv_status": _statuses(models, history.x),
    }
    return pl.DataFrame(columns, schema=_SCHEMA)


def _discounted(until: Array, policy: Value) -> Array:
    """Purchases within 1, 2, … months as one number: those of each month, discounted from its end."""
    months = np.diff(until, axis=1, prepend=0.0)
    discounts = [float((1 + policy.monthly_discount) ** -month) for month in range(1, policy.horizon_months + 1)]
    total = np.zeros(len(until))
    for place, discount in enumerate(discounts):
        total += months[:, place] * discount
    return total


def _p_alive(models: Models, history: Histories) -> pl.Series:
    """Null without a model, and where the model takes everyone for alive."""
    if models.buying is None:
        return pl.Series([None] * len(history.x), dtype=pl.Float64)
    alive = models.law.p_alive(models.buying, history).round(_DIGITS)
    if models.law.model == "bg_nbd":
        alive[history.x == 0] = np.nan
    return pl.Series(alive, nan_to_null=True)


def _p_buys(models: Models, history: Histories) -> pl.Series:
    if models.buying is None:
        return pl.Series([None] * len(history.x), dtype=pl.Float64)
    return pl.Series(models.law.p_buys(models.buying, history, AHEAD_DAYS).round(_DIGITS))


def _statuses(models: Models, x: Array) -> pl.Series:
    if models.buying is None or models.spending is None:
        return pl.Series(["heuristic"], dtype=pl.String).new_from_index(0, len(x))
    return pl.Series(np.where(x > 0, "model", "population_mean").tolist(), dtype=pl.String)


def _margin_bp(policy: Value) -> pl.Expr:
    """Margin rate of each customer in basis points; all of it where the policy gives none."""
    overall = _BP if policy.margin_rate is None else _basis_points(policy.margin_rate)
    rates = {name: _basis_points(rate) for name, rate in policy.margin_by_category.items()}
    return pl.col("preferred_category").replace_strict(rates, default=overall, return_dtype=pl.Int64)


def _margin_fen(policy: Value) -> pl.Expr:
    """Half up."""
    if policy.margin_rate is None:
        return pl.lit(None, pl.Int64)
    product = pl.col("life_net_fen").cast(pl.Int128) * _margin_bp(policy)
    return ((2 * product + _BP) // (2 * _BP)).cast(pl.Int64)


def _basis_points(rate: Decimal) -> int:
    return int((rate * _BP).to_integral_value())
