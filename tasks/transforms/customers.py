"""One date's customers, from known rows to layers: the one composition that flows, verify and tests share."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from expectations.tables import TABLES
from tasks.policy.load import digest_of
from tasks.policy.models import Policy
from tasks.transforms.before import Before
from tasks.transforms.buyers import with_next_key
from tasks.transforms.cutoffs import cutoffs_of, ladders, standing_cutoffs
from tasks.transforms.facts import customer_facts, only_mature
from tasks.transforms.held import Hold, Keep, as_planned, in_memory
from tasks.transforms.holds import holds_at
from tasks.transforms.identity import changes_between, resolve
from tasks.transforms.lifecycle import stage_customers
from tasks.transforms.lineage import aliases, inherit
from tasks.transforms.orders import net_orders, owned_orders, paid_back
from tasks.transforms.reviews import month_ends_between, reviews_between
from tasks.transforms.rfm import score_rfm
from tasks.transforms.rfm_values import with_scored_values
from tasks.transforms.segments import name_segments
from tasks.transforms.split_orders import joined, parts_of, under_wholes
from tasks.transforms.sums import sum_by_customer
from tasks.transforms.tier_replay import advance
from tasks.transforms.tier_spend import (
    TIER_SPEND,
    in_spend_window,
    refund_moves,
    spend_window_since,
    with_counting_days,
)
from tasks.transforms.value.clv import value_customers
from tasks.transforms.value.histories import LARGEST_ORDER
from tasks.transforms.value.models import fit_models


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


@dataclass(frozen=True)
class Layers:
    """What layering makes: keys to customers, the customers, and the cut-offs that their scores met."""

    identities: pl.LazyFrame
    identity_conflicts: pl.LazyFrame
    identity_changes: pl.LazyFrame
    customers: pl.LazyFrame
    models: pl.LazyFrame
    cutoffs: pl.LazyFrame


def layer_customers(inputs: Inputs, policy: Policy, as_of: date, keep: Keep = as_planned) -> Layers:
    """Identities with their conflicts and changes, customers and cut-offs at `as_of`, each in its key's order.

    Identities and customers are worked out once and held, because each is read several times; so are the orders
    with their customers, which may be too many for memory, by `keep`.
    """
    resolution = resolve(
        inputs.sightings, inputs.links, policy.identity, as_of=as_of, zone=inputs.zone, blocked=inputs.blocked
    )
    identities, conflicts = (rows.lazy() for rows in pl.collect_all([resolution.identities, resolution.conflicts]))
    customers, models = customers_and_models(inputs, policy, as_of, identities, keep)
    return Layers(
        identities=identities,
        identity_conflicts=conflicts,
        identity_changes=changes_at(inputs, identities, as_of).collect().lazy(),
        customers=customers,
        models=models,
        cutoffs=cutoffs_of(
            customers, policy.rfm, as_of=as_of, standing=standing_cutoffs(inputs.previous_cutoffs, policy.rfm, as_of)
        ),
    )


def changes_at(inputs: Inputs, identities: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per old and new customer id between which keys moved since the date before; none without one."""
    if inputs.previous_identities is None:
        return TABLES["identity_changes"].empty()
    return changes_between(inputs.previous_identities, identities, as_of)


def customers_and_models(
    inputs: Inputs,
    policy: Policy,
    as_of: date,
    identities: pl.LazyFrame,
    keep: Keep = as_planned,
    hold: Hold = in_memory,
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The tables customers and models at `as_of`, held in memory.

    One row per customer first seen by the end of `as_of`, sorted by one_id; the models are fitted on all of them.
    """
    owned = settled_at(inputs, identities, as_of, keep)
    standing = hold("tiers", standings(owned, policy, as_of, identities, hold))
    models = hold("models", fit_models(standing, inputs.previous_models, policy.value, as_of))
    customers = (
        value_customers(standing, models, policy.value, as_of)
        .with_columns(as_of=pl.lit(as_of), policy_digest=pl.lit(digest_of(policy)))
        .select(TABLES["customers"].columns)
    )
    return hold("value", customers), models


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


def standings(
    inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, hold: Hold = in_memory
) -> pl.LazyFrame:
    """One row per customer of `identities`: facts, scores, segment, stage and tier at `as_of`. Sorted by one_id.

    `inputs` are settled ones. Inside, a customer is the number of its one_id in byte order: joins and groups by an
    integer cost a fraction of those by text, and the order is the same.
    """
    people = hold("people", number_people(identities))
    numbered = numbered_keys(identities, people)
    facts = _facts(inputs, policy, as_of, people.select("first_seen_at", one_id="number"), numbered, hold)
    state = _numbered_state(inputs, people, identities)
    names = aliases(identities).join(people, on="one_id").select("old_id", one_id="number")
    layered = _with_tiers(facts, state, inputs, policy, as_of, people, numbered, names).rename({"one_id": "number"})
    return layered.join(people.select("number", "one_id"), on="number").sort("number")


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


def _facts(
    inputs: Inputs, policy: Policy, as_of: date, people: pl.LazyFrame, numbered: pl.LazyFrame, hold: Hold
) -> pl.LazyFrame:
    """One row per customer: facts, scores, segment and stage, and the spend that counts towards the tier."""
    rfm = policy.rfm
    orders = _counted_at(inputs, policy, numbered, as_of).pipe(
        only_mature, as_of=as_of, maturity_days=rfm.maturity_days
    )
    facts = customer_facts(
        people, orders.with_columns(in_spend_window(as_of, policy.tiers)), inputs.order_lines, inputs.products,
        as_of=as_of, window_days=rfm.window_days, also=[TIER_SPEND, LARGEST_ORDER], hold=hold,
    )  # fmt: skip
    scored = (
        hold("facts", facts)
        .pipe(with_scored_values, orders, rfm, as_of=as_of)
        .pipe(score_rfm, rfm, ladders(standing_cutoffs(inputs.previous_cutoffs, rfm, as_of)))
        .pipe(name_segments, policy.segments, rfm)
    )
    staged = hold("RFM", scored).pipe(stage_customers, orders, as_of=as_of, lifecycle=policy.lifecycle)
    return hold("lifecycle", staged)


def _with_tiers(
    facts: pl.LazyFrame,
    state: pl.LazyFrame | None,
    inputs: Inputs,
    policy: Policy,
    as_of: date,
    people: pl.LazyFrame,
    numbered: pl.LazyFrame,
    names: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per customer as given, with the tier at `as_of`: a fold over every review since the date before.

    Without a date before, the programme starts with the month of `as_of`.
    """
    after = inputs.previous_as_of or as_of.replace(day=1) - timedelta(days=1)
    tiers = policy.tiers

    def leg(rows: pl.LazyFrame | None, at: date) -> pl.LazyFrame:
        orders, moves = _counted_at(inputs, policy, numbered, at), _moves_at(inputs, policy, numbered, at)
        holds = holds_at(policy.holds, tiers, names, after=after, as_of=at)
        standing = _with_spend(people, orders, at, policy) if rows is None else rows
        return advance(standing, state, orders, moves, after=after, as_of=at, tiers=tiers, holds=holds)

    for at in _legs(after, as_of, policy):
        state, after = leg(None, at), at
    return leg(facts, as_of)


def _legs(after: date, as_of: date, policy: Policy) -> list[date]:
    """The days strictly between two dates at which the state is worked out: reviews, and where a lock may end."""
    ends = month_ends_between(after, as_of) if policy.holds.locks else []
    return sorted({*reviews_between(after, as_of, policy.tiers), *ends})


def _numbered_state(inputs: Inputs, people: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame | None:
    """The state at the date before, by number, under whoever goes on from it; who is gone since is left behind.

    Locks are not carried on: those that the policy declares are all there are.
    """
    if inputs.previous_customers is None:
        return None
    numbers = people.select("one_id", "number")
    state = inherit(inputs.previous_customers, aliases(identities)).with_columns(
        tier_locked_until=pl.lit(None, pl.Date), tier_lock_reason=pl.lit(None, pl.String)
    )
    return state.join(numbers, on="one_id").drop("one_id").rename({"number": "one_id"})


def _counted_at(inputs: Inputs, policy: Policy, numbered: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per paid order at `as_of`, with the day on which it starts to count towards the tier."""
    is_net = inputs.net_as_of == as_of
    orders = inputs.orders if is_net else net_orders(inputs.orders, inputs.refunds, numbered, as_of=as_of)
    return with_counting_days(orders, inputs.refunds, as_of=as_of, tiers=policy.tiers)


def _moves_at(inputs: Inputs, policy: Policy, numbered: pl.LazyFrame, as_of: date) -> pl.LazyFrame | None:
    """One row per refund by `as_of`: what it took off an order, and when; None where nothing was ever refunded."""
    if inputs.refunds.limit(1).collect().is_empty():
        return None
    orders = _counted_at(inputs, policy, numbered, as_of)
    return in_memory("refund moves", refund_moves(orders, inputs.refunds, as_of=as_of, tiers=policy.tiers))


def _with_spend(people: pl.LazyFrame, orders: pl.LazyFrame, as_of: date, policy: Policy) -> pl.LazyFrame:
    """One row per customer: the number and the spend in the qualifying window that ends at `as_of`."""
    since = spend_window_since(as_of, policy.tiers)
    spend = sum_by_customer(orders.with_columns(in_spend_window(as_of, policy.tiers)), [TIER_SPEND], since)
    standing = people.select(one_id="number").join(spend, on="one_id", how="left")
    return standing.with_columns(pl.col("tier_spend_fen").fill_null(0))
