"""What messages speak against one more: caps that are full, and rivals of the day."""

from dataclasses import dataclass
from datetime import date
from typing import Self

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Cap
from tasks.policy.models import Policy
from tasks.transforms.caps import over_cap


@dataclass(frozen=True)
class Rules:
    """What a policy says of messages beside each other."""

    caps: tuple[Cap, ...]
    """Those of all campaigns."""
    groups: dict[str, str | None]
    """Code of each campaign to its exclusive group."""
    silent: frozenset[str]
    """Codes of the campaigns whose sends no customer reads."""
    order: tuple[str, ...]
    """Codes of the campaigns as the walk goes."""

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """Read them once."""
        return cls(
            tuple(policy.contacting.caps),
            {c.code: c.exclusive_group for c in policy.campaigns},
            frozenset(c.code for c in policy.campaigns if c.tells_nobody),
            tuple(c.code for c in sorted(policy.campaigns, key=lambda c: (c.priority, c.code))),
        )

    def rivals(self, campaign: Campaign) -> list[str]:
        """Codes of the other campaigns of its exclusive group."""
        group = self.groups[campaign.code]
        return [code for code, of in self.groups.items() if group and of == group and code != campaign.code]

    def days(self, campaign: Campaign) -> int:
        """How far from the day of a send a message can lie that speaks against it."""
        caps = campaign.caps if campaign.tells_nobody else (*self.caps, *campaign.caps)
        return max((cap.days for cap in caps), default=1 if self.rivals(campaign) else 0)


def against(messages: pl.DataFrame, rules: Rules, campaign: Campaign, send_on: date, by: str) -> pl.DataFrame:
    """One row per `by` (one_id or recipient_key) against whom a message speaks.

    Returns:
        `by`, over_cap (the cap, in words), taken_by (the rival's code).
    """
    today = messages.filter(pl.col("send_on") == send_on, pl.col("campaign").is_in(rules.rivals(campaign)))
    taken = today.filter(pl.col(by).is_not_null()).group_by(by).agg(taken_by=pl.col("campaign").min())
    is_read = ~pl.col("campaign").is_in(sorted(rules.silent)) | (pl.col("campaign") == campaign.code)
    caps = () if campaign.tells_nobody else rules.caps
    full = over_cap(messages.filter(is_read), caps, campaign, send_on, by)
    return full.join(taken, on=by, how="full", coalesce=True)
