"""Two dates side by side: who moved, from which state, and what each refresh knew."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.causes.steps import DIMENSIONS
from tasks.transforms.inputs import Inputs, settled_at
from tasks.transforms.lineage import aliases, inherit
from tasks.transforms.tiers import STATE

_OF_BEFORE = ("one_id", *DIMENSIONS, "gross_orders", "tier_spend_fen", "first_seen_at", *STATE)
"""What is asked of a row of the date before."""
_RULES = ("rfm", "segments", "tiers", "lifecycle", "calendar")
"""Parts of a policy from which labels follow, identity aside."""


@dataclass(frozen=True)
class Between:
    """What the steps are told from. `inputs` hold a date before."""

    inputs: Inputs
    policy: Policy
    as_of: date
    customers: pl.LazyFrame
    identities: pl.LazyFrame
    changes: pl.LazyFrame

    @cached_property
    def after(self) -> date:
        """The date before."""
        return self.inputs.previous_as_of or self.as_of - timedelta(days=1)

    @cached_property
    def former_policy(self) -> Policy:
        """The rules of the date before."""
        return self.policy if self.inputs.before is None else self.inputs.before.policy

    @property
    def has_new_rules(self) -> bool:
        """Whether labels follow from other rules than at the date before."""
        return any(getattr(self.policy, name, None) != getattr(self.former_policy, name, None) for name in _RULES)

    @cached_property
    def state(self) -> pl.DataFrame:
        """One row per customer who was there before and moved, under the id of now: their row of the date before.

        `number` is their place among all customers of now, by which `settled` knows them.
        """
        labels = self.customers.select("one_id", *(pl.col(name).alias(f"_{name}") for name in DIMENSIONS))
        numbered = labels.sort("one_id").with_row_index("number").with_columns(pl.col("number").cast(pl.Int64))
        previous = self.inputs.previous_customers
        before = self.customers.clear() if previous is None else previous
        moved = pl.any_horizontal(pl.col(name) != pl.col(f"_{name}") for name in DIMENSIONS)
        both = inherit(before.select(_OF_BEFORE), aliases(self.identities)).join(numbered, on="one_id").filter(moved)
        return both.select("number", *_OF_BEFORE).collect()

    @property
    def now(self) -> pl.LazyFrame:
        """The same people's rows of the date."""
        return self.customers.join(self.state.lazy().select("one_id"), on="one_id", how="semi")

    @cached_property
    def settled(self) -> Inputs:
        """What is known now, under the keys of now: its orders net at the date, buyers by number."""
        return settled_at(self.inputs, self.identities, self.as_of)

    @cached_property
    def as_known_before(self) -> Inputs:
        """The inputs with the orders and refunds that the refresh of the date before knew."""
        before = self.inputs.before
        if before is None:
            return self.inputs
        return replace(self.inputs, orders=before.orders, refunds=before.refunds)

    def movers(self, touched: pl.LazyFrame) -> pl.DataFrame:
        """Those of `touched` (one_id or number) who moved: one_id, number."""
        (name,) = touched.collect_schema().names()
        return self.state.lazy().select("one_id", "number").join(touched, on=name, how="semi").collect()
