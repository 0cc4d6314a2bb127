"""A person under names of before a re-key: in private lists of published sends, and in lists of ids that it left.

Neither was renamed then: the outbox is never changed, and the lists exist to lead from old ids to new ones.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping

import polars as pl

from tasks.steps.erasing import Room, State
from tasks.steps.house import objects_at, pseudonymiser_of, snapshot_of
from tasks.steps.rekeyed import rename_of
from tasks.stores.manifest import Manifest
from tasks.stores.objects import Objects
from tasks.stores.runs import rekeys
from tasks.stores.sends import LEDGER, MANIFEST, Send, read_people


def with_older_names(room: Room, outbox: str, state: State) -> State:
    """The state with every name that the person had under earlier keys; unchanged where there was no re-key."""
    told = rekeys(room.lake, snapshot_of(room.run))
    if not told or state.lists:
        return state
    tokens = dict(state.naming.tokens)
    older: dict[str, str] = {}
    for one in reversed(told):
        ids = _read_list(room.objects, one["aliases"])
        known = {**tokens, **older}
        older |= {old: known[new] for old, new in ids.iter_rows() if new in known}
    keys: dict[str, str] = {}
    for old, new in _ledger_names(room, objects_at(outbox)):
        (one_id, key), (later_id, later_key) = old, new
        older |= {one_id: tokens[later_id]} if later_id in tokens else {}
        if (pseudonym := later_key.rpartition(":")[2]) in tokens:
            older[key.rpartition(":")[2]] = tokens[pseudonym]
        if later_id in tokens or later_key in state.contacts:
            keys[key] = later_key
    lists = {one["aliases"]: _list_without(room.objects, one["aliases"], {**tokens, **older}) for one in told}
    return state.model_copy(update={"older": older, "older_keys": keys, "lists": lists})


def delete_lists(objects: Objects, lists: Mapping[str, str]) -> None:
    """Delete the lists that others stand in place of."""
    for old, new in lists.items():
        if old != new:
            objects.delete(old)


def _read_list(objects: Objects, key: str) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(objects.read(key)), infer_schema=False)


def _list_without(objects: Objects, key: str, tokens: Mapping[str, str]) -> str:
    """Store a list once more without the person; return its key. One that does not name them stays."""
    ids = _read_list(objects, key)
    kept = ids.filter(~pl.any_horizontal(pl.col("old", "new").is_in(sorted(tokens))))
    if kept.height == ids.height:
        return key
    data = kept.write_csv().encode()
    path = f"{key.rpartition('/')[0]}/{hashlib.sha256(data).hexdigest()}.csv"
    objects.create(path, data)
    return path


def _ledger_names(room: Room, outbox: Objects) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """(one_id, recipient key) as a private list of before a re-key has them, and as they are called now."""
    now, rename = pseudonymiser_of(room.run).key_id, rename_of(room.run)
    for meta in outbox.list(f"{LEDGER}/"):
        send, revision = (
            Send.parse("/".join(meta.key.split("/")[1:4])),
            meta.key.rpartition("/")[2].removesuffix(".csv"),
        )
        if outbox.head(send.key(revision, MANIFEST)) is None:
            continue
        key_id = Manifest.model_validate_json(outbox.read(send.key(revision, MANIFEST))).origin.key_id
        if key_id != now:
            people = read_people(outbox.read(meta.key)).select("one_id", "recipient_key")
            yield from zip(people.iter_rows(), rename(people, key_id).iter_rows(), strict=True)
