"""What each customer did: recency, frequency, money, days and habits, over the window and over the whole life."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from tasks.transforms.cycle import purchase_days
from tasks.transforms.held import Hold, in_memory
from tasks.transforms.orders import ORDER
from tasks.transforms.sums import Sum, sum_by_customer

_SATURDAY = 6
_DIGITS = 4


def customer_facts(
    people: pl.LazyFrame, orders: pl.LazyFrame, lines: pl.LazyFrame, products: pl.LazyFrame,
    *, as_of: date, window_days: int, also: Sequence[Sum] = (), hold: Hold = in_memory,
) -> pl.LazyFrame:  # fmt: skip
    """One row per customer of `people` (one_id, first_seen_at), those without orders included.

    Without orders counts and sums are 0, days, dates and rates are null. The window is
    `(as_of − window_days, as_of]`.
    `also` holds sums of other subjects over the same orders, taken in the same pass. Each part is held before the
    next is worked out: all at once would be in memory together.
    """
    bought = hold("sums", orders.pipe(sum_orders, as_of=as_of, window_days=window_days, also=also))
    favourites = preferred_categories(orders, lines, products, as_of=as_of, window_days=window_days)
    favourites = hold("preferred categories", favourites)
    days = hold("purchase days", orders.pipe(count_purchase_days))
    counts = (*_COUNTS, *(measure.name for measure in also))
    return (
        people.select("one_id", "first_seen_at")
        .join(bought, on="one_id", how="left")
        .join(days, on="one_id", how="left")
        .join(favourites, on="one_id", how="left")
        .with_columns(pl.col(counts).fill_null(0))
    )


_COUNTS = (
    "frequency", "monetary_fen", "gross_orders", "life_orders", "life_net_fen", "spend_3m_fen", "purchase_days",
    "first_day_fen",
)  # fmt: skip


def only_mature(orders: pl.LazyFrame, *, as_of: date, maturity_days: int) -> pl.LazyFrame:
    """One row per order as given; one younger than `maturity_days` neither qualifies nor weighs anything."""
    if maturity_days == 0:
        return orders
    is_mature = pl.col("paid_on") <= as_of - timedelta(days=maturity_days)
    return orders.with_columns(
        is_qualifying=pl.col("is_qualifying") & is_mature, net_fen=pl.when(is_mature).then("net_fen").otherwise(0)
    )


def sum_orders(
    orders: pl.LazyFrame, *, as_of: date, window_days: int, also: Sequence[Sum] = (),
    since: Mapping[str, date] | None = None,
) -> pl.LazyFrame:  # fmt: skip
    """One row per customer with a paid order: counts, sums, dates. Anonymous orders may have a row without one_id.

    Orders of no net value stand in `gross_orders` alone. A rate is one division of two counts, rounded to four
    digits. Days are calendar days of the business zone; 0 is today. `since` are those of `sum_by_customer` for `also`.
    """
    marked, known = orders.with_columns(_marks(as_of, window_days)), _since(as_of, window_days) | dict(since or {})
    sums = sum_by_customer(marked, [*_SUMS, *also], known)
    days_since = (pl.lit(as_of) - pl.col("last_order_on")).dt.total_days()
    in_window = pl.col("frequency") > 0
    return sums.with_columns(
        days_since_order=days_since,
        recency_days=(pl.lit(as_of) - pl.col("_last_in_window_on")).dt.total_days(),
        coupon_rate=pl.when(in_window).then((pl.col("coupon_orders") / pl.col("frequency")).round(_DIGITS)),
        weekday_rate=pl.when(in_window).then((pl.col("weekday_orders") / pl.col("frequency")).round(_DIGITS)),
    ).drop("_last_in_window_on", "coupon_orders", "weekday_orders")


_SUMS = (
    Sum("frequency", "count", where="_in_window"),
    Sum("monetary_fen", "sum", "net_fen", "_in_window"),
    Sum("gross_orders", "count"),
    Sum("life_orders", "count", where="is_qualifying"),
    Sum("life_net_fen", "sum", "net_fen"),
    Sum("spend_3m_fen", "sum", "net_fen", "_is_recent"),
    Sum("first_order_on", "min", "paid_on", "is_qualifying"),
    Sum("last_order_on", "max", "paid_on", "is_qualifying"),
    Sum("_last_in_window_on", "max", "paid_on", "_in_window"),
    Sum("coupon_orders", "count", where="_with_coupon"),
    Sum("weekday_orders", "count", where="_on_weekday"),
)
"""Only sums, counts and extremes over marked columns: any engine gives them in one pass and any order."""


def _marks(as_of: date, window_days: int) -> list[pl.Expr]:
    """What of an order counts towards which measure. Net value is 0 where an order does not qualify."""
    in_window = pl.col("is_qualifying") & (pl.col("paid_on") > as_of - timedelta(days=window_days))
    recent = pl.col("paid_on") >= _three_months_start(as_of)
    return [
        in_window.alias("_in_window"),
        recent.alias("_is_recent"),
        (in_window & pl.col("has_coupon")).alias("_with_coupon"),
        (in_window & (pl.col("paid_on").dt.weekday() < _SATURDAY)).alias("_on_weekday"),
    ]


def _since(as_of: date, window_days: int) -> dict[str, date]:
    """The first day of each mark that has one."""
    window = as_of - timedelta(days=window_days - 1)
    return {
        "_in_window": window,
        "_with_coupon": window,
        "_on_weekday": window,
        "_is_recent": _three_months_start(as_of),
    }


def _three_months_start(as_of: date) -> date:
    """First day of the business month two before the month of `as_of`."""
    months = as_of.year * 12 + as_of.month - 1 - 2
    return date(months // 12, months % 12 + 1, 1)


def count_purchase_days(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer with a qualifying order: on how many different days, and the net spend of the first."""
    bought = orders.filter("is_qualifying", pl.col("one_id").is_not_null())
    if bought.collect_schema()["one_id"] != pl.Int64:
        return _named_purchase_days(bought)
    days = purchase_days(bought).collect().lazy()
    dated = bought.join(days.select("one_id", "first_on"), on="one_id")
    spent = (
        dated.filter(pl.col("paid_on") == pl.col("first_on"))
        .group_by("one_id")
        .agg(first_day_fen=pl.col("net_fen").sum())
    )
    return days.select("one_id", "purchase_days").join(spent, on="one_id")


def _named_purchase_days(bought: pl.LazyFrame) -> pl.LazyFrame:
    """The same of customers who go by a name."""
    days = bought.group_by("one_id", "paid_on").agg(pl.col("net_fen").sum())
    first = pl.col("net_fen").min_by("paid_on")
    return days.group_by("one_id").agg(purchase_days=pl.len().cast(pl.Int64), first_day_fen=first)


def preferred_categories(
    orders: pl.LazyFrame, lines: pl.LazyFrame, products: pl.LazyFrame, *, as_of: date, window_days: int
) -> pl.LazyFrame:
    """One row per customer with categorised spend in the window: the category with the largest net spend.

    Ties go to the first name in byte order. An order's refund falls on its lines in proportion,
    rounded down; products without a category do not compete.
    """
    window = orders.filter(
        "is_qualifying", pl.col("one_id").is_not_null(), pl.col("paid_on") > as_of - timedelta(days=window_days)
    )
    names = category_numbers(products)
    spend = (
        lines.select(*ORDER, *LINE_PRODUCT, line_fen=pl.col("paid_fen"))
        .join(window.select(*ORDER, "one_id", "paid_fen", "net_fen"), on=ORDER)
        .join(_named(products, names), on=list(LINE_PRODUCT_NAMES))
        .group_by("one_id", "number")
        .agg(spend_fen=net_of_line().sum())
    )
    best = spend.filter(pl.col("spend_fen") > 0).group_by("one_id").agg(number=first_of_most("number", len(names)))
    return best.join(names.lazy().select("number", preferred_category="category"), on="number").drop("number")


def first_of_most(number: str, names: int) -> pl.Expr:
    """Aggregation: of the largest `spend_fen` the first of so many numbered names; an Int32.

    Both share one integer, of which the greatest is sought: to sort the rows would cost far more.
    """
    room = max(names, 1)
    shared = pl.col("spend_fen") * room + (room - 1 - pl.col(number).cast(pl.Int64))
    return (room - 1 - shared.max() % room).cast(pl.Int32)


def category_numbers(products: pl.LazyFrame) -> pl.DataFrame:
    """One row per category in byte order, with its place in it: number."""
    names = products.select(pl.col("category").drop_nulls().unique()).sort("category").with_row_index("number")
    return names.select("category", pl.col("number").cast(pl.Int32)).collect()


LINE_PRODUCT_NAMES = ("product_channel", "product_shop", "product_id")
LINE_PRODUCT = (
    pl.col("channel").alias("product_channel"),
    pl.col("shop_id").alias("product_shop"),
    pl.col("product_id"),
)
"""A line's product under names of its own: Polars 2.1 reorders inner joins that share key names, and once joined
every order of a shop with every product of it before it looked at the lines (22 GB for Complete Journey)."""


def _named(products: pl.LazyFrame, names: pl.DataFrame) -> pl.LazyFrame:
    """One row per product that has a category, by the category's number; few, and worked out at once."""
    known = products.filter(pl.col("category").is_not_null()).join(names.lazy(), on="category")
    return known.select(*LINE_PRODUCT, "number").collect().lazy()


def net_of_line() -> pl.Expr:
    """The line's share of the order's net value; 128 bits, because fen times fen may pass 64."""
    share = pl.col("line_fen").cast(pl.Int128) * pl.col("net_fen") // pl.col("paid_fen")
    return pl.when(pl.col("net_fen") == pl.col("paid_fen")).then("line_fen").otherwise(share.cast(pl.Int64))
