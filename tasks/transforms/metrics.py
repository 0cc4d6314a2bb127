"""Key figures of a date for the report: counts, sums in fen, and shares in basis points, all integers.

A metric's name says its unit: `_fen`, `_bp` (hundredths of a percent, rounded half up); without
one it is a count. `segment_code` is the group, `all` for everyone.
"""

from datetime import date

import polars as pl

from tasks.transforms.inputs import Inputs, orders_at

_BP = 10_000
ALL = "all"
_GROUPS = ("tier", "segment", "stage", "rfm_cell")


def key_figures(inputs: Inputs, customers: pl.LazyFrame, identities: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per metric and group at `as_of`; a metric without anything to measure has no row.

    Anonymous orders count in the figures of the month. Sorted by metric and group.
    """
    orders = orders_at(inputs, identities, as_of)
    parts = [_long(customers.select(**_of_customers(as_of))), _long(orders.select(**_of_orders(as_of)))]
    parts += [_by(customers, group) for group in _GROUPS]
    return (
        pl.concat(parts)
        .filter(pl.col("value").is_not_null())
        .select(pl.lit(as_of).alias("as_of"), "metric", "segment_code", pl.col("value").cast(pl.Int64))
        .sort("metric", "segment_code")
    )


def _of_customers(as_of: date) -> dict[str, pl.Expr]:
    """Figures over all customers."""
    is_buyer = pl.col("frequency") > 0
    buyers = is_buyer.sum()
    return {
        "customers": pl.len(),
        "buyers": buyers,
        "customers_ever_bought": (pl.col("life_orders") > 0).sum(),
        "customers_new_in_month": (pl.col("first_order_on") >= as_of.replace(day=1)).sum(),
        "repeat_buyers_bp": _share((pl.col("frequency") > 1).sum(), buyers),
        "one_day_buyers_bp": _share((is_buyer & (pl.col("purchase_days") == 1)).sum(), buyers),
        "orders_in_window": pl.col("frequency").sum(),
        "revenue_in_window_fen": pl.col("monetary_fen").sum(),
        "average_order_fen": _ratio(pl.col("monetary_fen").sum(), pl.col("frequency").sum()),
        "pareto_20_bp": pareto_share(pl.col("monetary_fen").filter(is_buyer), percent=20),
    }


def _of_orders(as_of: date) -> dict[str, pl.Expr]:
    """Figures over the orders of the month, anonymous ones included."""
    in_month = pl.col("paid_on").is_between(as_of.replace(day=1), as_of)
    net = pl.col("net_fen").filter(in_month).sum()
    known = pl.col("net_fen").filter(in_month & pl.col("one_id").is_not_null()).sum()
    return {
        "orders_in_month": (in_month & pl.col("is_qualifying")).sum(),
        "orders_of_no_value_in_month": (in_month & ~pl.col("is_qualifying")).sum(),
        "revenue_in_month_fen": net,
        "identified_revenue_in_month_fen": known,
        "identified_revenue_bp": _share(known, net),
        "refunded_of_month_fen": pl.col("refunded_fen").filter(in_month).sum(),
        "refunded_above_payment_fen": (pl.col("refunded_fen") - pl.col("paid_fen")).clip(0).sum(),
        "buyers_in_month": pl.col("one_id").filter(in_month & pl.col("is_qualifying")).drop_nulls().n_unique(),
    }


def pareto_share(spend: pl.Expr, *, percent: int) -> pl.Expr:
    """Share of all spend that the top `percent` of the buyers bring, in basis points.

    The top is rounded down to whole customers: 20 % of 2,469 are 493. Equal spenders at the
    edge are interchangeable, so the share needs no tie rule.
    """
    top = spend.len().cast(pl.Int64) * percent // 100
    return _share(spend.sort(descending=True).head(top).sum(), spend.sum())


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Part / whole in basis points, half up; null when there is no whole."""
    return _ratio(part.cast(pl.Int128) * _BP, whole)


def _ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Part / whole in whole units, half up; null when there is no whole. 128 bits, so that no product overflows."""
    wide = whole.cast(pl.Int128)
    return pl.when(wide > 0).then((2 * part.cast(pl.Int128) + wide) // (2 * wide))


def _long(figures: pl.LazyFrame) -> pl.LazyFrame:
    """One row per figure of a one-row frame."""
    rows = figures.select(pl.all().cast(pl.Int64)).unpivot(variable_name="metric", value_name="value")
    return rows.select("metric", pl.lit(ALL).alias("segment_code"), "value")


def _by(customers: pl.LazyFrame, group: str) -> pl.LazyFrame:
    """Customers and spend in the window per code of one label; who has no label is left out."""
    figures = {
        f"{group}_customers": pl.len().cast(pl.Int64),
        f"{group}_revenue_fen": pl.col("monetary_fen").sum(),
    }
    per_code = customers.filter(pl.col(group).is_not_null()).group_by(segment_code=group).agg(**figures)
    return per_code.unpivot(index="segment_code", variable_name="metric", value_name="value").select(
        "metric", "segment_code", "value"
    )
