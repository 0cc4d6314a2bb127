"""Two dates side by side: who moved, from which state, and what each refresh knew."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.causes.steps import DIMENSIONS
from tasks.transforms.customers import Inputs, settled
from tasks.transforms.lineage import aliases, inherit

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
        """One row per customer who was there before and moved, under the id of now: their row of the date before."""
        previous = self.inputs.previous_customers
        if previous is None:
            return self.customers.clear().collect()
        labels = self.customers.select("one_id", *(pl.col(name).alias(f"_{name}") for name in DIMENSIONS))
        moved = pl.any_horizontal(pl.col(name) != pl.col(f"_{name}") for name in DIMENSIONS)
        both = inherit(previous, aliases(self.identities)).join(labels, on="one_id").filter(moved)
        return both.drop(f"_{name}" for name in DIMENSIONS).collect()

    @cached_property
    def now(self) -> pl.DataFrame:
        """The same people's rows of the date."""
        return self.customers.join(self.state.lazy().select("one_id"), on="one_id", how="semi").collect()

    @cached_property
    def settled(self) -> Inputs:
        """What is known now, under the keys of now."""
        return settled(self.inputs, self.identities)

    @cached_property
    def as_known_before(self) -> Inputs:
        """The inputs with the orders and refunds that the refresh of the date before knew."""
        before = self.inputs.before
        if before is None:
            return self.inputs
        return replace(self.inputs, orders=before.orders, refunds=before.refunds)

    def movers(self, touched: pl.LazyFrame) -> pl.DataFrame:
        """Those of `touched` (one_id) who moved: one_id."""
        return touched.join(self.state.lazy().select("one_id"), on="one_id", how="semi").collect()
