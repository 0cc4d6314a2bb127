"""Social influence: what a customer publishes, passes on and brings, and the score card of key opinion consumers."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from tasks.policy.social import Social, Step
from tasks.transforms.traits.ground import Ground

_RECENT = 30
_DIGITS = 4


def count_voices(ground: Ground) -> pl.LazyFrame:
    """One row per customer who published, passed on or brought somebody in the policy's window.

    `referral_coefficient` is how many people one thing that was passed on brought, null where nothing was.
    """
    social = ground.policy.social
    kinds = (*social.content, *social.shares, *social.referrals)
    start = ground.as_of - timedelta(days=max(social.window_days, _RECENT))
    in_window = pl.col("happened_on") > ground.as_of - timedelta(days=social.window_days)
    is_recent = pl.col("happened_on") > ground.as_of - timedelta(days=_RECENT)
    return (
        ground.events.select("one_id", "event", "happened_on")
        .filter(pl.col("event").is_in(kinds), pl.col("happened_on") > start)
        .group_by("one_id")
        .agg(
            _count(social.content, is_recent, "content_30d"),
            _count(social.content, in_window, "_content"),
            _count(social.shares, in_window, "_shares"),
            _count(social.referrals, in_window, "_referrals"),
        )
        .with_columns(
            referral_coefficient=pl.when(pl.col("_shares") > 0).then(
                (pl.col("_referrals") / pl.col("_shares")).round(_DIGITS)
            )
        )
    )


def score_koc(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given, with `koc_score` (0 to 100 points) and `koc_level`: the highest rung that is reached.

    Who neither publishes nor brings anybody is `none`, whatever they spend. Both are null for a brand that has no
    events of either kind: nothing is known then.
    """
    social = ground.policy.social
    if not ground.event_kinds & {*social.content, *social.referrals}:
        return customers.with_columns(koc_score=pl.lit(None, pl.Int64), koc_level=pl.lit(None, pl.String))
    content, referrals = pl.col("_content").fill_null(0), pl.col("_referrals").fill_null(0)
    score = (
        _points(pl.col("monetary_fen"), social.spend_points)
        + _points(content, social.content_points)
        + _points(referrals, social.referral_points)
    )
    level = pl.when(content + referrals > 0).then(_level(social)).otherwise(pl.lit("none"))
    return customers.with_columns(koc_score=score).with_columns(koc_level=level)


def _points(value: pl.Expr, steps: Sequence[Step]) -> pl.Expr:
    points: pl.Expr = pl.lit(0, pl.Int64)
    for step in steps:
        points = pl.when(value >= step.at_least).then(pl.lit(step.points, pl.Int64)).otherwise(points)
    return points


def _level(social: Social) -> pl.Expr:
    level: pl.Expr = pl.lit("none")
    for rung in social.levels:
        level = pl.when(pl.col("koc_score") >= rung.at_least).then(pl.lit(rung.code)).otherwise(level)
    return level


def _count(kinds: Sequence[str], is_counted: pl.Expr, name: str) -> pl.Expr:
    return (pl.col("event").is_in(kinds) & is_counted).sum().cast(pl.Int64).alias(name)
