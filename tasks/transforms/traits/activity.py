"""Activity, the second axis: what customers do without buying, over the last 7 and 30 days (algorithms §5).

`active` is what the handbooks call it: at least 3 log-ins in 7 days. Days are business days, `as_of` the last of them.
"""

from datetime import date, timedelta

import polars as pl

from tasks.policy.activity import Activity, ActivityLevel
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.kinds import is_kind, last_day

SHORT, LONG = 7, 30
_KINDS: dict[str, tuple[str, ...]] = {
    "logins": ("login",),
    "views": ("view",),
    "searches": ("search",),
    "favourites": ("favourite",),
    "carts": ("cart_add",),
    "checkouts": ("checkout",),
    "shares": ("share",),
    "messages": ("message",),
    "live": ("live_watch", "live_interact"),
    "coupons_claimed": ("coupon_claim",),
    "coupons_used": ("coupon_use",),
    "reviews": ("review",),
    "services": ("service",),
    "posts": ("post",),
    "visits": ("visit_store",),
}
"""What a column counts."""
_SHORT_TOO = ("logins", "views", "messages")


def joined_on(ground: Ground) -> pl.LazyFrame:
    """One row per customer of whom some profile says when they joined: the first day of all their profiles."""
    day = pl.col("joined_at").dt.convert_time_zone(ground.zone).dt.date()
    known = ground.members.with_columns(day=day).filter(pl.col("day") <= ground.as_of)
    return known.group_by("one_id").agg(member_since_on=pl.col("day").min())


def counts(ground: Ground) -> list[pl.Expr]:
    """What is counted over a customer's events: kinds by window, and the last days."""
    interactions = ground.policy.activity.interactions
    found = [_count(ground.as_of, name, SHORT, _KINDS[name]) for name in _SHORT_TOO]
    found += [_count(ground.as_of, name, LONG, kinds) for name, kinds in _KINDS.items()]
    found += [_count(ground.as_of, "interactions", days, interactions) for days in (SHORT, LONG)]
    return [
        *found,
        is_kind("referral").sum().cast(pl.Int64).alias("referrals_life"),
        last_day(*interactions).alias("last_active_on"),
        last_day("login").alias("_last_login_on"),
    ]


def judge_activity(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given, with days since, `is_active`, and `activity`: the first level of the policy that is reached.

    A brand without log-ins cannot tell who is active; one without any events knows of nobody's activity.
    """
    policy = ground.policy.activity
    is_active = pl.col("logins_7d") >= policy.active_logins
    judged = customers.with_columns(
        is_active=is_active if "login" in ground.event_kinds else pl.lit(None, pl.Boolean),
        days_since_active=_days_since(ground.as_of, "last_active_on"),
        days_since_login=_days_since(ground.as_of, "_last_login_on"),
    )
    return judged.with_columns(activity=_level(policy) if ground.event_kinds else pl.lit("unknown"))


def _level(policy: Activity) -> pl.Expr:
    level: pl.Expr = pl.lit("none")
    for step in reversed(policy.levels):
        level = pl.when(_reaches(step)).then(pl.lit(step.code)).otherwise(level)
    return level


def _reaches(level: ActivityLevel) -> pl.Expr:
    enough = [pl.col("is_active").fill_null(value=False)] if level.active else []
    least = {"interactions_7d": level.in_7_days, "interactions_30d": level.in_30_days}
    enough += [pl.col(name) >= count for name, count in least.items() if count is not None]
    return pl.any_horizontal(enough) if enough else pl.lit(value=False)


def _count(as_of: date, name: str, days: int, kinds: tuple[str, ...]) -> pl.Expr:
    """Events of these kinds in the last `days`, as a sum: any engine adds it up in one pass and any order."""
    in_window = pl.col("happened_on") > as_of - timedelta(days=days)
    return (is_kind(*kinds) & in_window).sum().cast(pl.Int64).alias(f"{name}_{days}d")


def _days_since(as_of: date, name: str) -> pl.Expr:
    return (pl.lit(as_of) - pl.col(name)).dt.total_days()
