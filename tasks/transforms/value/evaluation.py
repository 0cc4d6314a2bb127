"""The models judged by what came after: fitted on the past, held against a later period (algorithms §9, §16, §17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from tasks.policy.value import Value
from tasks.transforms.metrics import pareto_share
from tasks.transforms.value.backtest import by_group, chance_figures, money_figures, reliability, tenth
from tasks.transforms.value.clv import AHEAD_DAYS
from tasks.transforms.value.forecast import forecast, next_month
from tasks.transforms.value.histories import purchasers
from tasks.transforms.value.models import Models, fit_models, models_of
from tasks.transforms.value.outlook import Living, alive_of, history_of, worths_of

MODELS = ("bg_nbd", "mbg_nbd")
NAIVE = "spend rate so far"
HINDSIGHT = "hindsight"
_CELL_DAYS, _CELL_PURCHASES = 30, 8
_PERCENT = 20
_BP = 10_000
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Past:
    """Purchases as two dates know them, and the tiers that stood at ends of months."""

    before: pl.LazyFrame
    """Net orders as known at `fit_on`: one_id, paid_on, net_fen, is_qualifying."""
    after: pl.LazyFrame
    """The same at `until`."""
    fit_on: date
    until: date
    tiers: dict[date, pl.LazyFrame]
    """One row per customer (one_id, tier) by date; may be empty."""

    @property
    def days_ahead(self) -> int:
        """Days that the models are held against."""
        return (self.until - self.fit_on).days

    @property
    def days_to_buy(self) -> int:
        """Days within which a purchase counts for the chance to buy: 90, or all that there are."""
        return min(AHEAD_DAYS, self.days_ahead)


def evaluate(past: Past, policy: Value) -> dict[str, Any]:
    """Everything that is said of the models' past: see docs/evaluation.md for each number's meaning."""
    customers = _with_outcome(past)
    policies = {model: policy.model_copy(update={"model": model}) for model in MODELS}
    fits = {model: fit_models(customers.lazy(), None, policies[model], past.fit_on).collect() for model in MODELS}
    scored = {model: _scored(customers, models_of(fits[model].lazy(), policies[model]), past) for model in MODELS}
    own = scored[policy.model]
    return {
        "fitted_on": past.fit_on, "held_against": past.until, "days_ahead": past.days_ahead,
        "customers": customers.height, "model": policy.model,
        "one_time_buyers": round(customers.select((pl.col("purchase_days") == 1).mean()).item(), 4),
        "parameters": fits[policy.model].drop("as_of").to_dicts(),
        "value_ahead": _values(scored, customers),
        "by_decile": by_group(own, tenth("predicted_fen"), "predicted_fen", "actual_fen").to_dicts(),
        "by_tier": _by_tier(own, past),
        "buys_in_90_days": _chance_rows(scored, customers, past),
        "reliability": reliability(own, "chance", "bought").drop("_error").to_dicts(),
        "forecast": _forecasts(past, policy),
        "pareto_20": pareto_of(past),
    }  # fmt: skip


def _with_outcome(past: Past) -> pl.DataFrame:
    """One row per customer by `fit_on`: their history, what they spent after it, and whether within 90 days."""
    later = past.after.filter(pl.col("paid_on") > past.fit_on, pl.col("paid_on") <= past.until, "is_qualifying")
    soon = pl.col("paid_on") <= past.fit_on + timedelta(days=past.days_to_buy)
    came = later.group_by("one_id").agg(actual_fen=pl.col("net_fen").sum(), bought=soon.any())
    known = purchasers(past.before, past.fit_on).with_columns(stage=pl.lit("active"))
    filled = [pl.col("actual_fen").fill_null(0), pl.col("bought").fill_null(value=False)]
    return known.join(came, on="one_id", how="left").with_columns(filled).sort("one_id").collect()


def _scored(customers: pl.DataFrame, models: Models, past: Past) -> pl.DataFrame:
    """The customers with what one model, and the spend rate, say of the time after `fit_on`."""
    ahead, history = past.days_ahead, history_of(customers, past.fit_on)
    living = Living.of(customers.lazy(), models, past.fit_on, [ahead]).at(history)
    alive = alive_of(customers, models, history)
    spend = living[:, 0] * alive * worths_of(customers, models, history.x)
    rate = customers["life_net_fen"].to_numpy() / (history.age + 1) * ahead
    return customers.with_columns(
        predicted_fen=pl.Series(np.rint(spend).astype(np.int64)),
        naive_fen=pl.Series(np.rint(rate).astype(np.int64)),
        chance=pl.Series(_chances(models, customers, past)),
    )


def _chances(models: Models, customers: pl.DataFrame, past: Past) -> np.ndarray[Any, Any]:
    """Chance to buy within the days that count; without a model, the base's share of repeat buyers for everyone."""
    history = history_of(customers, past.fit_on)
    if models.buying is None:
        return np.full(customers.height, float((history.x > 0).mean()))
    return models.law.p_buys(models.buying, history, past.days_to_buy).round(4)


def _chance_rows(scored: dict[str, pl.DataFrame], customers: pl.DataFrame, past: Past) -> Rows:
    """One row per predictor of buying; hindsight last, which forecasts nothing and shows what could be reached."""
    both = [*scored.items(), (HINDSIGHT, with_hindsight(customers, past.fit_on))]
    return [{"predictor": model, **chance_figures(rows, "chance", "bought")} for model, rows in both]


def with_hindsight(customers: pl.DataFrame, fit_on: date) -> pl.DataFrame:
    """The customers with `chance`: the share who did buy among all with nearly the same history.

    The history is purchase days (8 and more are one), and days since the last and the first purchase in steps of 30.
    Made from the outcome itself, so no forecast from these histories ranks customers better.
    """
    since = (
        (pl.lit(fit_on) - pl.col(name)).dt.total_days() // _CELL_DAYS for name in ("last_order_on", "first_order_on")
    )
    cell = (pl.col("purchase_days").clip(upper_bound=_CELL_PURCHASES), *since)
    return customers.with_columns(chance=pl.col("bought").cast(pl.Float64).mean().over(*cell))


def _values(scored: dict[str, pl.DataFrame], customers: pl.DataFrame) -> Rows:
    """One row per predictor of spend, the spend rate so far last."""
    any_rows = next(iter(scored.values())).select("naive_fen").hstack(customers.select("actual_fen"))
    rows = [
        {"predictor": model, **money_figures(rows, "predicted_fen", "actual_fen")} for model, rows in scored.items()
    ]
    return [*rows, {"predictor": NAIVE, **money_figures(any_rows, "naive_fen", "actual_fen")}]


def _by_tier(own: pl.DataFrame, past: Past) -> Rows:
    tiers = past.tiers.get(past.fit_on)
    if tiers is None:
        return []
    rows = own.join(tiers.select("one_id", "tier").collect(), on="one_id", how="inner")
    return by_group(rows, "tier", "predicted_fen", "actual_fen").to_dicts()


def _forecasts(past: Past, policy: Value) -> Rows:
    """One row per month end of the later period, and tier: what was forecast for the next month, and what came."""
    return [row for day in _month_ends(past) for row in _forecast_at(day, past, policy)]


def _month_ends(past: Past) -> Sequence[date]:
    """Ends of months from `fit_on` on whose next month is over."""
    ends, day = [], next_month(past.fit_on)[0].replace(day=1) - timedelta(days=1)
    while next_month(day)[1] <= past.until:
        if day >= past.fit_on:
            ends.append(day)
        day = next_month(day)[1]
    return ends


def _forecast_at(day: date, past: Past, policy: Value) -> Rows:
    customers = purchasers(past.after, day).with_columns(stage=pl.lit("active")).collect()
    tiers = past.tiers.get(day)
    names = pl.DataFrame(schema={"one_id": pl.String, "tier": pl.String}).lazy() if tiers is None else tiers
    known = customers.join(names.select("one_id", "tier").collect(), on="one_id", how="left").sort("one_id")
    models = models_of(fit_models(known.lazy(), None, policy, day), policy)
    said = forecast(known.lazy(), models, day)
    came = _came(known, past, day)
    rows = said.join(came, on="group", how="left").with_columns(pl.col("actual_orders", "actual_fen").fill_null(0))
    ratio = pl.when(pl.col("actual_fen") > 0).then((pl.col("revenue_fen") / pl.col("actual_fen")).round(4))
    return rows.select(
        pl.lit(next_month(day)[0]).dt.strftime("%Y-%m").alias("month"), pl.col("group").alias("tier"), "customers",
        pl.col("orders").alias("forecast_orders"), "actual_orders",
        pl.col("revenue_fen").alias("forecast_fen"), "actual_fen", ratio=ratio,
    ).to_dicts()  # fmt: skip


def _came(known: pl.DataFrame, past: Past, day: date) -> pl.DataFrame:
    """One row per tier, and one for all: orders and net spend of the known customers in the month after `day`."""
    first, last = next_month(day)
    orders = past.after.filter(pl.col("paid_on").is_between(first, last), "is_qualifying").select("one_id", "net_fen")
    own = orders.collect().join(known.select("one_id", pl.col("tier").fill_null("all")), on="one_id")
    both = pl.concat([own.with_columns(tier=pl.lit("all")), own.filter(pl.col("tier") != "all")])
    return both.group_by(group="tier").agg(actual_orders=pl.len().cast(pl.Int64), actual_fen=pl.col("net_fen").sum())


def pareto_of(past: Past) -> float:
    """Share of all net spend by `until` that the top fifth of all who ever ordered brought."""
    known = past.after.filter(pl.col("one_id").is_not_null(), pl.col("paid_on") <= past.until)
    spend = known.group_by("one_id").agg(pl.col("net_fen").sum())
    return int(spend.select(pareto_share(pl.col("net_fen"), percent=_PERCENT)).collect().item() or 0) / _BP
