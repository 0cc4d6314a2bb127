"""Plans that never went out and may not any more: they hold nobody back. No task stands here."""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.stores.sends import Send, read_send

_MOST_DAYS: Final = Campaign.model_fields["max_age_days"].default
"""Of a campaign that the policy has no more."""


def stale_sends(run: Run, outbox: str, send_on: date) -> list[Send]:
    """The sends of earlier days of which something is planned, nothing was handed over, and delivery would be refused.

    The day that counts is that of the run's knowledge or of the send that is looked at, whichever is earlier.
    """
    if run.known_as_of is None:
        return []
    policy = policy_of(run)
    today = min(send_on, run.known_as_of.astimezone(ZoneInfo(policy.brand.zone)).date())
    most = {campaign.code: campaign.max_age_days for campaign in policy.campaigns}
    kind = pl.col("kind")
    counts = (
        lake_at(run.lake).scan("touches", snapshot_of(run)).filter(pl.col("send_on") < today)
        .group_by("send_id", "campaign", "send_on")
        .agg(planned=(kind == "planned").sum(), sent=(kind == "handed_over").sum(), off=(kind == "cancelled").sum())
        .filter(pl.col("sent") == 0, pl.col("planned") > pl.col("off"))
        .collect(engine="streaming")
    )  # fmt: skip
    old = [
        Send.parse(send_id)
        for send_id, campaign, day in counts.select("send_id", "campaign", "send_on").sort("send_id").iter_rows()
        if (today - day).days > most.get(campaign, _MOST_DAYS)
    ]
    return [send for send in old if not read_send(objects_at(outbox), send).published.seq]
