"""A few people's labels as they would be under other circumstances: other rules, other knowledge, another date."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.causes.steps import DIMENSIONS
from tasks.transforms.customers import Inputs, standings
from tasks.transforms.rfm import Ladder, score_rfm
from tasks.transforms.segments import name_segments

Labels = pl.LazyFrame
"""One row per customer: one_id, and a label of each dimension that was asked for."""


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


def replayed(inputs: Inputs, identities: pl.LazyFrame, people: pl.LazyFrame, as_of: date, rules: Rules) -> pl.LazyFrame:
    """One row per customer of `people` (one_id): all that is known of them at `as_of`. `inputs` are settled ones.

    The tier goes on from the date before, also where `as_of` is that date: then its review is held once more, which
    leaves every tier as it is unless something differs.
    """
    own, theirs = identities, inputs
    if rules.is_local:
        own = identities.join(people, on="one_id", how="semi")
        theirs = replace(only_of(inputs, own), order_lines=TABLES["order_lines"].empty())
    layered = standings(theirs, rules.policy, as_of, own)
    return layered.join(people, on="one_id", how="semi").pipe(with_frozen_segment, rules)


def labels_of(inputs: Inputs, identities: pl.LazyFrame, people: pl.LazyFrame, as_of: date, rules: Rules) -> Labels:
    """The labels alone of `replayed`."""
    return replayed(inputs, identities, people, as_of, rules).select("one_id", *rules.dimensions)


def with_frozen_segment(scored: pl.LazyFrame, rules: Rules) -> pl.LazyFrame:
    """One row per customer as given, with scores by the cut-offs of the earlier date, and the segment that follows."""
    if rules.ladders is None:
        return scored
    return scored.pipe(score_rfm, rules.policy.rfm, rules.ladders).pipe(
        name_segments, rules.policy.segments, rules.policy.rfm
    )


def only_of(inputs: Inputs, identities: pl.LazyFrame) -> Inputs:
    """The same with the orders alone that came under one of these keys."""
    keys = identities.select(buyer_key="key").unique()
    return replace(inputs, orders=inputs.orders.join(keys, on="buyer_key", how="semi"))
