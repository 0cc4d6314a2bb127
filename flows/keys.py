"""What `strata keys show` and `strata access-log` tell: ids, counts and who opened what. No secret, no person."""

from collections.abc import Mapping
from typing import Any

from flows.begin import House, last_policy
from flows.clock import this_instant
from flows.rotation import Use, use_of
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at, pseudonymiser_now
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import accesses
from tasks.stores.ring import Key, KeyRing

Row = dict[str, Any]


def show_keys(uri: str = "") -> dict[str, Any]:
    """The ring's keys by purpose, oldest first, with what stands under each."""
    house = _house(uri)
    keeper = keeper_of(house.policy, house.uri)
    ring = keeper.ring()
    named = pseudonymiser_now(house.policy, house.uri).key_id
    return {
        "brand": house.policy.brand.code,
        "kept_in": keeper.source.name if keeper.source and keeper.source.look() else "the code: it is published",
        "pseudonyms_of_this_lake": named,
        "keys": [*_pseudonym_rows(ring, named), *_sealing_rows(ring, use_of(house)), *_tombstone_rows(ring)],
    }


def access_log(uri: str = "", since: str = "") -> list[Row]:
    """Every opening of the vault since a date, oldest first."""
    objects = objects_at(uri or Settings().lake)
    return [access.model_dump(mode="json", exclude={"token"}) for access in accesses(objects, since=since)]


def _house(uri: str) -> House:
    uri = uri or Settings().lake
    return House(uri, lake_at(uri), last_policy(uri), this_instant())


def _pseudonym_rows(ring: KeyRing, named: str) -> list[Row]:
    ids = [key.id for key in ring.pseudonym]
    reached = ids.index(named)
    states = ["in the chain" if at < reached else "in force" if at == reached else "waits" for at in range(len(ids))]
    return [_row("pseudonym", key, state, None) for key, state in zip(ring.pseudonym, states, strict=True)]


def _sealing_rows(ring: KeyRing, use: Use) -> list[Row]:
    counted: dict[str, Mapping[str, int]] = {
        "seal": use.contacts, "file": {key_id: len(files) for key_id, files in use.raw.items()},
    }  # fmt: skip
    return [
        _row(purpose, key, _state(ring, purpose, key), counted[purpose].get(key.id, 0))
        for purpose, keys in (("seal", ring.seal), ("file", ring.file))
        for key in keys
    ]


def _state(ring: KeyRing, purpose: str, key: Key) -> str:
    if key.retired_on:
        return f"retired {key.retired_on}"
    return "in force" if key == ring.in_force("seal" if purpose == "seal" else "file") else "opens"


def _tombstone_rows(ring: KeyRing) -> list[Row]:
    return [_row("tombstone", ring.tombstone, "in force", None)] if ring.tombstone else []


def _row(purpose: str, key: Key, state: str, uses: int | None) -> Row:
    return {"purpose": purpose, "id": key.id, "state": state, "made_on": key.made_on, "stands_under_it": uses}
