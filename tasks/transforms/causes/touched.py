"""Whom a difference between two dates touches: only they are replayed."""

from datetime import date

import polars as pl

from tasks.transforms.before import Before
from tasks.transforms.identity import with_owner
from tasks.transforms.lineage import predecessors
from tasks.transforms.orders import ORDER
from tasks.transforms.split_orders import under_wholes

Ids = pl.LazyFrame
"""One row per customer: one_id."""


def by_identity(changes: pl.LazyFrame) -> Ids:
    """Who took part in a merge, a split or a move of keys."""
    return predecessors(changes).select("one_id").unique()


def by_late_data(
    before: Before, orders: pl.LazyFrame, parts: pl.DataFrame | None, identities: pl.LazyFrame, until: date
) -> Ids:
    """Whose orders or refunds of the time up to `until` one of the two refreshes knew otherwise than the other.

    `orders` are those of `own_orders` now, `parts` those of the orders as they came.
    """
    late_orders, late_refunds = before.learned()
    refunded = late_refunds.filter(pl.col("refunded_on") <= until).select(ORDER)
    late = pl.concat([late_orders.select(ORDER), refunded]).pipe(under_wholes, parts).unique()
    sold = orders.filter(pl.col("paid_on") <= until)
    told = pl.concat([
        late_orders.filter(pl.col("paid_on") <= until).select("buyer_key", "ordered_at"),
        sold.join(late, on=ORDER, how="semi").select("buyer_key", "ordered_at"),
    ])  # fmt: skip
    return _owners(told, identities)


def by_refunds(back: pl.LazyFrame, orders: pl.LazyFrame, *, after: date, until: date) -> pl.LazyFrame:
    """Who got money back in `(after, until]`: number. `back` are the refunds of `paid_back`, `orders` numbered ones."""
    fresh = back.filter(pl.col("refunded_on").is_between(after, until, closed="right")).select(ORDER).unique()
    return orders.join(fresh, on=ORDER, how="semi").select(number="one_id").drop_nulls().unique()


def by_new_orders(customers: pl.LazyFrame, previous: pl.LazyFrame, after: date) -> Ids:
    """Who bought after the date before; `previous` are the customers of that date under the ids of now.

    Whose number of orders differs for another reason is among them, which costs a replay and changes nothing.
    """
    both = customers.select("one_id", "last_order_on", "gross_orders").join(
        previous.select("one_id", "gross_orders"), on="one_id", suffix="_from"
    )
    is_touched = (pl.col("last_order_on") > after) | (pl.col("gross_orders") != pl.col("gross_orders_from"))
    return both.filter(is_touched).select("one_id")


def _owners(rows: pl.LazyFrame, identities: pl.LazyFrame) -> Ids:
    owned = rows.pipe(with_owner, identities, key="buyer_key", at="ordered_at")
    return owned.drop_nulls("one_id").select("one_id").unique()
