"""What a report is made from: one month's frames, the policy and the facts of the run. Light to import."""

from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from tasks.policy.models import Policy

REVENUE = pl.Schema({
    "paid_month": pl.String(),
    "is_identified": pl.Boolean(),
    "orders": pl.Int64(),
    "net_fen": pl.Int64(),
})  # fmt: skip
"""One row per month of payment, and whether the buyer is known."""

REFUSALS = pl.Schema({"rule": pl.String(), "rows": pl.Int64(), "money_fen": pl.Int64()})
"""One row per rule that refused rows."""


FUNNEL = pl.Schema({
    "send_id": pl.String(),
    **dict.fromkeys(("planned", "handed_over", "recalled", "accepted", "delivered", "failed", "clicked", "replied",
                     "bought", "waiting"), pl.Int64()),
})  # fmt: skip
"""One row per send: messages that came as far as each step, and those that wait for a colleague's yes."""

SPENT = pl.Schema({"send_id": pl.String(), "price_fen": pl.Int64()})
"""One row per send of which anything was handed over: what its messages cost, each by its parts."""


@dataclass(frozen=True)
class RunFacts:
    """Where the numbers come from; printed at the foot of the page."""

    as_of: date
    policy_digest: str
    code_version: str
    snapshot_seq: int
    known_as_of: datetime | None = None
    """Null means everything that was known when the run started."""
    previous_as_of: date | None = None
    """Null in a brand's first month."""


@dataclass(frozen=True)
class ReportData:
    """One month of one brand. Frames have the columns of expectations/tables.py unless said otherwise."""

    policy: Policy
    month: str
    """Business month, YYYY-MM."""
    facts: RunFacts
    customers: pl.DataFrame
    """At `facts.as_of`."""
    previous: pl.DataFrame
    """Customers at `facts.previous_as_of`; empty in a brand's first month."""
    cutoffs: pl.DataFrame
    migrations: pl.DataFrame
    """To `facts.as_of`, from the report before."""
    files: pl.DataFrame
    refusals: pl.DataFrame
    """Columns of REFUSALS, made by inputs.count_refusals."""
    revenue: pl.DataFrame
    """Columns of REVENUE, made by inputs.monthly_revenue; the report shows the last 13 months of it."""
    audience_members: pl.DataFrame
    """Of the sends that used this month's customers."""
    deliveries: pl.DataFrame
    """Of the same sends."""
    metrics: pl.DataFrame
    """Key figures at `facts.as_of`; may be empty."""
    funnel: pl.DataFrame = field(default_factory=FUNNEL.to_frame)
    """Of the same sends, as known."""
    spent: pl.DataFrame = field(default_factory=SPENT.to_frame)
    """Of the same sends, as known."""

    @property
    def currency(self) -> str:
        """ISO 4217 code of all money in the report."""
        return self.policy.brand.currency
