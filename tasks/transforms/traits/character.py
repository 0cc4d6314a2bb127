"""Character: how somebody looks around and decides, told from events alone and unknown without them."""

from datetime import timedelta

import polars as pl

from tasks.policy.activity import Character
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.kinds import is_kind

DAYS = 90


def counts(ground: Ground) -> list[pl.Expr]:
    """What is counted over a customer's events of the last 90 days."""
    rule = ground.policy.activity.character
    kinds = {
        "looks": rule.looks, "comparing": rule.comparing, "content": rule.content,
        "telling": {*rule.comparing, *rule.content}, "checkouts": ("checkout",),
    }  # fmt: skip
    is_recent = pl.col("happened_on") > ground.as_of - timedelta(days=DAYS)
    return [
        (is_kind(*sorted(names)) & is_recent).sum().cast(pl.Int64).alias(f"_{name}_{DAYS}d")
        for name, names in kinds.items()
    ]


def judge_character(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given with `browsing_type` and `decision_type`; `unknown` for whom too few events are known.

    The first type that fits: impulse buyer, price comparer, content browser, else mixed; decider, explorer, else
    mixed.
    """
    rule = ground.policy.activity.character
    counted = [f"_{name}_{DAYS}d" for name in ("looks", "comparing", "content", "telling", "checkouts")]
    return customers.with_columns(pl.col(counted).fill_null(0)).with_columns(
        browsing_type=_browsing(rule), decision_type=_decision(rule)
    )


def _browsing(rule: Character) -> pl.Expr:
    looks, checkouts, telling = (pl.col(f"_{name}_{DAYS}d") for name in ("looks", "checkouts", "telling"))
    has_bought = (pl.col("days_since_order") < DAYS).fill_null(value=False) & (checkouts > 0)
    comparing, content = (pl.col(f"_{name}_{DAYS}d") for name in ("comparing", "content"))
    return (
        pl.when(has_bought & looks.is_between(1, rule.impulse_looks * checkouts)).then(pl.lit("impulse_buyer"))
        .when(telling < rule.least_events).then(pl.lit("unknown"))
        .when(100 * comparing >= rule.comparing_percent * telling).then(pl.lit("price_comparer"))
        .when(100 * content >= rule.content_percent * telling).then(pl.lit("content_browser"))
        .otherwise(pl.lit("mixed"))
    )  # fmt: skip


def _decision(rule: Character) -> pl.Expr:
    looks, checkouts = (pl.col(f"_{name}_{DAYS}d") for name in ("looks", "checkouts"))
    decides = (checkouts > 0) & looks.is_between(1, rule.decider_looks * checkouts)
    return (
        pl.when(decides).then(pl.lit("decider"))
        .when(looks >= rule.explorer_looks * pl.max_horizontal(checkouts, 1)).then(pl.lit("explorer"))
        .when(looks < rule.least_events).then(pl.lit("unknown"))
        .otherwise(pl.lit("mixed"))
    )  # fmt: skip
