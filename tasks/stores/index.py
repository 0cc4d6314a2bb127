"""The index that a vendor polls, and what no pointer names. Both derive from the pointers and can be rebuilt."""

import json
import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final, NamedTuple

from tasks.errors import DamagedError, MissingDataError, SnapshotMovedError
from tasks.stores.encryption import is_locked
from tasks.stores.manifest import FORMAT, canonical
from tasks.stores.objects import Meta, Objects
from tasks.stores.sends import LEDGER, Published, Revision, Send, current_sends, read_manifest, read_send

INDEX: Final = "INDEX.json"
_ATTEMPTS: Final = 20
"""Each loss means that another send of the vendor was entered; so many at once do not happen."""
_IN_REVISION: Final = re.compile(rf"^(?:{LEDGER}/)?([^/]+/[^/]+/\d{{4}}-\d\d-\d\d)/(rev-[0-9a-f]+)(?:/|\.csv$)")


class Orphan(NamedTuple):
    """What an attempt left that no pointer names."""

    send_id: str
    revision: str
    keys: tuple[str, ...]
    bytes: int


def index_key(vendor: str) -> str:
    """Key of the vendor's index."""
    return f"{vendor}/{INDEX}"


def enter(objects: Objects, send: Send, published: Published) -> None:
    """Make the vendor's index say what the pointer says; an index that is gone or unreadable is rebuilt.

    Raises:
        SnapshotMovedError: others kept changing the index; run again.
    """
    for _ in range(_ATTEMPTS):
        standing, etag = _read(objects, send.vendor)
        mine = _entries(send, published)
        if standing is not None and standing.get(send.id) == mine.get(send.id):
            return
        known = _all_entries(objects, send.vendor) if standing is None else standing
        entries = {send_id: entry for send_id, entry in known.items() if send_id != send.id} | mine
        try:
            objects.swap(index_key(send.vendor), _encoded(send.vendor, entries), etag)
        except SnapshotMovedError:
            continue
        return
    raise SnapshotMovedError(
        f"the index of {send.vendor} changed {_ATTEMPTS} times while {send.id} was entered",
        expected="a quiet moment", next_step="run again: the send itself is published",
    )  # fmt: skip


def strays(objects: Objects, vendor: str) -> tuple[str, ...]:
    """Sends that the vendor's index names and no pointer does."""
    standing, _ = _read(objects, vendor)
    there = {send.id for send in current_sends(objects, vendor)}
    return tuple(sorted((standing or {}).keys() - there))


def indexed_vendors(objects: Objects) -> tuple[str, ...]:
    """Vendors that have an index, in order."""
    folders = (meta.key.rpartition("/") for meta in objects.list(""))
    return tuple(sorted({folder for folder, _, name in folders if name == INDEX and "/" not in folder}))


def drop_strays(objects: Objects, vendor: str) -> None:
    """Take out of the vendor's index what no pointer names; every other entry stays as it is, a damaged send's too."""
    standing, etag = _read(objects, vendor)
    gone = strays(objects, vendor)
    if standing is not None and gone:
        entries = {send_id: entry for send_id, entry in standing.items() if send_id not in gone}
        objects.swap(index_key(vendor), _encoded(vendor, entries), etag)


def is_entered(objects: Objects, send: Send, published: Published) -> bool:
    """Whether the vendor's index says of a send what its pointer says."""
    standing, _ = _read(objects, send.vendor)
    return standing is not None and standing.get(send.id) == _entries(send, published).get(send.id)


def rebuild(objects: Objects, vendor: str) -> int:
    """Write the vendor's index anew from the pointers; return the number of sends."""
    _, etag = _read(objects, vendor)
    entries = _all_entries(objects, vendor)
    objects.swap(index_key(vendor), _encoded(vendor, entries), etag)
    return len(entries)


def orphans(objects: Objects) -> tuple[Orphan, ...]:
    """Revisions that no CURRENT.json names, and locked files that no manifest does, in order of send and revision.

    A publisher at work looks like one until its pointer moves: sweep only under the writer's lease.
    """
    found: dict[tuple[str, str], list[Meta]] = {}
    for meta in objects.list(""):
        if match := _IN_REVISION.match(meta.key):
            found.setdefault((match[1], match[2]), []).append(meta)
    named = {
        (send_id, revision.revision): revision
        for send_id, _ in groupby(sorted(found), key=lambda pair: pair[0])
        for revision in read_send(objects, Send.parse(send_id)).published.revisions
    }
    left = {pair: _unnamed(objects, pair[0], named.get(pair), found[pair]) for pair in sorted(found)}
    return tuple(_orphan(*pair, metas) for pair, metas in left.items() if metas)


def _unnamed(objects: Objects, send_id: str, revision: Revision | None, metas: list[Meta]) -> list[Meta]:
    """What of a revision's objects nobody is led to: all, or locked files that another attempt wrote."""
    if revision is None:
        return metas
    sealed = [meta for meta in metas if is_locked(meta.key)]
    if not sealed:
        return []
    told = {part.name for part in read_manifest(objects, Send.parse(send_id), revision).files}
    return [meta for meta in sealed if meta.key.rpartition("/")[2] not in told]


def _orphan(send_id: str, revision: str, metas: Iterable[Meta]) -> Orphan:
    listed = list(metas)
    return Orphan(send_id, revision, tuple(m.key for m in listed), sum(m.bytes for m in listed))


def _read(objects: Objects, vendor: str) -> tuple[dict[str, Any] | None, str | None]:
    try:
        data, etag = objects.read_tagged(index_key(vendor))
    except MissingDataError:
        return None, None
    try:
        return dict(json.loads(data)["sends"]), etag
    except (ValueError, KeyError, TypeError):
        return None, etag


def _all_entries(objects: Objects, vendor: str) -> dict[str, Any]:
    """The entries of all sends whose pointer can be read; nobody is led to what is damaged."""
    sends = [_entries_of(objects, send) for send in current_sends(objects, vendor)]
    return {send_id: entry for entries in sends for send_id, entry in entries.items()}


def _entries_of(objects: Objects, send: Send) -> dict[str, Any]:
    try:
        return _entries(send, read_send(objects, send).published)
    except DamagedError:
        return {}


def _entries(send: Send, published: Published) -> dict[str, Any]:
    """What the index says of one send: nothing, once all its files are gone."""
    if published.is_expired:
        return {}
    content = published.model_dump(mode="json", exclude={"format", "send_id"})
    return {send.id: {"current": send.current, "campaign": send.campaign, "send_on": str(send.send_on), **content}}


def _encoded(vendor: str, entries: dict[str, Any]) -> bytes:
    return canonical({"format": FORMAT, "vendor": vendor, "sends": entries})
