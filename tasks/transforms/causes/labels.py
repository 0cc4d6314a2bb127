"""The labels of everybody who moved, after each step of the counterfactual that touches them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import reduce

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.causes import touched
from tasks.transforms.causes.between import Between
from tasks.transforms.causes.refunded import tiers_after_refunds
from tasks.transforms.causes.replay import Labels, Rules, labels_of, replayed, with_frozen_segment
from tasks.transforms.causes.steps import DIMENSIONS, all_columns, is_by_hand, is_unlocked, label_after, without_labels
from tasks.transforms.customers import standings
from tasks.transforms.cutoffs import cutoffs_of, ladders
from tasks.transforms.held import in_memory
from tasks.transforms.inputs import Inputs, own_orders, settled
from tasks.transforms.lineage import aliases, heirs
from tasks.transforms.rfm import Ladder, is_plain_spend

Step = Iterator[tuple[str, Labels]]


def labels_between(
    inputs: Inputs,
    policy: Policy,
    as_of: date,
    customers: pl.LazyFrame,
    identities: pl.LazyFrame,
    changes: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per customer who was there before and has another label now: the columns of `steps.label_after`.

    Worked out once and held: a plan of all replays, read once for each dimension, takes Polars longer than they do.
    Null where a step does not touch the customer. At most five replays, each of those alone who moved and whom its
    difference touches: other rules, a merge, late rows and refunds are replayed where there are any, time for those
    who bought. `inputs` hold a date before.
    """
    between = Between(inputs, policy, as_of, customers, identities, changes)
    if between.state.is_empty():
        return without_labels()
    rules = Rules(policy, _ladders(between))
    steps = (_config, _identity, _late_data, _refunds, _time, _new_orders)
    found = [_named(labels, step) for told in steps for step, labels in told(between, rules)]
    people = between.state.lazy().select("one_id")
    return (
        reduce(lambda left, right: left.join(right, on="one_id", how="left"), found, people)
        .pipe(_with_all_columns)
        .collect()
        .lazy()
    )


def _ladders(between: Between) -> dict[str, Ladder] | None:
    """The cut-offs of the date before, under the rules of now; worked out where those differ."""
    cutoffs = between.inputs.previous_cutoffs
    if cutoffs is None:
        return None
    if between.policy.rfm == between.former_policy.rfm:
        return ladders(cutoffs.collect())
    then = settled(replace(between.as_known_before, previous_cutoffs=None), _identities_before(between))
    scored = standings(then, between.policy, between.after, _identities_before(between))
    return ladders(cutoffs_of(scored, between.policy.rfm, as_of=between.after).collect())


def _identities_before(between: Between) -> pl.LazyFrame:
    known = between.inputs.previous_identities
    return between.identities if known is None else known


def _config(between: Between, rules: Rules) -> Step:
    """The date before under the rules of now: everybody who moved, under the id that they had."""
    previous = between.inputs.previous_customers
    if not between.has_new_rules or previous is None:
        return
    followed = heirs(previous, aliases(between.identities)).filter("is_heir").select("one_id", "now")
    names = followed.join(between.state.lazy().select(now="one_id"), on="now", how="semi").collect()
    identities = _identities_before(between)
    then = settled(between.as_known_before, identities)
    labels = labels_of(then, identities, names.select("one_id"), between.after, rules)
    yield "config", labels.join(names.lazy(), on="one_id").with_columns(one_id="now").drop("now")


def _identity(between: Between, rules: Rules) -> Step:
    """The same with who is who now, also where it is because the rules of identity are others."""
    people = between.movers(touched.by_identity(between.changes))
    if people.is_empty():
        return
    then = settled(between.as_known_before, between.identities)
    yield "identity", labels_of(then, between.identities, people, between.after, rules)


def _late_data(between: Between, rules: Rules) -> Step:
    """The same with what is known now of the time before."""
    before = between.inputs.before
    if before is None or before.known_as_of == before.known_since:
        return
    placed = own_orders(between.inputs, between.identities)
    late = touched.by_late_data(before, placed, between.inputs.parts, between.identities, between.after)
    people = between.movers(late)
    if not people.is_empty():
        yield "late_data", labels_of(between.settled, between.identities, people, between.after, rules)


def _refunds(between: Between, rules: Rules) -> Step:
    """The same with what was paid back since, as if on the date before."""
    now, after = between.settled, between.after
    back = now.refunds.filter(pl.col("refunded_on") <= between.as_of)
    sold = now.orders.filter(pl.col("paid_on") <= after)
    people = between.movers(touched.by_refunds(back, sold, after=after, until=between.as_of))
    if people.is_empty():
        return
    theirs = in_memory("orders", sold.join(people.lazy().select(one_id="number"), on="one_id", how="semi"))
    early = replace(
        now,
        orders=theirs if rules.is_local else sold,
        refunds=back.with_columns(pl.min_horizontal("refunded_on", pl.lit(after))),
        net_as_of=after,
    )
    labels = labels_of(early, between.identities, people, after, rules)
    yield "refund", labels.drop("tier").join(_tiers(between, people.lazy(), theirs, back), on="one_id")


def _tiers(between: Between, people: pl.LazyFrame, sold: pl.LazyFrame, back: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer: the tier with what was paid back since. `sold` are their orders, net of it."""
    theirs = sold.rename({"one_id": "number"}).join(people, on="number").drop("number")
    state = between.state.lazy().join(people, on="one_id", how="semi")
    return tiers_after_refunds(state, theirs, back, at=between.after, tiers=between.policy.tiers)


def _time(between: Between, rules: Rules) -> Step:
    """The date of now without what was bought since; who bought nothing stands where they stand with it."""
    bought = touched.by_new_orders(between.now, between.state.lazy(), between.after)
    people = between.movers(bought)
    if people.is_empty():
        return
    old = between.settled.orders.filter(pl.col("paid_on") <= between.after)
    still = replace(between.settled, orders=old)
    yield "time", labels_of(still, between.identities, people, between.as_of, rules)


def _new_orders(between: Between, rules: Rules) -> Step:
    """Everything as it is, but the cut-offs of the date before, and tiers that nobody decided on by hand."""
    now = between.now
    if rules.ladders is not None:
        yield "new_orders", _under_old_cutoffs(between, rules).select("one_id", "segment")
        yield "cutoffs", now.select("one_id", "segment")
    before = between.state.lazy().select("one_id", "tier", was_locked_until="tier_locked_until")
    decided = is_by_hand() | is_unlocked(between.as_of)
    yield "new_orders", now.drop("tier").join(before, on="one_id").filter(decided).select("one_id", "tier")


def _under_old_cutoffs(between: Between, rules: Rules) -> pl.LazyFrame:
    """Who moved as they are now, with the segment by the cut-offs of the date before."""
    rfm = between.policy.rfm
    if is_plain_spend(rfm) and rfm.frequency == "orders":
        return between.now.pipe(with_frozen_segment, rules)
    people = between.state.select("one_id", "number")
    return replayed(between.settled, between.identities, people, between.as_of, rules)


def _named(labels: Labels, step: str) -> pl.LazyFrame:
    """The labels of one step, worked out, under the names of its columns."""
    held = labels.collect()
    return held.rename({name: label_after(name, step) for name in held.columns if name in DIMENSIONS}).lazy()


def _with_all_columns(labels: pl.LazyFrame) -> pl.LazyFrame:
    """Give a step that touches nobody a column too."""
    known = labels.collect_schema().names()
    return labels.with_columns(pl.lit(None, pl.String).alias(name) for name in all_columns() if name not in known)
