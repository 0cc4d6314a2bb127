"""Habits: at which hour and on which weekday somebody buys, how often of late, and how much a month.

Everything is a sum over the customer's orders, taken in one pass. The window is that of rfm.yaml.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from tasks.policy.habits import Habits
from tasks.transforms.traits.ground import Ground

_HOURS = range(24)
_WEEKDAYS = range(1, 8)
_MONTHS = range(12)
_MONTH, _QUARTER, _HALF_YEAR = 30, 90, 180
"""Days of the columns."""
_DIGITS = 4


def keep_habits(ground: Ground) -> pl.LazyFrame:
    """One row per customer with a qualifying order in the window, or in the last 12 business months or 180 days.

    Who has fewer orders than the policy's `least_orders` has no habit of hour and weekday. Ties go to the earlier
    hour, weekday or band. An order at midnight sharp is dated without a time, and tells no hour.
    """
    habits = ground.policy.habits
    summed = _summed(ground.orders, ground.as_of, ground.policy.rfm.window_days, ground.zone)
    return (
        summed.with_columns(
            preferred_hour=_most({hour: pl.col(f"_hour_{hour}") for hour in _HOURS}, habits.least_orders),
            preferred_hour_band=_most(_bands(habits), habits.least_orders),
            preferred_weekday=_most({day: pl.col(f"_weekday_{day}") for day in _WEEKDAYS}, habits.least_orders),
            max_month_spend_fen=pl.max_horizontal(f"_month_{back}" for back in _MONTHS),
            discount_rate=pl.when(pl.col("_list_fen") > 0).then(
                (pl.col("_off_fen") / pl.col("_list_fen")).round(_DIGITS)
            ),
        )
        .select(
            "one_id", "preferred_hour", "preferred_hour_band", "preferred_weekday",
            "orders_30d", "orders_90d", "spend_90d_fen", "spend_prev_90d_fen", "max_month_spend_fen", "discount_rate",
        )
    )  # fmt: skip


def judge_price(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given, with `price_sensitivity`: the first band whose share of discount or of coupons is reached.

    Null without an order in the window.
    """
    band: pl.Expr = pl.lit("low")
    for step in reversed(ground.policy.habits.price_bands):
        reaches = pl.col("discount_rate") >= float(step.discount_rate)
        reaches = reaches.fill_null(value=False) | (pl.col("coupon_rate") >= float(step.coupon_rate))
        band = pl.when(reaches).then(pl.lit(step.code)).otherwise(band)
    return customers.with_columns(price_sensitivity=pl.when(pl.col("frequency") > 0).then(band))


def _summed(orders: pl.LazyFrame, as_of: date, window_days: int, zone: str) -> pl.LazyFrame:
    """One row per customer: counts by hour and weekday, sums by month and by window."""
    starts = [as_of - timedelta(days=window_days - 1), as_of - timedelta(days=_HALF_YEAR - 1), _month_start(as_of, 11)]
    in_window = pl.col("paid_on") > as_of - timedelta(days=window_days)
    local = pl.col("paid_at").dt.convert_time_zone(zone)
    is_timed = (local.dt.hour() > 0) | (local.dt.minute() > 0) | (local.dt.second() > 0)
    marked = orders.filter("is_qualifying", pl.col("paid_on") >= min(starts)).select(
        "one_id",
        "net_fen",
        _hour=pl.when(in_window & is_timed).then(local.dt.hour()),
        _weekday=pl.when(in_window).then(pl.col("paid_on").dt.weekday()),
        _back=_months_back(as_of),
        _days=(pl.lit(as_of) - pl.col("paid_on")).dt.total_days(),
        _list_fen=pl.when(in_window).then(pl.max_horizontal("gross_fen", "paid_fen")).otherwise(0),
        _off_fen=pl.when(in_window).then(pl.max_horizontal(pl.col("gross_fen") - pl.col("paid_fen"), 0)).otherwise(0),
    )
    return marked.group_by("one_id").agg(
        *(_count(pl.col("_hour") == hour, f"_hour_{hour}") for hour in _HOURS),
        *(_count(pl.col("_weekday") == day, f"_weekday_{day}") for day in _WEEKDAYS),
        *(_spend(pl.col("_back") == back, f"_month_{back}") for back in _MONTHS),
        _count(pl.col("_days") < _MONTH, "orders_30d"),
        _count(pl.col("_days") < _QUARTER, "orders_90d"),
        _spend(pl.col("_days") < _QUARTER, "spend_90d_fen"),
        _spend(pl.col("_days").is_between(_QUARTER, _HALF_YEAR - 1), "spend_prev_90d_fen"),
        pl.col("_list_fen", "_off_fen").sum(),
    )


def _count(is_among: pl.Expr, name: str) -> pl.Expr:
    return is_among.sum().cast(pl.Int64).alias(name)


def _spend(is_counted: pl.Expr, name: str) -> pl.Expr:
    return pl.when(is_counted).then("net_fen").otherwise(0).sum().alias(name)


def _bands(habits: Habits) -> dict[str, pl.Expr]:
    """Orders in each band of hours, in the policy's order."""
    hours: dict[str, list[str]] = {band.code: [] for band in habits.hour_bands}
    for hour in _HOURS:
        hours[habits.band_of(hour)].append(f"_hour_{hour}")
    return {code: pl.sum_horizontal(names) for code, names in hours.items()}


def _most(counts: Mapping[int | str, pl.Expr] | Mapping[int, pl.Expr] | Mapping[str, pl.Expr], least: int) -> pl.Expr:
    """The first value with the greatest count, where there are `least` orders in all."""
    greatest = pl.max_horizontal(counts.values())
    first = pl.coalesce(
        pl.when(count == greatest).then(pl.lit(value, dtype=_type_of(value))) for value, count in counts.items()
    )
    return pl.when(pl.sum_horizontal(counts.values()) >= least).then(first)


def _type_of(value: int | str) -> pl.DataType:
    return pl.Int64() if isinstance(value, int) else pl.String()


def _months_back(as_of: date) -> pl.Expr:
    paid = pl.col("paid_on")
    return as_of.year * 12 + as_of.month - (paid.dt.year() * 12 + paid.dt.month())


def _month_start(as_of: date, back: int) -> date:
    """First day of the business month that lies `back` months before that of `as_of`."""
    months = as_of.year * 12 + as_of.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
