"""A few people's labels as they would be under other circumstances: other rules, other knowledge, another date."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.causes.steps import DIMENSIONS
from tasks.transforms.customers import standings
from tasks.transforms.held import in_memory
from tasks.transforms.inputs import Inputs, number_people, numbered_keys
from tasks.transforms.orders import owned_orders
from tasks.transforms.rfm import Ladder, score_rfm
from tasks.transforms.segments import name_segments

Labels = pl.LazyFrame
"""One row per customer: one_id, and a label of each dimension that was asked for."""
_PIECE = 250_000
"""People who are replayed at once, where each stands alone."""


@dataclass(frozen=True)
class Rules:
    """What every replay between two dates shares."""

    policy: Policy
    """The rules of the later date."""
    ladders: Mapping[str, Ladder] | None
    """The cut-offs of the earlier date under these rules; None: unknown, and segments are not replayed."""

    @property
    def is_local(self) -> bool:
        """Whether labels follow from a customer's own orders: no cap on all, no cycle of others, no goods."""
        return self.policy.rfm.winsorise is None and self.policy.lifecycle.basis == "days"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The labels that can be replayed."""
        return DIMENSIONS if self.ladders is not None else tuple(name for name in DIMENSIONS if name != "segment")


def replayed(inputs: Inputs, identities: pl.LazyFrame, people: pl.DataFrame, as_of: date, rules: Rules) -> pl.LazyFrame:
    """One row per customer of `people` (one_id): all that is known of them at `as_of`. `inputs` are settled ones.

    Where the orders go by the numbers of all customers, `people` bring theirs: number.
    The tier goes on from the date before, also where `as_of` is that date: then its review is held once more, which
    leaves every tier as it is unless something differs.
    """
    own, theirs = identities, inputs
    if rules.is_local:
        own = in_memory("keys", identities.join(people.lazy(), on="one_id", how="semi"))
        theirs = replace(inputs, orders=_orders_of(people, own, inputs), order_lines=TABLES["order_lines"].empty())
    layered = standings(theirs, rules.policy, as_of, own)
    return layered.join(people.lazy(), on="one_id", how="semi").pipe(with_frozen_segment, rules)


def labels_of(inputs: Inputs, identities: pl.LazyFrame, people: pl.DataFrame, as_of: date, rules: Rules) -> Labels:
    """The labels alone of `replayed`."""
    size = _PIECE if rules.is_local else max(people.height, 1)
    pieces = [people.slice(first, size) for first in range(0, max(people.height, 1), size)]
    told = (replayed(inputs, identities, some, as_of, rules).select("one_id", *rules.dimensions) for some in pieces)
    return pl.concat([in_memory("labels", labels) for labels in told])


def with_frozen_segment(scored: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """One row per customer as given, with scores by the cut-offs of the earlier date, and the segment that follows."""
    if rules.ladders is None:
        return scored
    return scored.pipe(score_rfm, rules.policy.rfm, rules.ladders).pipe(
        name_segments, rules.policy.segments, rules.policy.rfm
    )


def _orders_of(people: pl.DataFrame, keys: pl.LazyFrame, inputs: Inputs) -> pl.LazyFrame:
    """The orders of these people, read once, for a replay looks through them a dozen times; buyers by their place."""
    places = number_people(keys)
    if inputs.owned_orders is None:
        theirs = inputs.orders.join(keys.select(buyer_key="key").unique(), on="buyer_key", how="semi")
        return in_memory("orders", owned_orders(theirs, numbered_keys(keys, places)))
    mine = places.rename({"number": "place"}).join(people.lazy(), on="one_id").select("place", one_id="number")
    theirs = inputs.orders.join(mine, on="one_id").drop("one_id").rename({"place": "one_id"})
    return in_memory("orders", theirs)
