"""What conditions read beside the customers of a date: the day of the send, moves, history, and audiences."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from tasks.policy.audience_graph import closure
from tasks.policy.models import Policy
from tasks.policy.seen import MONTH_MOVES, MOVES, SEEN, SEND_ON, TAG_CHANGES
from tasks.transforms.audience_columns import add_audiences
from tasks.transforms.history import Messages, add_history
from tasks.transforms.moves import earlier_labels
from tasks.transforms.wecom_tags import NO_CONTACTS, Contacts, changes_by_customer


@dataclass(frozen=True)
class Past:
    """What was before the day of a send, as known at one instant."""

    send_on: date
    before: pl.LazyFrame | None
    """Customers of the date before; None: there is none."""
    last_month: pl.LazyFrame | None
    """Customers of the newest date up to the end of the month before."""
    names: pl.LazyFrame
    """lineage.aliases of the date."""
    messages: Messages
    synced: pl.LazyFrame | None = None
    """People as they were when their tags were last handed over for WeCom; None: they never were."""
    contacts: pl.LazyFrame | None = None
    """wecom_tags.adviser_contacts; None: no adviser follows anybody."""


def with_seen(base: pl.LazyFrame, policy: Policy, past: Past, names: Collection[str]) -> pl.LazyFrame:
    """One row per customer as given, with those columns among `names` that are no facts, traits or tags.

    Joins and sorts are paid only for what `names` ask for, audiences behind audiences included.
    """
    wanted = closure(names, policy.audiences)
    if SEND_ON.name in wanted:
        base = base.with_columns(pl.lit(past.send_on).alias(SEND_ON.name))
    for columns, earlier in ((MOVES, past.before), (MONTH_MOVES, past.last_month)):
        if not wanted.isdisjoint(column.name for column in columns):
            base = base.join(earlier_labels(base, earlier, past.names, columns), on="one_id", how="left")
    if not wanted.isdisjoint(column.name for column in TAG_CHANGES):
        base = base.join(_tag_changes(base, policy, past), on="one_id", how="left")
    entries = tuple(entry for entry in policy.history if not wanted.isdisjoint(entry.columns))
    unread = frozenset(campaign.code for campaign in policy.campaigns if campaign.tells_nobody)
    people = add_history(base, entries, replace(past.messages, unread=unread), past.send_on)
    return add_audiences(people, (audience for audience in policy.audiences if audience.column in wanted))


def _tag_changes(base: pl.LazyFrame, policy: Policy, past: Past) -> pl.LazyFrame:
    """What changes on the contacts of advisers, for the one campaign that keeps tags."""
    kept = [name for campaign in policy.campaigns for name in campaign.tag_sync]
    ids = {name: own for campaign in policy.campaigns for name, own in campaign.tag_ids.items()}
    contacts = NO_CONTACTS if past.contacts is None else past.contacts
    return changes_by_customer(base, past.synced, kept, Contacts(contacts, ids))


def seen_columns(policy: Policy) -> frozenset[str]:
    """The columns that `with_seen` can add."""
    history = (name for entry in policy.history for name in entry.columns)
    return frozenset((*(column.name for column in SEEN), *history, *(each.column for each in policy.audiences)))
