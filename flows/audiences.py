"""What `strata audiences` tells: the audiences of a policy, their sizes on a lake, what each reads. Nobody by name."""

import difflib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from flows.begin import last_policy
from flows.clock import this_instant
from flows.refreshed import as_it_was, newest_refresh
from tasks.errors import ConfigurationError, MissingDataError
from tasks.policy.audience_graph import closure, names_read
from tasks.policy.audiences import Audience
from tasks.policy.conditions import names_in
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.policy.profiling import appraisals
from tasks.settings import Settings
from tasks.steps.house import lake_at
from tasks.steps.past import past_of, with_all_seen
from tasks.transforms.audience import base_of, newest_as_of

Told = dict[str, Any]


@dataclass(frozen=True)
class Stand:
    """The audiences of a policy, and the customers of one date of a lake, if there are any."""

    policy: Policy
    as_of: date | None = None
    send_on: date | None = None
    base: pl.LazyFrame | None = None
    """One row per customer with a column per audience."""

    def audience(self, code: str) -> Audience:
        """The audience of that code.

        Raises:
            ConfigurationError: there is none; near names are told.
        """
        named = {audience.code: audience for audience in self.policy.audiences}
        if code in named:
            return named[code]
        near = difflib.get_close_matches(code.removeprefix("in_"), named, n=3)
        raise ConfigurationError(
            f"there is no audience {code}", expected="the code of a file in audiences/ of the policy",
            next_step=f"did you mean {', '.join(near)}?" if near else "see `strata audiences list`, or pass --policy",
        )  # fmt: skip


def stand_of(uri: str = "", folder: str = "", as_of: date | None = None, send_on: date | None = None) -> Stand:
    """The audiences as a send would find them; by default the day after the newest customers.

    `as_of` names the customers, `send_on` the day of a send, which reads the newest customers before it. Without a
    lake that was refreshed, the rules alone.
    """
    settings = Settings()
    uri, folder = uri or settings.lake, folder or settings.policy
    stand = Stand(load_policy(Path(folder)) if folder else last_policy(uri))
    try:
        return _on_lake(stand, uri, as_of, send_on)
    except MissingDataError:
        if as_of or send_on or not folder:
            raise
        return stand


def _on_lake(stand: Stand, uri: str, as_of: date | None, send_on: date | None) -> Stand:
    """The stand with the customers that a send would read, as they are known now."""
    lake = lake_at(uri)
    snapshot = lake.snapshot()
    if send_on is not None and as_of is None:
        days = lake.scan("customers", snapshot).select("as_of").unique().collect().to_series()
        as_of = newest_as_of(days, send_on)
    row = newest_refresh(lake, snapshot, as_of, why="audiences are counted among its customers")
    run = as_it_was(row, uri).model_copy(update={"base_seq": snapshot.seq})
    day = row["as_of"]
    tables = ("customers", "traits", "tags", "identities")
    customers, traits, tags, identities = (lake.scan(name, snapshot, partitions=[day]) for name in tables)
    after = send_on or day + timedelta(days=1)
    past = past_of(run, stand.policy, as_of=day, send_on=after, known_as_of=this_instant(), identities=identities)
    columns = [audience.column for audience in stand.policy.audiences]
    base = with_all_seen(base_of(customers, traits, tags), stand.policy, past, columns)
    return replace(stand, as_of=day, send_on=after, base=base)


def list_audiences(stand: Stand) -> list[Told]:
    """One entry per audience in the order of the files; on a lake, how many customers are in it."""
    sizes = _sizes(stand)
    return [
        {"audience": one.code, "zh": one.label.zh, "en": one.label.en, "owner": one.owner,
         **({} if sizes is None else {"customers": sizes[one.column]}), "rule": rule_of(one)}
        for one in stand.policy.audiences
    ]  # fmt: skip


def _sizes(stand: Stand) -> dict[str, int] | None:
    if stand.base is None:
        return None
    counts = stand.base.select(pl.col(each.column).sum() for each in stand.policy.audiences).collect().to_dicts()
    return dict(counts[0]) if counts else {}


def rule_of(audience: Audience) -> str:
    """The rule in one line."""
    parts = [audience.where or ""]
    parts += [f"in one of {', '.join(audience.include)}"] if audience.include else []
    parts += [f"in none of {', '.join(audience.exclude)}"] if audience.exclude else []
    if top := audience.top:
        parts += [f"the first {f'{top.percent:f} %' if top.percent else top.most} by {top.by}"]
    return "; ".join(part for part in parts if part)


def show_audience(stand: Stand, code: str) -> Told:
    """Everything about one audience: rule, what it rests on, who reads it, and on a lake its size by tier."""
    one, policy = stand.audience(code), stand.policy
    columns = {audience.column: audience.code for audience in policy.audiences}
    behind = closure(names_read(one), policy.audiences)
    told: Told = {
        "audience": one.code, "label": one.label.model_dump(), "meaning": one.meaning and one.meaning.model_dump(),
        "owner": one.owner, "rule": rule_of(one),
        "rests_on_audiences": sorted(columns[name] for name in behind & columns.keys()),
        "reads": sorted(behind - columns.keys()),
        "profiling": bool(appraisals([one.column], policy)),
        "read_by_audiences": sorted(each.code for each in policy.audiences if one.column in names_read(each)),
        "read_by_campaigns": sorted(each.code for each in policy.campaigns if one.column in names_in(each.audience)),
    }  # fmt: skip
    return told | ({} if stand.base is None else _size_by_tier(stand, stand.base, one))


def _size_by_tier(stand: Stand, base: pl.LazyFrame, audience: Audience) -> Told:
    levels = {tier.code: level for level, tier in enumerate(stand.policy.tiers.tiers)}
    heads = base.group_by("tier").agg(
        customers=pl.col(audience.column).sum().cast(pl.Int64), of=pl.len().cast(pl.Int64)
    )
    rows = sorted(heads.collect().to_dicts(), key=lambda row: (-levels.get(row["tier"], -1), row["tier"]))
    total = sum(row["customers"] for row in rows)
    return {"as_of": stand.as_of, "send_on": stand.send_on, "customers": total, "by_tier": rows}
