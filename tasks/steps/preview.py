"""What a send would be if it went out now: read, counted and compared, nothing written, no contact opened."""

from datetime import datetime
from typing import Any

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.models import Policy
from tasks.policy.vendors import Hours, Vendor
from tasks.refs import Run
from tasks.steps.breaking import told_of
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.knowledge import Horizon, changed_names_at, people_of
from tasks.steps.sending import members_heard, reached_by, send_of, stood_of, terms
from tasks.steps.wording import message_bill
from tasks.stores.sends import Send, read_send
from tasks.transforms.delivery import planned
from tasks.transforms.lineage import under_old_ids
from tasks.transforms.links import with_links
from tasks.transforms.preview import account_rows, cost_of, difference, examples, overlap, variant_rows
from tasks.transforms.variables import variables_by_variant
from tasks.transforms.waterfall import waterfall
from tasks.transforms.windows import Span, hours_of, next_window


def heard_members(run: Run, outbox: str, campaign: Campaign, horizon: Horizon) -> pl.DataFrame:
    """The members of a send that is planned already, as a delivery would find them now."""
    send = send_of(campaign, horizon)
    stood = stood_of(run, horizon, outbox, send, read_send(objects_at(outbox), send))
    return members_heard(run, horizon, send, stood.now)


def preview_of(
    run: Run, outbox: str, campaign: Campaign, horizon: Horizon, members: pl.DataFrame, now: datetime
) -> dict[str, Any]:
    """All that an operator wants to see of a send before it goes; `members` are its audience_members.

    Examples stand under `examples`: they are for a terminal alone.
    """
    policy, send = policy_of(run), send_of(campaign, horizon)
    return (
        about_send(policy, send, members, now, message_bill(run, horizon, campaign, members))
        | {"breaker": _breaker(run, outbox, send, members, horizon)}
        | {"difference": _since_last_revision(run, outbox, send, members, horizon)}
        | {"previous_send": _since_last_send(run, outbox, send, members, horizon)}
        | {"examples": _examples(run, horizon, campaign, members)}
    )


def about_send(
    policy: Policy, send: Send, members: pl.DataFrame, now: datetime, message: dict[str, Any] | None
) -> dict[str, Any]:
    """What can be told of a send by its members and the policy: account, variants, cost, message, hours, terms.

    `message` is wording.message_bill of them: where a text is said, the parts of each message are charged.
    """
    campaign, vendor = policy.campaign(send.campaign), policy.vendor(send.vendor)
    price: int | None = None if message is None else message["cost_fen"]
    return {
        "account": account_rows(waterfall(members)),
        "variants": variant_rows(members, campaign),
        "cost": cost_of(members, campaign, price) | {"currency": policy.brand.currency},
        "message": message,
        "window": window_of(policy, send, now),
        "terms": terms(policy, send).model_dump(mode="json") | {"vendor": vendor.code},
    }


def window_of(policy: Policy, send: Send, now: datetime) -> dict[str, str]:
    """The next span of time in which the vendor may send, in the brand's zone."""
    hours = hours_of(_span(policy.vendor(send.vendor)), _span(policy.campaign(send.campaign)))
    if hours is None:
        return {"opens": "never: vendor and campaign share no hour", "closes": "", "zone": policy.brand.zone}
    window = next_window(send.send_on, now, hours, policy.brand.zone)
    return {
        "opens": window.opens.isoformat(timespec="minutes"), "closes": window.closes.isoformat(timespec="minutes"),
        "zone": policy.brand.zone,
    }  # fmt: skip


def _span(rule: Vendor | Campaign) -> Span | None:
    hours: Hours | None = rule.hours
    return (hours.opens, hours.closes) if hours else None


def _breaker(run: Run, outbox: str, send: Send, members: pl.DataFrame, horizon: Horizon) -> dict[str, Any] | None:
    """What the circuit breaker would say; None too after the first revision: it stands before that one alone."""
    if read_send(objects_at(outbox), send).published.seq:
        return None
    return told_of(run, horizon, send, members)


def _since_last_revision(run: Run, outbox: str, send: Send, members: pl.DataFrame, horizon: Horizon) -> dict[str, Any]:
    """What the next revision would change for the vendor; seq 0 before the first."""
    state = read_send(objects_at(outbox), send)
    revisions = state.published.revisions
    since = {"seq": state.published.seq, "revision": revisions[-1].revision if revisions else None}
    return since | difference(stood_of(run, horizon, outbox, send, state, members).now, planned(members))


def _since_last_send(
    run: Run, outbox: str, send: Send, members: pl.DataFrame, horizon: Horizon
) -> dict[str, Any] | None:
    """Whom the campaign's send before this one reached that this one is for again; None before the first."""
    deliveries = lake_at(run.lake).scan("deliveries", snapshot_of(run))
    own = deliveries.filter(pl.col("campaign") == send.campaign, pl.col("send_on") < send.send_on)
    latest = own.sort("send_on", "seq").select("send_id").tail(1).collect()
    if latest.is_empty():
        return None
    before = Send.parse(latest.item())
    reached = reached_by(run, outbox, before, read_send(objects_at(outbox), before))
    return {"send": before.id} | overlap(reached, planned(members), changed_names_at(run, horizon))


def _examples(run: Run, horizon: Horizon, campaign: Campaign, members: pl.DataFrame) -> list[dict[str, Any]]:
    vendor = policy_of(run).vendor(campaign.vendor)
    people = under_old_ids(people_of(run, horizon), changed_names_at(run, horizon), members.lazy().select("one_id"))
    told = variables_by_variant(people, campaign, members.lazy()).collect().pipe(with_links, members, campaign)
    tiers = people.select("one_id", "tier").collect()
    return examples(members, tiers.join(told.rename({"tier": "tier_said"}, strict=False), on="one_id"),
                    vendor.contact_type)  # fmt: skip
