"""On which days tiers are reviewed: month's ends, anniversaries of the customer's tier, or dates of the policy."""

from calendar import monthrange
from datetime import date, timedelta

import polars as pl

from tasks.policy.tiers import Tiers


def is_review(day: date, tiers: Tiers) -> pl.Expr:
    """Whether a customer, with the state before the day, is reviewed on it.

    An anniversary is the end of the month in which the tier has lasted whole years; the base tier, which has
    nothing to lose, is reviewed at each month's end.
    """
    if tiers.review == "fixed_dates":
        return pl.lit(day in _fixed(day.year, tiers))
    if tiers.review == "monthly" or not _ends_month(day):
        return pl.lit(_ends_month(day))
    since = pl.col("tier_since")
    lasted = (since.dt.month() == day.month) & (since.dt.year() < day.year)
    return (pl.col("tier_level") <= 0) | lasted.fill_null(value=True)


def reviews_between(after: date, before: date, tiers: Tiers) -> list[date]:
    """The days strictly between two dates on which somebody may be reviewed, in order."""
    if tiers.review != "fixed_dates":
        return month_ends_between(after, before)
    years = range(after.year, before.year + 1)
    return sorted(day for year in years for day in _fixed(year, tiers) if after < day < before)


def month_ends_between(after: date, before: date) -> list[date]:
    """The last days of months that lie strictly between two dates, in order."""
    months = range(after.year * 12 + after.month - 1, before.year * 12 + before.month)
    ends = (date(month // 12, month % 12 + 1, monthrange(month // 12, month % 12 + 1)[1]) for month in months)
    return [end for end in ends if after < end < before]


def _ends_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _fixed(year: int, tiers: Tiers) -> frozenset[date]:
    """The policy's dates in a year; the 29th of February is the 28th where there is none."""
    return frozenset(_in_year(year, *map(int, day.split("-"))) for day in tiers.review_on)


def _in_year(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))
