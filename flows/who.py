"""Who is this: a customer's keys, the records and links that made them one, what was refused, and what they were."""

from datetime import date, datetime
from typing import Any

import polars as pl

from flows.naming import Register, register_of
from tasks.errors import MissingDataError
from tasks.settings import Settings
from tasks.stores.runs import finished_runs
from tasks.transforms.identity import with_owner
from tasks.transforms.identity.evidence import records_of, ties_between
from tasks.transforms.orders import known_at
from tasks.transforms.survivorship import surviving

KEYS = ("key", "epoch", "key_class", "first_seen_at", "valid_from", "valid_to", "own_id")
REFUSED = ("rule", "key_a", "key_b", "one_id_a", "one_id_b", "evidence_rank", "distinct_days", "evidence")
DECLARED = ("link", "key_a", "key_b", "decided_at", "evidence", "channel")
ATTRIBUTES = ("attribute", "value", "rule", "channel", "exported_at", "profiles", "values")


def explain_identity(text: str, as_of: date | None, uri: str = "") -> dict[str, Any]:
    """Everything about the customer of an id or key at a date; of a key that is nobody's, why it is.

    Raises:
        MissingDataError: nobody ever had it.
    """
    register = register_of(uri or Settings().lake, as_of)
    try:
        one_id = register.person(text)
    except MissingDataError:
        if text.startswith("c_"):
            raise
        return _of_nobody(register, register.key(text))
    return _of_customer(register, one_id, text)


def _of_customer(register: Register, one_id: str, asked: str) -> dict[str, Any]:
    own = register.identities.filter(pl.col("one_id") == one_id).sort("first_seen_at", "key", "epoch")
    keys, zone = own.lazy().select("key").unique(), register.policy.brand.zone
    seen = _seen_of(register, keys, one_id)
    changes = _changes(register, own["own_id"].to_list())
    return {
        "one_id": one_id,
        "as_of": register.day,
        **(
            {"asked_for": asked, "note": f"{asked} is {one_id} now"}
            if asked.startswith("c_") and asked != one_id
            else {}
        ),
        "former_ids": sorted({*changes.filter(new_id=one_id, change="merged_into")["old_id"]} - {one_id}),
        "keys": own.select(KEYS).to_dicts(),
        "links": ties_between(seen, keys, zone).collect().to_dicts(),
        "declared": _declared(register, own["key"].to_list()),
        "refused": _refused(register, own["key"].to_list()),
        "changes": changes.to_dicts(),
        "records": records_of(seen, keys, zone).collect().to_dicts(),
        "attributes": attributes_of(register, one_id).select(ATTRIBUTES).to_dicts(),
    }


def _of_nobody(register: Register, key: str) -> dict[str, Any]:
    """A key without a customer: a hub, a blocked value, or one that reaches people and names none."""
    records = records_of(_seen(register), pl.LazyFrame({"key": [key]}), register.policy.brand.zone).collect()
    refused = _refused(register, [key])
    if records.is_empty() and not refused:
        raise MissingDataError(
            f"no record shows that {key.partition(':')[0]} key by {register.day}",
            expected="a key of some record", next_step="check the value, or ask for a later --as-of",
        )  # fmt: skip
    return {
        "one_id": None,
        "as_of": register.day,
        "note": "the key belongs to nobody: too many have it, policy blocks it, or it only reaches people",
        "declared": _declared(register, [key]),
        "refused": refused,
        "records": records.to_dicts(),
    }


def attributes_of(register: Register, one_id: str) -> pl.DataFrame:
    """One row per attribute of which a profile of the customer says something: the value that stands, and why."""
    members = register.lake.scan("members", register.snapshot).pipe(known_at, known_as_of=_known_as_of(register))
    own = members.pipe(with_owner, register.identities.lazy(), key="member_key", at="exported_at")
    profiles = own.filter(pl.col("one_id") == one_id)
    return surviving(profiles, register.policy.identity.survivorship).collect()


def _known_as_of(register: Register) -> datetime:
    """The knowledge limit of the newest refresh of the register's date."""
    runs = finished_runs(register.lake, register.snapshot).filter(flow="refresh", as_of=register.day)
    known: datetime = runs["known_as_of"][-1]
    return known


def _seen(register: Register) -> pl.LazyFrame:
    """The sightings on which the date's identities rest."""
    seen = register.lake.scan("sightings", register.snapshot).pipe(known_at, known_as_of=_known_as_of(register))
    return seen.filter(pl.col("seen_at").dt.convert_time_zone(register.policy.brand.zone).dt.date() <= register.day)


def _seen_of(register: Register, keys: pl.LazyFrame, one_id: str) -> pl.LazyFrame:
    """The sightings that are the customer's: those of a number that changed hands only while it was theirs."""
    own = _seen(register).filter(pl.col("key_role") == "identity").join(keys, on="key", how="semi")
    tiles = register.identities.lazy().join(keys, on="key", how="semi")
    return own.pipe(with_owner, tiles, key="key", at="seen_at").filter(pl.col("one_id") == one_id)


def _declared(register: Register, keys: list[str]) -> list[dict[str, Any]]:
    links = register.lake.scan("identity_links", register.snapshot).pipe(known_at, known_as_of=_known_as_of(register))
    return links.filter(_touches(keys)).sort("decided_at", *DECLARED[1:3]).select(DECLARED).collect().to_dicts()


def _refused(register: Register, keys: list[str]) -> list[dict[str, Any]]:
    conflicts = register.lake.scan("identity_conflicts", register.snapshot, partitions=[register.day])
    return conflicts.filter(_touches(keys)).sort("rule", "key_a", "key_b").select(REFUSED).collect().to_dicts()


def _touches(keys: list[str]) -> pl.Expr:
    """Whether a row about two keys is about one of these; `#n` at a key's end is its epoch."""
    return pl.any_horizontal(pl.col(name).str.replace(r"#\d+$", "").is_in(keys) for name in ("key_a", "key_b"))


def _changes(register: Register, ids: list[str]) -> pl.DataFrame:
    """One row per merge or split, up to the date, that one of these ids took part in."""
    changes = register.lake.scan("identity_changes", register.snapshot).filter(pl.col("as_of") <= register.day)
    mine = pl.col("old_id").is_in(ids) | pl.col("new_id").is_in(ids)
    return changes.filter(mine).sort("as_of", "old_id", "new_id").collect()
