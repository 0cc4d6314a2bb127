"""What a merge between plan and delivery does to caps and rivals: two people had a share each, one has both."""

from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.transforms.allocation.against import Rules, against
from tasks.transforms.caps import messages_of
from tasks.transforms.funnel import REPLY_DAYS
from tasks.transforms.lineage import follow

_NOBODY = pl.Schema({"one_id": pl.String(), "person": pl.String(), "recipient_key": pl.String()})


class Around(NamedTuple):
    """What a send is compared with when people became one."""

    touches: pl.LazyFrame
    """The ledger table."""
    names: pl.LazyFrame
    """lineage.changed_aliases of today."""
    moved: pl.LazyFrame
    """Those of the members' ids alone."""
    keys: pl.LazyFrame
    """contact_points.keys_of_people of today."""
    rules: Rules


def within_limits(
    members: pl.DataFrame, reached: pl.DataFrame, around: Around, campaign: Campaign, send_on: date
) -> pl.DataFrame:
    """The members of one send as given; whoever would get too much as the one person that they are now gets nothing.

    Only who became one with somebody else is asked again. What was handed over counts, and what is planned and comes
    before this send: on an earlier day, or of the same day in the order of the walk. So of several one goes out.

    Args:
        members: audience_members rows of the send, under the ids of the plan.
        reached: one_id of whom the send has reached already: they keep theirs.
        around: what else there is.
        campaign: that of the send.
        send_on: its day.
    """
    days = around.rules.days(campaign)
    if days == 0:
        return members
    since, until = send_on - timedelta(days=days + REPLY_DAYS), send_on + timedelta(days=days)
    own = (pl.col("campaign") == campaign.code) & (pl.col("send_on") == send_on)
    others = around.touches.filter(pl.col("send_on").is_between(since, until), ~own)
    merged = _merged(members, reached, others, around)
    if merged.is_empty():  # on most days
        return members
    messages = _messages(merged, others, around)
    later = around.rules.order[around.rules.order.index(campaign.code) :]
    comes_first = (pl.col("send_on") < send_on) | ((pl.col("send_on") == send_on) & ~pl.col("campaign").is_in(later))
    counts = messages.filter(pl.col("is_handed_over") | comes_first)
    said = against(counts, around.rules, campaign, send_on, "one_id").rename({"one_id": "person"})
    return _without(members, merged.select("one_id", "person").join(said, on="person"))


def _merged(members: pl.DataFrame, reached: pl.DataFrame, others: pl.LazyFrame, around: Around) -> pl.DataFrame:
    """Planned members, not reached, who have another id now or share theirs with whom another send was for."""
    free = members.lazy().filter(pl.col("outcome") == "planned").select("one_id", "recipient_key")
    free = free.join(reached.lazy().select("one_id"), on="one_id", how="anti")
    renamed = free.join(around.moved.select(one_id="old_id", person="one_id"), on="one_id").collect(engine="streaming")
    joined = (
        around.names.join(others.select(old_id="one_id").unique(), on="old_id", how="semi").select("one_id").unique()
    )
    stayed = free.join(joined, on="one_id", how="semi").collect(engine="streaming")
    stayed = stayed.join(renamed, on="one_id", how="anti").with_columns(person="one_id")
    return pl.concat(rows.select(_NOBODY.names()) for rows in (renamed, stayed))


def _messages(merged: pl.DataFrame, others: pl.LazyFrame, around: Around) -> pl.DataFrame:
    """The messages of other sends that count for these people, under the ids that they have now."""
    people = merged.lazy().select(one_id="person").unique()
    names = around.names.join(people, on="one_id", how="semi").collect()
    keys = around.keys.join(people, on="one_id", how="semi").collect()
    ids = pl.concat([merged["person"], merged["one_id"], names["old_id"]]).unique()
    contacts = pl.concat([merged["recipient_key"], keys["key"]]).unique()
    is_theirs = pl.col("one_id").is_in(ids.implode()) | pl.col("recipient_key").is_in(contacts.implode())
    rows = others.filter(is_theirs).collect(engine="streaming").lazy()
    messages = messages_of(follow(rows, names.lazy()), keys.lazy())
    return messages.join(people.collect(), on="one_id", how="semi")


def _without(members: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The members, less those against whom something is said (one_id, over_cap, taken_by)."""
    is_full, is_taken = pl.col("over_cap").is_not_null(), pl.col("taken_by").is_not_null()
    return (
        members.join(said.select("one_id", "over_cap", "taken_by"), on="one_id", how="left", maintain_order="left")
        .with_columns(
            outcome=pl.when(is_full).then(pl.lit("capped"))
            .when(is_taken).then(pl.lit("lower_priority")).otherwise("outcome"),
            evidence=pl.when(is_full).then(pl.format("{}, as one person since the plan", "over_cap"))
            .when(is_taken).then(pl.format("taken by {}, as one person since the plan", "taken_by"))
            .otherwise("evidence"),
        )
        .select(members.columns)
    )  # fmt: skip
