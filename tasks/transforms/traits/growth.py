"""Growth points: what spend and actions earned in the policy's window, and the step that they reach."""

from datetime import date, timedelta

import polars as pl

from tasks.policy.growth import Action
from tasks.transforms.traits.ground import Ground


def collect_points(ground: Ground) -> pl.LazyFrame:
    """One row per customer with points of either kind; a point's worth of spend is never rounded up."""
    growth = ground.policy.growth
    since = ground.as_of - timedelta(days=growth.window_days)
    spent = (
        ground.orders.filter("is_qualifying", pl.col("paid_on") > since)
        .group_by("one_id")
        .agg(_points=pl.col("net_fen").sum() // growth.fen_per_point)
    )
    acted = points_of_actions(ground.events, growth.actions, since)
    return pl.concat([spent, acted]).group_by("one_id").agg(growth_points=pl.col("_points").sum())


def points_of_actions(events: pl.LazyFrame, actions: tuple[Action, ...], since: date) -> pl.LazyFrame:
    """One row per customer and kind of action after `since`: its points; more of it on a day than allowed earn none."""
    recent = events.filter(pl.col("happened_on") > since)
    return pl.concat([
        _NOTHING, *(_capped(recent, action) if action.most_a_day else _free(recent, action) for action in actions)
    ])  # fmt: skip


_NOTHING = pl.LazyFrame(schema={"one_id": pl.Int64, "_points": pl.Int64})


def _free(events: pl.LazyFrame, action: Action) -> pl.LazyFrame:
    done = events.filter(pl.col("event") == action.event).group_by("one_id")
    return done.agg(_points=pl.len().cast(pl.Int64) * action.points)


def _capped(events: pl.LazyFrame, action: Action) -> pl.LazyFrame:
    daily = events.filter(pl.col("event") == action.event).group_by("one_id", "happened_on")
    counted = daily.agg(times=pl.len().cast(pl.Int64).clip(upper_bound=action.most_a_day))
    return counted.group_by("one_id").agg(_points=pl.col("times").sum() * action.points)


def climb(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """One row per customer as given, with `growth_level`; never null, because the ladder begins at 0."""
    first, *steps = ground.policy.growth.ladder
    level: pl.Expr = pl.lit(first.code)
    for step in steps:
        level = pl.when(pl.col("growth_points") >= step.at_least).then(pl.lit(step.code)).otherwise(level)
    return customers.with_columns(growth_level=level)
