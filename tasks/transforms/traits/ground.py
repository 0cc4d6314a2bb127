"""What the traits are told from: orders, events, profiles and touches of one date, under the numbers of customers."""

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.facts import only_mature
from tasks.transforms.identity import with_owner
from tasks.transforms.inputs import Inputs, lines_of, numbered_orders, refunds_of
from tasks.transforms.lineage import aliases
from tasks.transforms.orders import net_orders

_KEY = ("key", "valid_from", "valid_to")


@dataclass(frozen=True)
class Ground:
    """What every module of traits reads. In each frame `one_id` is the customer's number, an Int64, never null.

    A number is the place of the real one_id in byte order, from 0. All rows had happened by the end of `as_of`.
    """

    as_of: date
    policy: Policy
    zone: str
    """Business zone: hours and weekdays are cut there."""
    names: pl.LazyFrame
    """one_id (the number), name (the real one_id)."""
    customers: pl.LazyFrame
    """The table customers at the date."""
    orders: pl.LazyFrame
    """orders.net_orders of customers: paid orders with what was paid and net value; `is_qualifying` once mature."""
    lines: pl.LazyFrame
    """The table order_lines, of all orders."""
    products: pl.LazyFrame
    """The table products."""
    events: pl.LazyFrame
    """The table events, each under whoever had the key at its time."""
    event_kinds: frozenset[str]
    """Which events of the vocabulary the brand has at all, customers' or not."""
    members: pl.LazyFrame
    """The table members, each profile under whoever had the key when it was exported."""
    follows: pl.LazyFrame
    """The table follows, each under whoever had the key when contact was made."""
    touches: pl.LazyFrame
    """The table touches: messages of sends by the date, under whom their receivers are now. A row that names nobody,
    such as a vendor's receipt, is under whoever had its recipient key at its time."""
    models: pl.LazyFrame = field(default_factory=TABLES["models"].empty)
    """The table models at the date before; empty without one."""


def ground_of(inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, customers: pl.LazyFrame) -> Ground:
    """Everything that is known by the end of `as_of` of somebody who is a customer then."""
    names = customers.select(name="one_id").sort("name").with_row_index("one_id")
    names = names.with_columns(pl.col("one_id").cast(pl.Int64)).collect().lazy()
    numbers = names.select(number="one_id", one_id="name")
    keys = identities.join(numbers, on="one_id").select(*_KEY, one_id="number")
    events = inputs.events.filter(pl.col("happened_on") <= as_of)
    kinds = events.select(pl.col("event").unique()).collect(engine="streaming")
    return Ground(
        as_of=as_of,
        policy=policy,
        zone=inputs.zone,
        names=names,
        customers=numbered(customers, names),
        orders=_orders(inputs, policy, as_of, identities),
        lines=lines_of(inputs),
        products=inputs.products,
        events=_owned(events, keys, "customer_key", "happened_at"),
        event_kinds=frozenset(kinds.get_column("event")),
        members=_owned(inputs.members, keys, "member_key", "exported_at"),
        follows=_owned(inputs.follows, keys, "customer_key", "followed_at"),
        touches=_reached(inputs.touches.filter(pl.col("send_on") <= as_of), keys, identities, numbers),
        models=TABLES["models"].empty() if inputs.previous_models is None else inputs.previous_models,
    )


def numbered(customers: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """Those of the table customers who are among `names`, under their numbers."""
    numbers = names.select(number="one_id", one_id="name")
    return customers.join(numbers, on="one_id").drop("one_id").rename({"number": "one_id"})


def _orders(inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per paid order of somebody, as customers.py counts it."""
    numbered = numbered_orders(inputs, identities)
    is_net = inputs.net_as_of == as_of
    orders = numbered if is_net else net_orders(numbered, refunds_of(inputs), identities, as_of=as_of)
    owned = orders.filter(pl.col("one_id").is_not_null())
    return only_mature(owned, as_of=as_of, maturity_days=policy.rfm.maturity_days)


def _owned(rows: pl.LazyFrame, keys: pl.LazyFrame, key: str, at: str) -> pl.LazyFrame:
    """Rows of somebody's, with `one_id`; those of nobody are left out."""
    known = rows.filter(pl.col(key).is_not_null())
    return known.pipe(with_owner, keys, key=key, at=at).drop_nulls("one_id").pipe(_unless_none, known)


def _reached(
    touches: pl.LazyFrame, keys: pl.LazyFrame, identities: pl.LazyFrame, numbers: pl.LazyFrame
) -> pl.LazyFrame:
    """Touches under the number of whom they reached; those of nobody are left out."""
    now = aliases(identities).join(numbers, on="one_id").select("old_id", named="number")
    named = touches.rename({"one_id": "old_id"}).join(now, on="old_id", how="left").drop("old_id")
    owned = named.pipe(with_owner, keys, key="recipient_key", at="happened_at")
    reached = owned.with_columns(one_id=pl.coalesce("named", "one_id")).drop("named").drop_nulls("one_id")
    return reached.pipe(_unless_none, touches)


def _unless_none(owned: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
    """`owned` as given; nothing where there are no rows that it could come from: all keys would be read for them."""
    return owned.clear() if rows.limit(1).collect(engine="streaming").is_empty() else owned
