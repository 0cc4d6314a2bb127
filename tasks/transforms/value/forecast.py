"""Next month's orders and revenue of today's customers, by tier.

The sum of what the models expect of each. It knows no season, no campaign and nobody who has yet to come.
"""

from datetime import date, timedelta

import numpy as np
import polars as pl

from tasks.transforms.value.models import Models
from tasks.transforms.value.outlook import Living, alive_of, history_of, worths_of

ORDERS, REVENUE = "next_month_orders", "next_month_revenue_fen"
"""Key figures of the forecast."""
ALL = "all"
_MILLIONTHS = 1_000_000


def next_month(as_of: date) -> tuple[date, date]:
    """The days that the forecast is about: from the day after `as_of` on as many as that day's month has."""
    first = as_of + timedelta(days=1)
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first, first + (following - first.replace(day=1)) - timedelta(days=1)


def forecast(customers: pl.LazyFrame, models: Models, as_of: date, group: str = "tier") -> pl.DataFrame:
    """One row per group and one for all: customers who ever bought, orders and revenue expected in the next month.

    The models speak of purchase days; orders are those times the base's orders per purchase day. Each customer's
    number becomes an integer first, so that sums do not depend on their order.
    """
    bought = customers.filter(pl.col("purchase_days") > 0).collect()
    purchases, worth = _expected(bought, models, as_of)
    own = bought.select(pl.col(group).fill_null(ALL)).to_series()
    each = pl.DataFrame({
        "group": own,
        "days": np.rint(purchases * _MILLIONTHS).astype(np.int64),
        "revenue_fen": np.rint(purchases * worth).astype(np.int64),
    })  # fmt: skip
    parts = [each.with_columns(group=pl.lit(ALL)), each.filter(pl.col("group") != ALL)]
    sums = pl.concat(parts).group_by("group").agg(
        customers=pl.len().cast(pl.Int64), days=pl.col("days").sum(), revenue_fen=pl.col("revenue_fen").sum()
    )  # fmt: skip
    return sums.select("group", "customers", _orders(bought), "revenue_fen").sort("group")


def forecast_figures(customers: pl.LazyFrame, models: Models, as_of: date) -> pl.LazyFrame:
    """One row per figure and tier of the forecast, as the table metrics has them."""
    made = forecast(customers, models, as_of).lazy().rename({"orders": ORDERS, "revenue_fen": REVENUE})
    rows = made.unpivot(on=[ORDERS, REVENUE], index="group", variable_name="metric", value_name="value")
    return rows.select(pl.lit(as_of).alias("as_of"), "metric", pl.col("group").alias("segment_code"), "value")


def _expected(bought: pl.DataFrame, models: Models, as_of: date) -> tuple[np.ndarray, np.ndarray]:
    """Per buyer: purchase days expected in the next month, and fen expected of one."""
    first, last = next_month(as_of)
    living = Living.of(bought.lazy(), models, as_of, [(last - first).days + 1])
    history = history_of(bought, as_of)
    return living.at(history)[:, 0] * alive_of(bought, models, history), worths_of(bought, models, history.x)


def _orders(bought: pl.DataFrame) -> pl.Expr:
    """Orders that so many millionths of a purchase day mean, half up."""
    orders, days = (int(bought[name].sum()) for name in ("life_orders", "purchase_days"))
    product, whole = 2 * pl.col("days").cast(pl.Int128) * orders, 2 * _MILLIONTHS * max(days, 1)
    return ((product + whole // 2) // whole).cast(pl.Int64).alias("orders")
