"""The circuit breaker before a send's first revision: too unlike the last one, it does not go. No task stands here."""

import json
from datetime import date
from typing import Any

import polars as pl

from tasks.errors import BreakerTrippedError
from tasks.policy import conditions
from tasks.policy.breaks import Breaks
from tasks.policy.campaigns import Campaign
from tasks.refs import Ref, Run
from tasks.steps.house import lake_at, objects_at, policy_of, pseudonymiser_of, snapshot_of
from tasks.steps.knowledge import Horizon, changed_names_at
from tasks.stores.overrides import Override, read_override, write_override
from tasks.stores.sends import Send
from tasks.transforms.audience import newest_as_of
from tasks.transforms.breakers import Comparison, compare, tripped
from tasks.transforms.lineage import follow
from tasks.transforms.waterfall import GOING


class Word(Ref):
    """An operator's word that a send may go although it is unlike the last one."""

    reason: str
    said_by: str
    said_at: str


def breaks_of(run: Run, campaign: Campaign) -> Breaks | None:
    """The limits of a campaign: its own, else those of all campaigns.

    What persons set off grows over the day: only limits of its own hold for it.
    """
    return campaign.breaks or (None if campaign.trigger else policy_of(run).contacting.breaks)


def look_back(run: Run, horizon: Horizon, send: Send, members: pl.DataFrame) -> tuple[Comparison | None, list[str]]:
    """The send beside the campaign's last delivered one (None where there is none), and each limit that it breaks."""
    breaks = breaks_of(run, policy_of(run).campaign(send.campaign))
    last = _last_send(run, send) if breaks else None
    if breaks is None or last is None:
        return None, []
    now = _with_parts(run, horizon, members, horizon.as_of, breaks)
    before = _with_parts(run, horizon, _members_of(run, last), _as_of(run, last.send_on), breaks)
    told = compare(now, before)
    return told, tripped(told, breaks)


def guard(run: Run, horizon: Horizon, send: Send, members: pl.DataFrame, word: Word | None) -> str:
    """Say how the send compares, or stop it.

    Raises:
        BreakerTrippedError: a limit is broken, and nobody has given their word for these very numbers.
        SecurityRefusedError: somebody tampered with the word.
    """
    told, broken = look_back(run, horizon, send, members)
    if told is None:
        watched = breaks_of(run, policy_of(run).campaign(send.campaign)) is not None
        return "nothing to compare with: the campaign's first send" if watched else "not watched"
    if not broken:
        return f"holds against the last send ({told.people_before} -> {told.people} people)"
    objects, key = objects_at(run.lake), pseudonymiser_of(run).digest_key
    said = read_override(objects, send.id, told.told(), key)
    if said is None and word is not None:
        said = write_override(objects, Override(send.id, told.told(), broken, **word.model_dump()), key)
    if said is None:
        raise _stopped(send, told, broken)
    return f"overridden by {said.said_by}: {said.reason} ({'; '.join(said.broken)})"


def _stopped(send: Send, told: Comparison, broken: list[str]) -> BreakerTrippedError:
    return BreakerTrippedError(
        f"{send.id} is too unlike the campaign's last send: {'; '.join(broken)}",
        expected=f"an audience within `breaks`; the numbers are {json.dumps(told.told(), ensure_ascii=False)}",
        next_step=f"nothing was published; see `strata campaign {send.campaign} --send-on {send.send_on} --dry-run`; "
        "if it is meant, run it again with --override-breaker REASON, which is signed and holds for these numbers",
    )


def _last_send(run: Run, send: Send) -> Send | None:
    """The newest earlier send of the campaign that was delivered and not cancelled."""
    rows = lake_at(run.lake).scan("deliveries", snapshot_of(run))
    earlier = rows.filter(pl.col("campaign") == send.campaign, pl.col("send_on") < send.send_on)
    for send_id in earlier.sort("send_on", "send_id", descending=True).collect()["send_id"].unique(maintain_order=True):
        last = Send.parse(send_id)
        if _members_of(run, last).height:
            return last
    return None


def _members_of(run: Run, send: Send) -> pl.DataFrame:
    """Who was delivered in an earlier send; nobody in one that was cancelled."""
    rows = lake_at(run.lake).scan("audience_members", snapshot_of(run), partitions=[send.send_on])
    return rows.filter(pl.col("send_id") == send.id, pl.col("outcome") == "delivered").collect()


def _as_of(run: Run, send_on: date) -> date:
    dates = lake_at(run.lake).scan("customers", snapshot_of(run)).select("as_of").unique().collect().to_series()
    return newest_as_of(dates, send_on)


def _with_parts(run: Run, horizon: Horizon, members: pl.DataFrame, as_of: date, breaks: Breaks) -> pl.DataFrame:
    """Who gets the message, with the part that they were in then: one_id as it is now, part (`-` where not known)."""
    base = lake_at(run.lake).scan("customers", snapshot_of(run), partitions=[as_of])
    by = conditions.parse(breaks.by, base.collect_schema().names(), where="breaks: by")
    parts = base.select("one_id", part=by.cast(pl.String))
    going = members.lazy().filter(pl.col("outcome").is_in(GOING)).select("one_id")
    rows = going.join(parts, on="one_id", how="left").with_columns(pl.col("part").fill_null("-"))
    return follow(rows, changed_names_at(run, horizon)).collect()


def word_of(reason: str, said_by: str, said_at: str) -> Word | None:
    """The operator's word; None without a reason."""
    return Word(reason=reason, said_by=said_by, said_at=said_at) if reason else None


def told_of(run: Run, horizon: Horizon, send: Send, members: pl.DataFrame) -> dict[str, Any] | None:
    """What a rehearsal shows: the numbers beside those of the last send, and what would stop it.

    None where nothing watches the campaign, or where there is no send to compare it with.
    """
    told, broken = look_back(run, horizon, send, members)
    return None if told is None else {"would_stop": bool(broken), "compared": told.told(), "broken": broken}
