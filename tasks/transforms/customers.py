"""One month's customers, from known rows to layers: the one composition that flows, verify and bench share."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from expectations.tables import TABLES
from tasks.policy.load import digest_of
from tasks.policy.models import Policy
from tasks.transforms.facts import customer_facts
from tasks.transforms.identity import resolve
from tasks.transforms.lifecycle import stage_customers
from tasks.transforms.metrics import key_figures
from tasks.transforms.migration import migrate
from tasks.transforms.orders import net_orders, with_closings
from tasks.transforms.rfm import cutoffs_of, score_rfm
from tasks.transforms.segments import name_segments
from tasks.transforms.tags import tag_customers
from tasks.transforms.tier_replay import advance
from tasks.transforms.tier_spend import spend_at, with_counting_days


@dataclass(frozen=True)
class Inputs:
    """What a refresh reads: rows already filtered to those known at its instant."""

    orders: pl.LazyFrame
    order_lines: pl.LazyFrame
    refunds: pl.LazyFrame
    products: pl.LazyFrame
    sightings: pl.LazyFrame
    previous_customers: pl.LazyFrame | None = None
    """The customers of the date before, where there is one."""
    previous_as_of: date | None = None


def refresh(inputs: Inputs, policy: Policy, as_of: date) -> dict[str, pl.LazyFrame]:
    """Every table of one refresh by its name, each in its key's order.

    The customers are worked out once and held; what follows from them reads those.
    """
    identities = identities_of(inputs, policy, as_of).collect().lazy()
    customers = customers_of(inputs, policy, as_of, identities).collect().lazy()
    return {
        "identities": identities,
        "customers": customers,
        "cutoffs": cutoffs_of(customers, as_of=as_of, levels=policy.rfm.levels),
        "tags": tag_customers(customers, policy.tags),
        "migrations": migrations_of(inputs, customers, as_of),
        "metrics": key_figures(customers, _orders_at(inputs, policy, identities, as_of), as_of=as_of),
    }


def layer_customers(inputs: Inputs, policy: Policy, as_of: date) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """One row per customer at `as_of`, and one per dimension and score of the cut-offs they met."""
    customers = customers_of(inputs, policy, as_of, identities_of(inputs, policy, as_of))
    return customers, cutoffs_of(customers, as_of=as_of, levels=policy.rfm.levels)


def identities_of(inputs: Inputs, policy: Policy, as_of: date) -> pl.LazyFrame:
    """One row per identity key seen by the end of `as_of`."""
    return resolve(inputs.sightings, as_of=as_of, zone=policy.brand.zone)


def migrations_of(inputs: Inputs, customers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per customer and dimension since the date before; none where there is no date before."""
    if inputs.previous_customers is None or inputs.previous_as_of is None:
        return TABLES["migrations"].empty()
    return migrate(inputs.previous_customers, customers, from_as_of=inputs.previous_as_of, as_of=as_of)


def customers_of(inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer first seen by the end of `as_of`, with every column of the table. Sorted by one_id.

    Inside, a customer is the number of its one_id in byte order: joins and groups by an
    integer cost a fraction of those by text, and the order is the same.
    """
    people = _number_people(identities)
    numbered = identities.join(people, on="one_id").select("key", one_id="number")
    facts = _facts(inputs, policy, as_of, people, numbered)
    tiers = _tiers(inputs, policy, as_of, facts, people, numbered)
    return (
        facts.pipe(score_rfm, levels=policy.rfm.levels)
        .pipe(name_segments, policy.segments, levels=policy.rfm.levels)
        .pipe(stage_customers, _orders_at(inputs, policy, numbered, as_of), as_of=as_of, lifecycle=policy.lifecycle)
        .drop("tier_spend_fen")
        .join(tiers, on="one_id", how="left")
        .rename({"one_id": "number"})
        .join(people.select("number", "one_id"), on="number")
        .sort("number")
        .with_columns(as_of=pl.lit(as_of), policy_digest=pl.lit(digest_of(policy)))
        .select(TABLES["customers"].columns)
    )


def _number_people(identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer: one_id, when first seen, and its number in the order of one_id."""
    people = identities.group_by("one_id").agg(pl.col("first_seen_at").min()).sort("one_id")
    return people.with_row_index("number").with_columns(pl.col("number").cast(pl.Int64))


def _orders_at(inputs: Inputs, policy: Policy, identities: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """One row per net order at `as_of` in the brand's currency, with its counting day; no sum crosses currencies."""
    own = inputs.orders.filter(pl.col("currency") == policy.brand.currency)
    refunds = _refunds(inputs, policy)
    return net_orders(own, refunds, identities, as_of=as_of).pipe(
        with_counting_days, refunds, as_of=as_of, tiers=policy.tiers
    )


def _refunds(inputs: Inputs, policy: Policy) -> pl.LazyFrame:
    return with_closings(inputs.refunds, inputs.orders, zone=policy.brand.zone)


def _facts(inputs: Inputs, policy: Policy, as_of: date, people: pl.LazyFrame, numbered: pl.LazyFrame) -> pl.LazyFrame:
    """One row per numbered customer: facts, and the spend that counts towards the tier."""
    return customer_facts(
        people.select("first_seen_at", one_id="number"),
        _orders_at(inputs, policy, numbered, as_of),
        inputs.order_lines,
        inputs.products,
        as_of=as_of,
        window_days=policy.rfm.window_days,
        maturity_days=policy.rfm.maturity_days,
        also=[spend_at(as_of, policy.tiers)],
    )


def _tiers(
    inputs: Inputs, policy: Policy, as_of: date, facts: pl.LazyFrame, people: pl.LazyFrame, numbered: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per numbered customer: the tier at `as_of`, a fold over every month's end since the date before.

    Without a date before, the programme starts with the month of `as_of`.
    """
    state = _numbered_state(inputs, people)
    after = inputs.previous_as_of or as_of.replace(day=1) - timedelta(days=1)
    refunds = _refunds(inputs, policy)
    for review in month_ends_between(after, as_of):
        orders = _orders_at(inputs, policy, numbered, review)
        spend = facts.select("one_id").pipe(_with_spend, orders, review, policy)
        state = advance(spend, state, orders, refunds, after=after, as_of=review, tiers=policy.tiers)
        after = review
    spend = facts.select("one_id", "tier_spend_fen")
    orders = _orders_at(inputs, policy, numbered, as_of)
    return advance(spend, state, orders, refunds, after=after, as_of=as_of, tiers=policy.tiers)


def _numbered_state(inputs: Inputs, people: pl.LazyFrame) -> pl.LazyFrame | None:
    """The state at the date before, by number; who is gone since is left behind."""
    if inputs.previous_customers is None:
        return None
    numbers = people.select("one_id", "number")
    return inputs.previous_customers.join(numbers, on="one_id").drop("one_id").rename({"number": "one_id"})


def _with_spend(people: pl.LazyFrame, orders: pl.LazyFrame, as_of: date, policy: Policy) -> pl.LazyFrame:
    """One row per customer as given, with the spend in the qualifying window that ends at `as_of`."""
    spend = orders.group_by("one_id").agg(spend_at(as_of, policy.tiers))
    return people.join(spend, on="one_id", how="left").with_columns(pl.col("tier_spend_fen").fill_null(0))


def month_ends_between(after: date, before: date) -> list[date]:
    """The last days of months that lie strictly between two dates, in order."""
    ends = []
    start = (after.replace(day=1) + timedelta(days=31)).replace(day=1)
    while (end := start - timedelta(days=1)) < before:
        if end > after:
            ends.append(end)
        start = (start + timedelta(days=31)).replace(day=1)
    return ends
