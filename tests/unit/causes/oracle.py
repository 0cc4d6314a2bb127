"""The same causes by whole refreshes: all is worked out anew for everybody after each difference, in plain steps.

Refunds are the one step that no refresh can take, since money is paid back on a date of its own: for segments and
stages they are dated back; the tier is judged by hand from the orders of each customer.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.customers import standings
from tasks.transforms.cutoffs import ladders
from tasks.transforms.inputs import Inputs, settled
from tasks.transforms.lineage import aliases, inherit
from tasks.transforms.rfm import score_rfm
from tasks.transforms.segments import name_segments
from tests.unit.causes.world import FEBRUARY, MARCH, Tables, World

DIMENSIONS = ("tier", "segment", "stage")
Labels = dict[str, dict[str, str]]


def causes_by_hand(world: World) -> dict[str, dict[str, str | None]]:
    """Dimension to customer to cause, of those who were there before and are there now."""
    first, march = world.months()
    steps = list(_labels_after_each(world, first, march))
    start = _labels(inherit(first["customers"].lazy(), aliases(march["identities"].lazy())).collect())
    told: dict[str, dict[str, str | None]] = {}
    for dimension in DIMENSIONS:
        told[dimension] = {
            one_id: _cause(label, [(step, labels[dimension].get(one_id)) for step, labels in steps])
            for one_id, label in start[dimension].items()
        }
    return told


def _cause(label: str, chain: list[tuple[str, str | None]]) -> str | None:
    """The last step that changed the label; none where it is the same in the end."""
    cause, now = None, label
    for step, after in chain:
        if after is not None and after != now:
            cause, now = step, after
    return None if now == label else cause


def _labels(customers: pl.DataFrame) -> Labels:
    return {name: dict(customers.select("one_id", name).iter_rows()) for name in DIMENSIONS}


def _labels_after_each(world: World, first: Tables, march: Tables) -> Iterator[tuple[str, Labels]]:
    """The labels after each step, of everybody."""
    rules = world.rules[1]
    before, now = world.inputs(FEBRUARY), world.inputs(MARCH)
    state = {
        "previous_as_of": FEBRUARY, "previous_customers": first["customers"].lazy(),
        "previous_identities": first["identities"].lazy(),
    }  # fmt: skip
    old_ids, new_ids = first["identities"].lazy(), march["identities"].lazy()
    frozen = ladders(first["cutoffs"])

    def at(inputs: Inputs, day: Any, identities: pl.LazyFrame) -> Labels:
        made = standings(settled(replace(inputs, **state), identities), rules, day, identities)
        return _labels(_frozen(made, rules, frozen).collect())

    yield "config", _renamed(at(before, FEBRUARY, old_ids), first, march)
    yield "identity", at(replace(now, orders=before.orders, refunds=before.refunds), FEBRUARY, new_ids)
    yield "late_data", at(now, FEBRUARY, new_ids)
    dated_back = now.refunds.with_columns(pl.min_horizontal("refunded_on", pl.lit(FEBRUARY)))
    sold = now.orders.filter(pl.col("paid_on") <= FEBRUARY)
    yield (
        "refund",
        at(replace(now, orders=sold, refunds=dated_back), FEBRUARY, new_ids) | {"tier": _tiers(world, first, march)},
    )
    yield "time", at(replace(now, orders=sold), MARCH, new_ids)
    yield "new_orders", at(now, MARCH, new_ids)
    yield "cutoffs", _labels(march["customers"])


def _frozen(customers: pl.LazyFrame, rules: Policy, frozen: Any) -> pl.LazyFrame:
    return customers.pipe(score_rfm, rules.rfm, frozen).pipe(name_segments, rules.segments, rules.rfm)


def _renamed(labels: Labels, first: Tables, march: Tables) -> Labels:
    """Labels of ids of before under the ids of whoever goes on from them."""
    ids = first["customers"].select("one_id", "first_seen_at", was="one_id").lazy()
    now = dict(inherit(ids, aliases(march["identities"].lazy())).collect().select("was", "one_id").iter_rows())
    return {name: {now[was]: label for was, label in told.items() if was in now} for name, told in labels.items()}


def _tiers(world: World, first: Tables, march: Tables) -> dict[str, str]:
    """Each customer's tier of February with what was paid back in March taken off: one step of the rule, by hand."""
    tiers = world.rules[1].tiers
    owners = {key.split(":")[-1]: one_id for key, one_id in march["identities"].select("key", "one_id").iter_rows()}
    state = inherit(first["customers"].lazy(), aliases(march["identities"].lazy())).collect()
    codes = [tier.code for tier in tiers.tiers]
    back: dict[str, list[tuple[Any, int]]] = {}
    for order, day, fen, _ in world.refunds:
        back.setdefault(order, []).append((day, fen))
    found = {}
    for row in state.iter_rows(named=True):
        orders = [
            (
                day,
                max(fen - sum(b for _, b in back.get(order, ())), 0),
                max((d for d, _ in back.get(order, ())), default=day),
            )
            for order, who, day, fen, _ in world.orders
            if owners.get(who) == row["one_id"] and day <= FEBRUARY
        ]
        found[row["one_id"]] = codes[_level(row, orders, tiers)]
    return found


def _level(row: dict[str, Any], orders: list[Any], tiers: Any) -> int:
    window = timedelta(days=tiers.qualify_window_days)
    level = row["tier_level"]
    spend = sum(net for day, net, _ in orders if FEBRUARY - window < day <= FEBRUARY)
    reached = max(n for n, tier in enumerate(tiers.tiers) if spend >= tier.up_fen)
    if reached > level:
        return reached
    end, by = row["tier_window_end"], row["tier_granted_by"]
    if level > 0 and by is not None:
        granting = [(net, last) for day, net, last in orders if end - window < day <= end]
        if any(last > end for _, last in granting):
            left = sum(net for net, _ in granting)
            least = [tier.keep_fen if by == "keep" else tier.up_fen for tier in tiers.tiers]
            return min(level, max(n for n, fen in enumerate(least) if left >= fen))
    return level
