"""Windows: one number per customer and tag over what happened in the last days, in one pass over each kind of rows."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from tasks.policy.conditions import parse
from tasks.policy.tags import ROWS, Source, Tag, Window
from tasks.transforms.orders import ORDER
from tasks.transforms.tags.values import SEEN
from tasks.transforms.traits.ground import Ground

_DAYS: dict[Source, str] = {"orders": "paid_on", "lines": "paid_on", "events": "happened_on"}
_PRODUCT = {"channel": "product_channel", "shop_id": "product_shop", "product_id": "product"}


def window_tags(tags: Sequence[Tag], ground: Ground) -> Iterator[pl.LazyFrame]:
    """One frame per kind of rows that some window counts: a row per customer with any in the longest window.

    Returns:
        one_id (the number) and `SEEN + code` for each tag.
    """
    for source in ROWS:
        windows = {tag.code: tag.window for tag in tags if tag.window is not None and tag.window.of == source}
        if windows:
            longest = max(window.days for window in windows.values())
            taken = [_taken(window, ground.as_of).alias(f"{SEEN}{code}") for code, window in windows.items()]
            yield rows_of(ground, source, longest).group_by("one_id").agg(taken)


def rows_of(ground: Ground, source: Source, days: int) -> pl.LazyFrame:
    """One row per qualifying order, line of one, or event of a customer, of the last `days`."""
    since = pl.col(_DAYS[source]) > ground.as_of - timedelta(days=days)
    if source == "events":
        return ground.events.filter(since).select("one_id", *ROWS[source])
    orders = ground.orders.filter(since, "is_qualifying")
    if source == "orders":
        return orders.select("one_id", *ROWS[source])
    return _lines(ground, orders).select("one_id", *ROWS[source])


def _lines(ground: Ground, orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per line of the orders with its product; an order's refund falls on its lines in proportion.

    A line's product goes by names of its own: Polars 2.1 reorders inner joins that share key names.
    """
    products = ground.products.select("product_name", "brand", "category", "department", **_names())
    bought = orders.select(*ORDER, "one_id", "paid_on", order_paid="paid_fen", order_net="net_fen")
    return (
        ground.lines.select(*ORDER, "product_id", "product_name", "quantity", line_fen="paid_fen")
        .join(bought, on=list(ORDER))
        .with_columns(**_names())
        .join(products, on=list(_PRODUCT.values()), how="left", suffix="_listed")
        .with_columns(
            product_name=pl.coalesce("product_name", "product_name_listed"),
            net_fen=_share("line_fen", "order_net", "order_paid"),
        )
    )


def _names() -> dict[str, pl.Expr]:
    return {new: pl.col(old) for old, new in _PRODUCT.items()}


def _share(part: str, net: str, whole: str) -> pl.Expr:
    """The line's share of the order's net value, rounded down; 128 bits, because fen times fen may pass 64."""
    wide = pl.col(part).cast(pl.Int128) * pl.col(net) // pl.col(whole)
    return pl.when(pl.col(net) == pl.col(whole)).then(part).otherwise(wide.cast(pl.Int64))


def _taken(window: Window, as_of: date) -> pl.Expr:
    """The window's number over one customer's rows."""
    day = _DAYS[window.of]
    inside = pl.col(day) > as_of - timedelta(days=window.days)
    if window.where is not None:
        inside &= parse(window.where, ROWS[window.of], where="window").fill_null(value=False)
    value = pl.when(inside).then(window.column or day)
    match window.take:
        case "count":
            return inside.sum().cast(pl.Int64)
        case "sum":
            return value.cast(pl.Int64).sum()
        case "largest":
            return value.max()
        case "days" | "distinct":
            return value.drop_nulls().n_unique().cast(pl.Int64)
