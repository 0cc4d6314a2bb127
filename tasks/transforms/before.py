"""How the date before was seen by the refresh that made it: under which rules, and knowing what."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.orders import known_at, known_refunds


@dataclass(frozen=True)
class Before:
    """What differs between two refreshes, beside time: rules and knowledge."""

    policy: Policy
    """The rules of the earlier refresh."""
    known_as_of: datetime
    """What the earlier refresh knew."""
    known_since: datetime
    """What the later one knows."""
    order_versions: pl.LazyFrame
    """Every version of every order."""
    refund_versions: pl.LazyFrame
    """Every version of every refund."""

    @property
    def orders(self) -> pl.LazyFrame:
        """The orders as the earlier refresh knew them."""
        return self.order_versions.pipe(known_at, known_as_of=self.known_as_of)

    @property
    def refunds(self) -> pl.LazyFrame:
        """The refunds as the earlier refresh knew them."""
        return self.refund_versions.pipe(known_refunds, known_as_of=self.known_as_of)

    def learned(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """The versions of orders, and of refunds, that one of the two refreshes knew and the other did not."""
        return self._changed(self.order_versions), self._changed(self.refund_versions)

    def _changed(self, versions: pl.LazyFrame) -> pl.LazyFrame:
        first, last = sorted((self.known_as_of, self.known_since))
        came = pl.col("known_from").is_between(first, last, closed="right")
        return versions.filter(came | pl.col("known_to").is_between(first, last, closed="right").fill_null(value=False))
