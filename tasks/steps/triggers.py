"""Allocate what persons set off: the triggered campaigns of a business day, up to an instant of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl
from prefect import task

from tasks.policy.campaigns import Campaign
from tasks.policy.triggers import Trigger
from tasks.refs import Candidate, Run
from tasks.steps.house import lake_at, policy_of, snapshot_of
from tasks.steps.knowledge import Horizon, identities_of, known_for
from tasks.steps.plan import allocated, staged
from tasks.transforms.allocation import Allocation, send_id_of
from tasks.transforms.audience import trigger_column
from tasks.transforms.caps import ledger
from tasks.transforms.known import Known, under_present_ids
from tasks.transforms.triggers import Doings, doings_of, earliest_of, fired, still_to_tell


@task(name="allocate what persons set off", task_run_name="allocate what was set off by {at}")
def allocate_triggered(run: Run, outbox: str, horizon: Horizon, at: datetime) -> tuple[Candidate, ...]:
    """Decide for whom the triggers hold, and stage plan, assignments and ledger; nothing when it stands so already."""
    allocation = triggered_allocation(run, outbox, horizon, at)
    return staged(run, horizon.send_on, allocation) if _is_news(run, horizon, allocation) else ()


def triggered_allocation(run: Run, outbox: str, horizon: Horizon, at: datetime) -> Allocation:
    """The allocation of the day's triggered campaigns among those who set them off on the day.

    Everyone else is not considered: the account of such a send is of those who did something.
    """
    policy, campaigns = policy_of(run), triggered(policy_of(run).campaigns, horizon)
    known = known_for(run, horizon, outbox, policy.campaigns)
    doings = _doings(run, horizon, at, [each.trigger for each in campaigns if each.trigger])
    told = {
        each.code: _people(known, each, horizon, fired(each.trigger, doings, at)) for each in campaigns if each.trigger
    }
    among = _among(known, told, _standing(run, horizon, campaigns))
    return allocated(among, policy, horizon.send_on, at, frozenset(told))


def triggered(campaigns: Iterable[Campaign], horizon: Horizon) -> tuple[Campaign, ...]:
    """The campaigns that persons set off, and whose schedule, if any, names the day."""
    every = (each for each in campaigns if each.trigger is not None)
    return tuple(each for each in every if each.schedule is None or each.schedule.is_due(horizon.send_on))


def _people(known: Known, campaign: Campaign, horizon: Horizon, holds: pl.LazyFrame) -> pl.LazyFrame:
    """One row per person whom the campaign's send of the day is for: one_id, why."""
    now, send = under_present_ids(known), send_id_of(campaign, horizon.send_on)
    mine = now.touches.filter(pl.col("campaign") == campaign.code)
    nobody = mine.select(key="recipient_key", one_id="one_id").limit(0)
    message = ["one_id", "send_id", "recipient_key"]
    planned_at = mine.filter(pl.col("kind").is_in(["planned", "handed_over"])).group_by(message).agg(
        planned_at=pl.col("happened_at").max()
    )  # fmt: skip
    planned = planned_at.join(ledger(mine, nobody), on=message, how="semi").select("one_id", "send_id", "planned_at")
    reached = now.published.filter(pl.col("send_id") == send).select("one_id")
    return still_to_tell(holds, planned, reached, send).collect().lazy()


def _doings(run: Run, horizon: Horizon, at: datetime, triggers: Sequence[Trigger]) -> Doings:
    """What people did up to the instant, as far back as the triggers look, under the customers of the date."""
    lake, snapshot, zone = lake_at(run.lake), snapshot_of(run), policy_of(run).brand.zone
    events, orders, products = (lake.scan(name, snapshot) for name in ("events", "orders", "products"))
    kinds = {name for each in triggers for name in (each.event, *each.without)}
    since = earliest_of(triggers, at)
    recent = events.filter(pl.col("event").is_in(sorted(kinds)), pl.col("happened_at") >= since)
    placed = orders.filter(pl.col("ordered_at") >= since)
    return doings_of(recent, placed, products, identities_of(run, horizon), at, zone)


def _standing(run: Run, horizon: Horizon, campaigns: Sequence[Campaign]) -> pl.LazyFrame:
    """The members of the campaigns' sends of the day as the lake has them."""
    members = lake_at(run.lake).scan("audience_members", snapshot_of(run), partitions=[horizon.send_on])
    return members.filter(pl.col("send_id").is_in([send_id_of(each, horizon.send_on) for each in campaigns]))


def _among(known: Known, told: dict[str, pl.LazyFrame], standing: pl.LazyFrame) -> Known:
    """The same for those alone who set something off on the day, with a column per campaign that says what."""
    base = known.base
    for code, people in told.items():
        base = base.join(people.rename({"why": trigger_column(code)}), on="one_id", how="left")
    concerned = pl.concat([*(people.select("one_id") for people in told.values()), standing.select("one_id")])
    return replace(known, base=base.join(concerned.unique(), on="one_id", how="semi").collect().lazy())


def _is_news(run: Run, horizon: Horizon, allocation: Allocation) -> bool:
    """Whether anybody's outcome is another than the lake has it; who was delivered is planned for good."""
    stored = lake_at(run.lake).scan("audience_members", snapshot_of(run), partitions=[horizon.send_on]).collect()
    stands = stored.with_columns(pl.col("outcome").replace("delivered", "planned"))
    on = ["send_id", "one_id", "outcome"]
    return bool(allocation.moves_ledger or allocation.members.join(stands, on=on, how="anti").height)
