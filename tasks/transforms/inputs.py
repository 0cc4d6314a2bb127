"""What a refresh reads, and the orders, refunds and lines of it as every measure of a date wants them."""

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import polars as pl

from expectations.tables import TABLES
from tasks.transforms.before import Before
from tasks.transforms.buyers import with_next_key
from tasks.transforms.held import Keep, as_planned
from tasks.transforms.orders import net_orders, owned_orders, paid_back
from tasks.transforms.split_orders import joined, parts_of, under_wholes


@dataclass(frozen=True)
class Inputs:
    """What a refresh reads: rows already filtered to those known at its instant."""

    orders: pl.LazyFrame
    order_lines: pl.LazyFrame
    refunds: pl.LazyFrame
    products: pl.LazyFrame
    sightings: pl.LazyFrame
    zone: str
    """Business zone of the brand: days are cut there."""
    currency: str
    """Orders in another currency are left out, because no sum crosses currencies."""
    previous_customers: pl.LazyFrame | None = None
    """The customers of the date before, where there is one."""
    previous_as_of: date | None = None
    previous_identities: pl.LazyFrame | None = None
    """The identities of the same date before."""
    previous_cutoffs: pl.LazyFrame | None = None
    """The cut-offs of the same date before."""
    previous_tags: pl.LazyFrame | None = None
    """The tags of the same date before."""
    previous_models: pl.LazyFrame | None = None
    """The models of the same date before: what a fit that fails falls back to."""
    links: pl.LazyFrame = field(default_factory=TABLES["identity_links"].empty)
    """Declared links between keys."""
    blocked: frozenset[str] = frozenset()
    """Printed keys that name nobody, by the brand's policy."""
    events: pl.LazyFrame = field(default_factory=TABLES["events"].empty)
    members: pl.LazyFrame = field(default_factory=TABLES["members"].empty)
    follows: pl.LazyFrame = field(default_factory=TABLES["follows"].empty)
    touches: pl.LazyFrame = field(default_factory=TABLES["touches"].empty)
    owned_orders: pl.LazyFrame | None = None
    """`numbered_orders` of the date, where a step before has worked them out."""
    net_as_of: date | None = None
    """The date at which `owned_orders` are net; None where they are as paid."""
    before: Before | None = None
    """How the date before was seen; None: under the same rules and with the same knowledge."""

    @cached_property
    def parts(self) -> pl.DataFrame | None:
        """The parts of split orders, as `parts_of` has them; None of none."""
        return parts_of(_in_currency(self))


def settled(inputs: Inputs, identities: pl.LazyFrame) -> Inputs:
    """The same with orders as placed in the brand's currency under keys that name somebody, and refunds of `paid_back`.

    Refunds are few and read by every measure: they are worked out once.
    """
    refunds = refunds_of(inputs).collect().lazy()
    lines, orders = lines_of(inputs), own_orders(inputs, identities)
    return replace(inputs, refunds=refunds, order_lines=lines, orders=orders, owned_orders=None, net_as_of=None)


def settled_at(inputs: Inputs, identities: pl.LazyFrame, as_of: date, keep: Keep = as_planned) -> Inputs:
    """Settled inputs with the paid orders alone, net at `as_of`, buyers by number as `numbered_orders` has them."""
    refunds = refunds_of(inputs).collect().lazy()
    net = inputs.owned_orders if inputs.net_as_of == as_of else None
    if net is None:
        net = net_orders(numbered_orders(inputs, identities), refunds, identities, as_of=as_of, keep=keep)
    lines = lines_of(inputs)
    return replace(inputs, refunds=refunds, order_lines=lines, orders=net, owned_orders=net, net_as_of=as_of)


def numbered_orders(inputs: Inputs, identities: pl.LazyFrame) -> pl.LazyFrame:
    """The owned orders in the brand's currency, `one_id` being the customer's number in the order of one_id."""
    if inputs.owned_orders is not None:
        return inputs.owned_orders
    return owned_orders(own_orders(inputs, identities), numbered_keys(identities, number_people(identities)))


def orders_at(inputs: Inputs, identities: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per paid order at `as_of` in the brand's currency, refunds taken off, buyers resolved or numbered."""
    if inputs.owned_orders is not None and inputs.net_as_of == as_of:
        return inputs.owned_orders
    return net_orders(own_orders(inputs, identities), refunds_of(inputs), identities, as_of=as_of)


def own_orders(inputs: Inputs, identities: pl.LazyFrame) -> pl.LazyFrame:
    """The orders in the brand's currency as they were placed, with a buyer's key that names somebody where one does."""
    return _in_currency(inputs).pipe(with_next_key, inputs.sightings, identities).pipe(joined, inputs.parts)


def _in_currency(inputs: Inputs) -> pl.LazyFrame:
    return inputs.orders.filter(pl.col("currency") == inputs.currency)


def refunds_of(inputs: Inputs) -> pl.LazyFrame:
    """One row per order, or part of one, and day on which what had been paid back changed."""
    return paid_back(inputs.refunds).pipe(under_wholes, inputs.parts)


def lines_of(inputs: Inputs) -> pl.LazyFrame:
    """The lines of all orders, each under the number of the order that was placed."""
    return inputs.order_lines.pipe(under_wholes, inputs.parts)


def number_people(identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer: one_id, when first seen, and its number in the order of one_id."""
    people = identities.group_by("one_id").agg(pl.col("first_seen_at").min()).sort("one_id")
    return people.with_row_index("number").with_columns(pl.col("number").cast(pl.Int64))


def numbered_keys(identities: pl.LazyFrame, people: pl.LazyFrame) -> pl.LazyFrame:
    """One row per key and epoch: whose it is, by number."""
    return identities.join(people, on="one_id").select("key", "valid_from", "valid_to", one_id="number")
