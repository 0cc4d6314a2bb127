"""One date's customers, from known rows to layers: the one composition that flows, verify and tests share."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from expectations.tables import TABLES
from tasks.policy.load import digest_of
from tasks.policy.models import Policy
from tasks.transforms.cutoffs import cutoffs_of, ladders, standing_cutoffs
from tasks.transforms.facts import customer_facts, only_mature
from tasks.transforms.held import Hold, Keep, as_planned, in_memory
from tasks.transforms.holds import holds_at
from tasks.transforms.identity import changes_between, resolve
from tasks.transforms.inputs import Inputs, number_people, numbered_keys, settled_at
from tasks.transforms.lifecycle import stage_customers
from tasks.transforms.lineage import aliases, inherit
from tasks.transforms.orders import net_orders
from tasks.transforms.reviews import month_ends_between, reviews_between
from tasks.transforms.rfm import score_rfm
from tasks.transforms.rfm_values import with_scored_values
from tasks.transforms.segments import name_segments
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
