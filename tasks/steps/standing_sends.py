"""The sends of a campaign and a date as they stand, whatever its YAML says now, and what each went out under.

No task stands here.
"""

from datetime import date

import polars as pl

from tasks.policy.models import Policy
from tasks.policy.vendors import Vendor
from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_runs
from tasks.stores.sends import Send, all_sends, read_manifest, read_send


def sends_standing(run: Run, outbox: str, campaign: str, send_on: date) -> list[Send]:
    """Each send of the campaign on that date that was planned or published, at whatever vendor, in order of id."""
    members = lake_at(run.lake).scan("audience_members", snapshot_of(run), partitions=[send_on])
    planned = members.filter(pl.col("campaign") == campaign).select(pl.col("send_id").unique()).collect()
    published = (send for send in all_sends(objects_at(outbox)) if (send.campaign, send.send_on) == (campaign, send_on))
    return sorted({*map(Send.parse, planned.to_series()), *published}, key=lambda send: send.id)


def run_then(run: Run, outbox: str, send: Send) -> Run:
    """The run under the policy that the send's newest revision names; of one never published, that it was planned by.

    The policy of the run itself stands in where no policy is known to have had the campaign at that vendor.
    """
    revisions = read_send(objects_at(outbox), send).published.revisions
    if revisions:
        digest = read_manifest(objects_at(outbox), send, revisions[-1]).origin.policy_digest
        return run.model_copy(update={"policy_digest": digest})
    if _knows(policy_of(run), send):
        return run
    digests = finished_runs(lake_at(run.lake), snapshot_of(run)).get_column("policy_digest").reverse()
    for digest in digests.unique(maintain_order=True):
        if _knows(stored_policy(objects_at(run.lake), digest), send):
            return run.model_copy(update={"policy_digest": digest})
    return run


def vendor_then(run: Run, then: Run, send: Send) -> Vendor:
    """The vendor's profile as the send went out, with the key and server that the vendor has now, where it has any."""
    old = policy_of(then).vendor(send.vendor)
    new = next((vendor for vendor in policy_of(run).vendors if vendor.code == send.vendor), old)
    told = {"encryption": new.encryption or old.encryption, "transport": new.transport or old.transport}
    return old.model_copy(update=told)


def _knows(policy: Policy, send: Send) -> bool:
    return any((one.code, one.vendor) == (send.campaign, send.vendor) for one in policy.campaigns)
