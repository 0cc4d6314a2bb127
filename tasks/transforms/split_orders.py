"""Split orders: the parts into which a shop split one order are one again before anything counts or weighs it.

Only orders that name another are looked at, and those whose number they name; all others are as they were.
"""

import polars as pl

from tasks.transforms.orders import ORDER, is_bought

PARENT = "parent_order_id"
_SHOP = ("channel", "shop_id")
_SUMS = ("gross_fen", "paid_fen", "refunded_fen", "coupon_fen", "freight_fen", "fees_fen")
_FIRST_OF = ("ordered_at", "paid_at", "paid_on")
"""An order was paid when the first of its parts was: a shop splits what one payment paid for."""


def parts_of(orders: pl.LazyFrame) -> pl.DataFrame | None:
    """One row per part of a split order: its name, and `whole`, the number of the order that was placed.

    A part is a paid purchase that names another order, or is the named one. Where the named one is there and is no
    paid purchase, it has a row whose `whole` is null: what is told of it is not told of the parts. None of no parts.
    """
    if PARENT not in orders.collect_schema().names():
        return None
    named = orders.filter(pl.col(PARENT).is_not_null(), is_bought()).select(*ORDER, whole=PARENT)
    if named.limit(1).collect(engine="streaming").is_empty():
        return None
    children = named.collect(engine="streaming")
    wholes = children.lazy().select(*_SHOP, order_id="whole").unique()
    bearers = orders.join(wholes, on=ORDER, how="semi").join(children.lazy(), on=ORDER, how="anti")
    others = bearers.select(*ORDER, whole=pl.when(is_bought()).then("order_id"))
    return pl.concat([children, others.collect(engine="streaming")])


def joined(orders: pl.LazyFrame, parts: pl.DataFrame | None) -> pl.LazyFrame:
    """One row per order as it was placed: parts are one row under the number of the whole, with the money of all.

    It was paid when its first part was, and what is no sum is that of the first part which says it. Parts are few and
    put together at once.
    """
    if parts is None:
        return orders.drop(PARENT, strict=False)
    mine = parts.lazy().drop_nulls("whole")
    names = [name for name in orders.collect_schema().names() if name not in {*ORDER, PARENT}]
    wholes = (
        orders.join(mine, on=ORDER)
        .sort(*_SHOP, "whole", "paid_on", "paid_at", "order_id")
        .group_by(*_SHOP, "whole", maintain_order=True)
        .agg(_of_parts(name) for name in names)
        .rename({"whole": "order_id"})
        .collect(engine="streaming")
    )
    others = orders.drop(PARENT).join(parts.lazy(), on=ORDER, how="anti")
    return pl.concat([others, wholes.lazy().select(others.collect_schema().names())])


def numbered_as_placed(orders: pl.LazyFrame) -> pl.LazyFrame:
    """Orders as given, parts under the number of the whole, so that counting different numbers counts orders."""
    has_parents = PARENT in orders.collect_schema().names()
    return orders.with_columns(order_id=pl.coalesce(PARENT, "order_id")) if has_parents else orders


def under_wholes(rows: pl.LazyFrame, parts: pl.DataFrame | None) -> pl.LazyFrame:
    """Rows of orders, such as lines or what was paid back, as given; those of a part go by the number of the whole."""
    if parts is None:
        return rows
    told = rows.join(parts.lazy().with_columns(_is_part=pl.lit(value=True)), on=ORDER, how="left")
    own = told.filter(pl.col("_is_part").is_null() | pl.col("whole").is_not_null())
    return own.with_columns(order_id=pl.coalesce("whole", "order_id")).drop("whole", "_is_part")


def _of_parts(name: str) -> pl.Expr:
    """A column of the whole: null where no part says it."""
    column = pl.col(name)
    if name in _SUMS:
        return pl.when(column.is_not_null().any()).then(column.sum())
    return column.min() if name in _FIRST_OF else column.drop_nulls().first()
