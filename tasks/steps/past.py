"""The customers of a date with moves, history and audiences, where conditions read them. No task stands here."""

from collections.abc import Collection
from datetime import date, datetime

import polars as pl

from tasks.policy.audience_graph import words_in
from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.steps.house import lake_at, snapshot_of
from tasks.steps.inputs import previous_as_of
from tasks.transforms.audience import base_of, newest_as_of
from tasks.transforms.history import Messages
from tasks.transforms.lineage import aliases, follow
from tasks.transforms.orders import known_at, owned_orders
from tasks.transforms.seen import Past, seen_columns, with_seen
from tasks.transforms.split_orders import numbered_as_placed
from tasks.transforms.wecom_tags import adviser_contacts, last_handed

_BASE = ("customers", "traits", "tags")


def past_of(
    run: Run, policy: Policy, *, as_of: date, send_on: date, known_as_of: datetime, identities: pl.LazyFrame
) -> Past:
    """What was before the day of a send: lazily, so that what nobody reads is never opened.

    `identities` are those of the date, under whose ids everything is told.
    """
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    names = aliases(identities)
    touches, orders = (
        lake.scan(name, snapshot).pipe(known_at, known_as_of=known_as_of) for name in ("touches", "orders")
    )
    earlier = orders.filter(pl.col("paid_on") < send_on)
    placed = owned_orders(numbered_as_placed(earlier), identities)
    messages = Messages(follow(touches, names), placed, policy.brand.zone)
    synced = _synced(run, policy, touches, names, send_on)
    follows = lake.scan("follows", snapshot).filter(pl.col("known_from") <= known_as_of)
    contacts = adviser_contacts(follows, identities)
    return Past(
        send_on, _customers(run, as_of), _customers(run, as_of.replace(day=1)), names, messages, synced, contacts
    )


def _synced(run: Run, policy: Policy, touches: pl.LazyFrame, names: pl.LazyFrame, send_on: date) -> pl.LazyFrame | None:
    """People as they were at the date of their last send of a campaign that keeps tags, under the ids of now."""
    campaigns = [campaign.code for campaign in policy.campaigns if campaign.tag_sync]
    last = last_handed(touches, campaigns, send_on).collect() if campaigns else None
    if last is None or last.is_empty():
        return None
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    dates = lake.scan("customers", snapshot).select("as_of").unique().collect().to_series()
    seen = {day: newest_as_of(dates, day) for day in last["send_on"].unique() if min(dates) < day}
    days = pl.LazyFrame({"send_on": [*seen], "as_of": [*seen.values()]}, {"send_on": pl.Date, "as_of": pl.Date})
    at = last.lazy().join(days, on="send_on")
    people = base_of(*(lake.scan(table, snapshot, partitions=sorted(set(seen.values()))) for table in _BASE))
    then = follow(people.join(at, on=["one_id", "as_of"]), names)
    return then.sort("send_on", "one_id").unique("one_id", keep="last", maintain_order=True)


def _customers(run: Run, day: date) -> pl.LazyFrame | None:
    """The customers of the newest date before a day, if any."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    before = previous_as_of(lake, snapshot, day)
    return None if before is None else lake.scan("customers", snapshot, partitions=[before])


def with_all_seen(base: pl.LazyFrame, policy: Policy, past: Past, names: Collection[str] | None = None) -> pl.LazyFrame:
    """The base with the columns that the campaigns read, or with those named; they are worked out once."""
    asked = words_in((*policy.campaigns, policy.contacting)) if names is None else frozenset(names)
    own = sorted(asked & seen_columns(policy))
    if not own:
        return base
    seen = with_seen(base, policy, past, own).select("one_id", *own).collect()
    return base.join(seen.lazy(), on="one_id", how="left")
