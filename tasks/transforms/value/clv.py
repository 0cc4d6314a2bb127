"""Every customer's value: chance of being alive and of buying, expected orders, worth of one, CLV (algorithms §8, §9).

What needs a hypergeometric function depends on repeat purchases and age alone: it is worked out once
for each different pair and looked up. All else is arithmetic on arrays, in parts of fixed size.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl

from tasks.policy.value import Value
from tasks.transforms.value.buying import Array, Histories
from tasks.transforms.value.histories import REPEAT_FEN, buyers, timed
from tasks.transforms.value.models import MONTH_DAYS, Models, models_of
from tasks.transforms.value.spending import expected_means

AHEAD_DAYS = 90
"""The horizon that stands in the names of columns."""
_LEAST_AGE = 90
"""The rate of a customer younger than this is not trusted by itself."""
_PART = 500_000
_DIGITS = 4
_BP = 10_000
_AGES = 1 << 20
_SCORED = ("p_alive", "p_buy_90d", "expected_orders_90d", "expected_value_fen", "clv_fen", "clv_status")
_SCHEMA = pl.Schema(
    {"p_alive": pl.Float64, "p_buy_90d": pl.Float64, "expected_orders_90d": pl.Float64,
     "expected_value_fen": pl.Int64, "clv_fen": pl.Int64, "clv_status": pl.String}
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
    ahead = _Ahead.of(standing.lazy(), models, policy, as_of)
    parts = [_score(part, models, ahead, policy, as_of) for part in standing.iter_slices(_PART)]
    return pl.concat(parts) if parts else _SCHEMA.to_frame()


@dataclass(frozen=True)
class _Ahead:
    """Per different pair of repeat purchases and age: what a customer who is alive is expected to buy."""

    codes: np.ndarray
    orders_90d: Array
    months: Array
    """Purchases over the horizon, each month's discounted."""

    @classmethod
    def of(cls, customers: pl.LazyFrame, models: Models, policy: Value, as_of: date) -> "_Ahead":
        pairs = buyers(customers).pipe(timed, as_of).select("x", "age").unique().sort("x", "age").collect()
        x, age = (pairs[name].cast(pl.Float64).to_numpy() for name in ("x", "age"))
        codes = (pairs["x"] * _AGES + pairs["age"]).to_numpy()
        rate = x / np.maximum(age, _LEAST_AGE)
        plain = cls(codes, rate * AHEAD_DAYS, rate * MONTH_DAYS * float(_discounts(policy).sum()))
        if models.buying is None:
            return plain
        p, law, horizon = models.buying, models.law, range(1, policy.horizon_months + 1)
        with np.errstate(all="ignore"):
            sums = [law.expected_if_alive(p, x, age, MONTH_DAYS * month) for month in horizon]
            months = np.diff(np.array([np.zeros_like(x), *sums]), axis=0)
            weighted = (months * _discounts(policy)[:, None]).sum(axis=0)
            return cls(codes, law.expected_if_alive(p, x, age, AHEAD_DAYS), weighted).or_else(plain)

    def or_else(self, plain: "_Ahead") -> "_Ahead":
        """The same, with the plain rate for pairs of which the model cannot tell a number."""
        is_told = np.isfinite(self.orders_90d) & np.isfinite(self.months)
        return _Ahead(
            self.codes,
            np.where(is_told, self.orders_90d, plain.orders_90d),
            np.where(is_told, self.months, plain.months),
        )

    def at(self, of: Histories) -> tuple[Array, Array]:
        """The two numbers of each customer."""
        place = np.searchsorted(self.codes, (of.x * _AGES + of.age).astype(np.int64))
        return self.orders_90d[place], self.months[place]


def _discounts(policy: Value) -> Array:
    months = range(1, policy.horizon_months + 1)
    return np.array([float((1 + policy.monthly_discount) ** -month) for month in months])


def _score(part: pl.DataFrame, models: Models, ahead: _Ahead, policy: Value, as_of: date) -> pl.DataFrame:
    """The scored columns of one part; customers without an order have nulls."""
    numbered = part.with_row_index("place")
    bought = numbered.filter(pl.col("purchase_days") > 0)
    scored = bought.select("place").hstack(_score_buyers(bought, models, ahead, policy, as_of))
    return (
        numbered.select("place")
        .join(scored, on="place", how="left", maintain_order="left")
        .select(*_SCORED[:-1], pl.col("clv_status").fill_null("none"))
    )


def _score_buyers(bought: pl.DataFrame, models: Models, ahead: _Ahead, policy: Value, as_of: date) -> pl.DataFrame:
    """One row per buyer in the given order."""
    history = _history(bought, as_of)
    orders, months = ahead.at(history)
    weights, worth = _weights(bought, models, history), _worths(bought, models, history.x)
    margin = bought.select(_margin_bp(policy)).to_series().to_numpy() / _BP
    columns = {
        "p_alive": _p_alive(models, history),
        "p_buy_90d": _p_buys(models, history),
        "expected_orders_90d": (weights * orders).round(_DIGITS),
        "expected_value_fen": np.rint(worth).astype(np.int64),
        "clv_fen": np.maximum(np.rint(weights * months * worth * margin), 0).astype(np.int64),
        "clv_status": _statuses(models, history.x),
    }
    return pl.DataFrame(columns, schema=_SCHEMA)


def _history(bought: pl.DataFrame, as_of: date) -> Histories:
    times = timed(bought.lazy(), as_of).collect()
    x, t_x, age = (times[name].cast(pl.Float64).to_numpy() for name in ("x", "t_x", "age"))
    return Histories(x, t_x, age, np.ones_like(x))


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


def _weights(bought: pl.DataFrame, models: Models, history: Histories) -> Array:
    """What a living customer is expected to do counts by the chance to be alive; without a model, until `lost`."""
    if models.buying is None:
        return bought.select((pl.col("stage") != "lost").cast(pl.Float64)).to_series().to_numpy()
    return models.law.p_alive(models.buying, history)


def _worths(bought: pl.DataFrame, models: Models, x: Array) -> Array:
    """Fen expected of a purchase to come; without a model the customer's own mean."""
    if models.spending is None:
        own = bought.select(pl.col("life_net_fen") / pl.col("purchase_days"))
        return own.to_series().to_numpy()
    repeat = bought.select(REPEAT_FEN.cast(pl.Float64)).to_series().to_numpy()
    return expected_means(models.spending, x, repeat / np.maximum(x, 1))


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
