"""Split orders: the parts into which a shop split one order count as one, and each keeps its own money.

Only orders that name a parent are looked at, and those whose number they name; all others are as they were.
"""

import polars as pl

PARENT = "parent_order_id"
_SHOP = ("channel", "shop_id")
_ORDER = (*_SHOP, "order_id")


def counted_once(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per order as given, with `is_whole` and `is_counted`.

    `is_whole` is true of one row for each order that was placed: of the parts of a split one the last that qualifies,
    or the last of all where none does; by day of payment, then by number. `is_counted` = `is_whole` and
    `is_qualifying`. The last and not the first: so an order counts in a window up to a date exactly where any of its
    money does. The parent itself is one of the parts where the shop exports it too.
    """
    if PARENT not in orders.collect_schema().names():
        return orders.pipe(_marked, pl.lit(value=True))
    others = _others(orders)
    if others.is_empty():
        return orders.pipe(_marked, pl.lit(value=True))
    told = orders.drop("is_whole", strict=False).join(others.lazy(), on=_ORDER, how="left")
    return told.pipe(_marked, pl.col("is_whole").fill_null(value=True))


def without_parents(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per order as given; the column of parents is left out where it names none, so that nobody asks again."""
    if PARENT not in orders.collect_schema().names():
        return orders
    named = orders.select(PARENT).filter(pl.col(PARENT).is_not_null()).limit(1).collect(engine="streaming")
    return orders.drop(PARENT) if named.is_empty() else orders


def _marked(orders: pl.LazyFrame, is_whole: pl.Expr) -> pl.LazyFrame:
    return orders.with_columns(is_whole=is_whole).with_columns(is_counted=pl.col("is_whole") & pl.col("is_qualifying"))


def _others(orders: pl.LazyFrame) -> pl.DataFrame:
    """One row per part that stands back behind another of the same order: its name, and `is_whole`, false."""
    parts = _parts(orders)
    ranked = parts.sort(*_SHOP, PARENT, "is_qualifying", "paid_on", "order_id")
    group = pl.struct(*_SHOP, PARENT)
    return ranked.filter(group == group.shift(-1)).select(*_ORDER, is_whole=pl.lit(value=False))


def _parts(orders: pl.LazyFrame) -> pl.DataFrame:
    """One row per part of a split order, the parent itself included: worked out at once, for there are few."""
    asked = orders.select(*_ORDER, PARENT, "is_qualifying", "paid_on")
    children = asked.filter(pl.col(PARENT).is_not_null()).collect(engine="streaming")
    if children.is_empty():
        return children
    named = children.lazy().select(*_SHOP, order_id=PARENT).unique()
    parents = asked.filter(pl.col(PARENT).is_null()).join(named, on=_ORDER, how="semi")
    return pl.concat([children, parents.with_columns(pl.col("order_id").alias(PARENT)).collect(engine="streaming")])
