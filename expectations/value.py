"""The columns about customer value: those that customers gain, and the table of fitted models."""

import polars as pl

from expectations.columns import Column, fen, rate, text

FIT_STATUSES = ("accepted", "carried", "not_converged", "too_few")
CLV_STATUSES = ("model", "population_mean", "heuristic", "none")

VALUE: tuple[Column, ...] = (
    fen("largest_order_fen", "Net value of the largest order of the whole life; 0 without one."),
    fen("first_day_fen", "Net spend on the first purchase day; 0 without one."),
    rate(
        "p_alive",
        "Chance that the customer has not left for good (algorithms §8).",
        "no order, no fitted model, or one purchase day under bg_nbd, which takes every one-time buyer for alive",
    ),
    rate(
        "p_buy_90d",
        "Chance of at least one purchase in the next 90 days; 1 minus it is the churn risk.",
        "no order or no fitted model",
    ),
    Column(
        "expected_orders_90d", pl.Float64(), "Purchase days expected in the next 90 days.", "no order",
        unit="purchase days, rounded to 4 digits", minimum=0,
    ),
    fen("expected_value_fen", "Net spend expected on a purchase day to come (algorithms §9).", "no order"),
    fen(
        "clv_fen",
        "Net spend expected over the policy's horizon, discounted by month; margin where the policy gives rates.",
        "no order",
    ),
    text("clv_status", "What the expectation rests on; `heuristic` is the rate so far.", codes=CLV_STATUSES),
    fen("margin_fen", "Life net spend times the margin rate of the policy.", "the policy gives no margin rate"),
    text("model", "Model that was fitted, such as bg_nbd."),
    text("parameter", "Parameter of the model, or number that describes its fit; a unit stands in its name."),
    Column("estimate", pl.Float64(), "The number, to at most 9 significant digits.", "no value was accepted"),
    text(
        "fit_status",
        "Whether the number was fitted at this date, or carried from the last date when a fit was accepted.",
        codes=FIT_STATUSES,
    ),
)  # fmt: skip

VALUE_COLUMNS = (
    "largest_order_fen first_day_fen p_alive? p_buy_90d? expected_orders_90d? expected_value_fen? clv_fen? "
    "clv_status margin_fen?"
)
MODEL_COLUMNS = "as_of model parameter estimate? fit_status"
