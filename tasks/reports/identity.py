"""Who is who, in figures: sizes, hubs, bridges, the largest persons, refused links, what moved since the date before.

Light to import; the page that draws these figures is tasks/reports/identity_page.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tasks.policy.identity import Guards
from tasks.policy.models import Policy
from tasks.reports.figures import greatest, sum_of

MANY = 13
"""Persons of this many keys and more are one bar."""
SECOND = 2
"""The epoch that every number has that was given to somebody else."""
HUB_RULES = ("hub", "crowded")
_TOP = 20
_BIGGEST = 10
_SHORT = 8


@dataclass(frozen=True)
class IdentityData:
    """One date's stored identity tables. Frames have the columns of expectations/tables.py unless said otherwise."""

    policy: Policy
    as_of: date
    previous_as_of: date | None
    """Null at a brand's first date."""
    snapshot_seq: int
    identities: pl.LazyFrame
    previous: pl.LazyFrame
    """Identities at `previous_as_of`; empty at the first date."""
    conflicts: pl.LazyFrame
    changes: pl.LazyFrame
    ties: pl.LazyFrame
    """`one_id, tie, key`: which keys of a customer stood together on records."""
    bridges: pl.LazyFrame
    """`one_id, key, key_type, smaller, larger`: the keys without which a customer falls apart."""


def identity_figures(data: IdentityData) -> dict[str, Any]:
    """Everything that the report says, ready for JSON. Ids and keys are pseudonyms."""
    persons = _persons(data.identities).collect()
    return {
        "as_of": data.as_of,
        "previous_as_of": data.previous_as_of,
        "snapshot": data.snapshot_seq,
        "customers": persons.height,
        "keys": _number(data.identities.select(pl.col("key").n_unique())),
        "joined_customers": persons.filter(pl.col("keys") > 1).height,
        "largest": greatest(persons, "keys"),
        "reused_keys": _number(data.identities.filter(pl.col("epoch") == SECOND).select(pl.len())),
        "sizes": _sizes(persons),
        "types": _types(data.identities),
        "biggest": _biggest(data.identities, persons),
        "hubs": _hubs(data.conflicts),
        "refused": _refused(data.conflicts),
        "bridges": _bridges(data.bridges),
        "changes": _changes(data),
        "guards": _guards(data, persons),
    }


def _number(one: pl.LazyFrame) -> int:
    return int(one.collect().item())


def _persons(identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer: keys, a key of several epochs counted once."""
    return identities.group_by("one_id").agg(keys=pl.col("key").n_unique().cast(pl.Int64))


def _sizes(persons: pl.DataFrame) -> list[dict[str, Any]]:
    """One row per number of keys from 1 to the largest: customers; MANY and more are one row."""
    sizes = persons.group_by(pl.col("keys").clip(upper_bound=MANY)).agg(
        customers=pl.len().cast(pl.Int64), keys_held=pl.col("keys").sum()
    )
    counts = {found["keys"]: found for found in sizes.iter_rows(named=True)}
    most = max(counts, default=0)
    none = {"customers": 0, "keys_held": 0}
    return [
        {**counts.get(size, none), "keys": f"{size}+" if size == MANY else str(size)} for size in range(1, most + 1)
    ]


def _types(identities: pl.LazyFrame) -> list[dict[str, Any]]:
    """One row per type of key: keys, and those whose customer has another key too; most keys first."""
    alone = pl.col("key").n_unique().over("one_id") == 1
    counted = identities.with_columns(is_joined=~alone).group_by("key_type", "key_class").agg(
        keys=pl.col("key").n_unique().cast(pl.Int64), customers=pl.col("one_id").n_unique().cast(pl.Int64),
        joined_keys=pl.col("key").filter("is_joined").n_unique().cast(pl.Int64),
    )  # fmt: skip
    return counted.sort("keys", "key_type", descending=[True, False]).collect().to_dicts()


def _biggest(identities: pl.LazyFrame, persons: pl.DataFrame) -> list[dict[str, Any]]:
    """The customers of most keys, with what they are made of."""
    top = persons.filter(pl.col("keys") > 1).sort("keys", "one_id", descending=[True, False]).head(_BIGGEST)
    kinds = (
        identities.join(top.lazy(), on="one_id", how="semi")
        .group_by("one_id", "key_type").agg(count=pl.col("key").n_unique())
        .sort("count", "key_type", descending=[True, False])
        .group_by("one_id", maintain_order=True).agg(made_of=pl.struct("key_type", "count"))
    )  # fmt: skip
    return top.lazy().join(kinds, on="one_id", how="left", maintain_order="left").collect().to_dicts()


def _hubs(conflicts: pl.LazyFrame) -> list[dict[str, Any]]:
    """Keys that tell of too many, which are nobody's: how many links they would have made; most first."""
    refused = conflicts.filter(pl.col("rule").is_in(HUB_RULES))
    hub = pl.when(pl.col("one_id_a").is_null()).then("key_a").otherwise("key_b")
    counted = refused.group_by("rule", key=hub).agg(links=pl.len().cast(pl.Int64), evidence=pl.col("evidence").min())
    return counted.sort("links", "key", descending=[True, False]).collect().to_dicts()


def _refused(conflicts: pl.LazyFrame) -> dict[str, Any]:
    """Refused links by rule and evidence, and those with the best evidence."""
    # `member@club: 3 > 1` and `member@club: 2 > 1` are one reason.
    reason = pl.col("evidence").str.replace(r":? *\d+ *>.*$", "")
    counted = conflicts.group_by("rule", evidence=reason).agg(links=pl.len().cast(pl.Int64))
    order = ["evidence_rank", "distinct_days", "first_seen_at", "key_a", "key_b"]
    clashes = conflicts.filter(~pl.col("rule").is_in(HUB_RULES)).sort(
        order, descending=[False, True, False, False, False]
    )
    columns = ["rule", "key_a", "key_b", "one_id_a", "one_id_b", "evidence_rank", "distinct_days", "evidence"]
    most_first = counted.sort("links", "rule", "evidence", descending=[True, False, False]).head(_TOP)
    return {
        "links": _number(conflicts.select(pl.len())),
        "by_rule": most_first.collect().to_dicts(),
        "strongest": clashes.select(columns).head(_TOP).collect().to_dicts(),
    }


def _bridges(found: pl.LazyFrame) -> dict[str, Any]:
    """Customers held together by one phone or e-mail, by type, and the widest of them."""
    by_type = found.group_by("key_type").agg(customers=pl.col("one_id").n_unique().cast(pl.Int64)).sort("key_type")
    widest = found.sort("smaller", "larger", "one_id", "key", descending=[True, True, False, False]).head(_BIGGEST)
    return {
        "customers": _number(found.select(pl.col("one_id").n_unique())),
        "by_type": by_type.collect().to_dicts(),
        "widest": widest.collect().to_dicts(),
    }


def _changes(data: IdentityData) -> dict[str, Any]:
    """What moved since the date before, by kind: customer ids and keys."""
    by_kind = data.changes.group_by("change").agg(
        old_ids=pl.col("old_id").n_unique().cast(pl.Int64), new_ids=pl.col("new_id").n_unique().cast(pl.Int64),
        keys=pl.col("keys").sum(),
    )  # fmt: skip
    before = data.previous.select(pl.col("one_id").n_unique())
    gone_over = data.changes.filter(pl.col("change") != "split_from").select(pl.col("old_id").n_unique())
    return {
        "customers_before": _number(before),
        "changed_ids": _number(data.changes.select(pl.col("old_id").n_unique())),
        "renamed_ids": _number(gone_over),
        "by_kind": by_kind.sort("change").collect().to_dicts(),
    }


def _guards(data: IdentityData, persons: pl.DataFrame) -> list[dict[str, Any]]:
    """What a run is held against, counted from the stored tables as the run counts it."""
    limits = data.policy.identity.guards
    clashes = _number(data.conflicts.filter(~pl.col("rule").is_in(HUB_RULES)).select(pl.len()))
    rows = data.identities.group_by("one_id").agg(pl.len().cast(pl.Int64)).collect()
    links = clashes + sum_of(rows, "len") - persons.height
    changed = _number(data.changes.select(pl.col("old_id").n_unique()))
    before = _number(data.previous.select(pl.col("one_id").n_unique()))
    largest = greatest(rows, "len")
    return [
        {
            "guard": "max_component",
            "found": str(largest),
            "limit": str(limits.max_component),
            "is_kept": largest <= limits.max_component,
        },
        _share("max_changed_share", changed, before, limits),
        _share("max_refused_share", clashes, links, limits),
    ]


def _share(guard: str, part: int, whole: int, limits: Guards) -> dict[str, Any]:
    limit: Decimal = getattr(limits, guard)
    is_kept = part <= limits.spare or part <= limit * whole
    return {"guard": guard, "found": f"{part} / {whole}", "limit": f"{limit:%}", "is_kept": is_kept}


def told(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures for a terminal: facts first, then a table for each part that has rows; keys are cut short."""
    facts = {name: figures[name] for name in ("as_of", "previous_as_of", "customers", "keys", "joined_customers")}
    counts = {
        "largest": figures["largest"],
        "reused_numbers": figures["reused_keys"],
        "refused_links": figures["refused"]["links"],
        "held_by_one_key": figures["bridges"]["customers"],
        "changed_ids": figures["changes"]["changed_ids"],
    }
    parts = {
        "guards": figures["guards"],
        "keys_of_a_customer": figures["sizes"],
        "types_of_keys": figures["types"],
        "biggest_customers": [{**person, "made_of": made_of(person)} for person in figures["biggest"]],
        "hubs": _short(figures["hubs"][:_BIGGEST]),
        "bridges": _short(figures["bridges"]["widest"]),
        "refused_links_by_rule": figures["refused"]["by_rule"],
        "refused_links_with_the_best_evidence": _short(figures["refused"]["strongest"][:_BIGGEST]),
        "changes_since_the_date_before": figures["changes"]["by_kind"],
    }
    page = {"page": figures["page"]} if "page" in figures else {}
    return {"identity": facts | counts | page, **{name: rows for name, rows in parts.items() if rows}}


def made_of(person: Mapping[str, Any]) -> str:
    """`2 phone, 1 member`."""
    return ", ".join(f"{kind['count']} {kind['key_type']}" for kind in person["made_of"])


def _short(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keys with the beginning of their pseudonym; JSON has the whole."""
    keys = ("key", "key_a", "key_b")
    return [{name: _cut(value) if name in keys else value for name, value in row.items()} for row in rows]


def _cut(key: str) -> str:
    start, _, pseudonym = key.rpartition(":")
    return f"{start}:{pseudonym[:_SHORT]}" + ("…" if len(pseudonym) > _SHORT else "")
