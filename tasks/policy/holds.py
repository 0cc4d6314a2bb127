"""What people have decided by hand about single customers' tiers: locks that end, and flags of fraud.

Customers are named by their one_id, as `strata explain` prints it; an id of before a merge still names them.
"""

import itertools
from datetime import date, timedelta
from typing import Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Rule

BLANKED = "erased"
"""Stands for the reason, which people write as they like, where the customer was forgotten."""


class Lock(Rule):
    """A tier that stands whatever the customer spends, for whole business months: a review sees it or does not."""

    one_id: str = Field(min_length=3, description="customer")
    tier: Code | None = Field(default=None, description="tier that is given; without one, the tier of that day stays")
    starts_on: date = Field(description="first day of a month")
    ends_on: date = Field(description="last day of a month, on which the lock still holds")
    reason: str = Field(min_length=3, description="why, for people to read")

    @model_validator(mode="after")
    def _whole_months(self) -> Self:
        """Refuse a lock that ends before it starts, or cuts a month."""
        if self.ends_on < self.starts_on:
            raise ValueError(f"lock of {self.one_id}: ends_on {self.ends_on} is before starts_on {self.starts_on}")
        if self.starts_on.day != 1 or (self.ends_on + timedelta(days=1)).day != 1:
            raise ValueError(f"lock of {self.one_id}: expected whole months, found {self.starts_on} to {self.ends_on}")
        return self


class Fraud(Rule):
    """Days on which a customer has no tier at all."""

    one_id: str = Field(min_length=3, description="customer")
    starts_on: date = Field(description="first day")
    ends_on: date | None = Field(default=None, description="last day; none while the case is open")
    reason: str = Field(min_length=3, description="why, for people to read")


class Holds(Rule):
    """Locks of tiers and flags of fraud."""

    locks: tuple[Lock, ...] = Field(default=(), description="at most one of a customer on any day")
    frauds: tuple[Fraud, ...] = Field(default=(), description="they go before locks")

    @model_validator(mode="after")
    def _one_lock_at_a_time(self) -> Self:
        """Refuse two locks of one customer that overlap."""
        ordered = sorted(self.locks, key=lambda lock: (lock.one_id, lock.starts_on))
        for first, second in itertools.pairwise(ordered):
            if first.one_id == second.one_id and second.starts_on <= first.ends_on:
                raise ValueError(f"two locks of {first.one_id} overlap on {second.starts_on}")
        return self
