"""What `strata keys show`, `keys export` and `strata access-log` do: no secret and no person is ever printed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.rotation import Use, house_of, use_of
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.steps.house import objects_at, pseudonymiser_now
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import accesses
from tasks.stores.ring import Key, KeyRing
from tasks.stores.whole import create_whole

OWNER_ALONE = 0o600
Row = dict[str, Any]


def show_keys(uri: str = "") -> dict[str, Any]:
    """The ring's keys by purpose, oldest first, with what stands under each."""
    house = house_of(uri)
    keeper = keeper_of(house.policy, house.uri)
    ring = keeper.ring()
    named = pseudonymiser_now(house.policy, house.uri).key_id
    return {
        "brand": house.policy.brand.code,
        "kept_in": keeper.source.name if keeper.source and keeper.source.look() else "the code: it is published",
        "pseudonyms_of_this_lake": named,
        "keys": [*_pseudonym_rows(ring, named), *_sealing_rows(ring, use_of(house)), *_tombstone_rows(ring)],
    }


def export_keys(out: Path, uri: str = "", *, analysis: bool = False, kms_key: str = "") -> dict[str, Any]:
    """Write the ring to a new file of mode 0600: all of it, for analysis alone, or sealed under a key of KMS.

    Raises:
        ConfigurationError: the file is there already.
    """
    house = house_of(uri)
    keeper = keeper_of(house.policy, house.uri)
    ring = keeper.ring().for_analysis() if analysis else keeper.ring()
    text = ring.document()
    if kms_key:
        from tasks.stores import kms  # noqa: PLC0415  boto3 is slow to import

        text = kms.wrap(text, kms_key, house.policy.brand.code, keeper.settings)
    try:
        create_whole(out, [text.encode()], OWNER_ALONE)
    except FileExistsError as error:
        raise ConfigurationError(f"{out} is there already", expected="a new file") from error
    kinds = [name for name in ("pseudonym", "seal", "file", "tombstone") if getattr(ring, name)]
    return {"written": str(out), "keys_for": kinds, "sealed_by_kms": bool(kms_key)}


def access_log(uri: str = "", since: str = "") -> list[Row]:
    """Every opening of the vault since a date, oldest first."""
    objects = objects_at(uri or Settings().lake)
    return [access.model_dump(mode="json", exclude={"token"}) for access in accesses(objects, since=since)]


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
