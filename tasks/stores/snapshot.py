"""The snapshot pointer, its manifest, and the copies that time travellers read.

`tables/CURRENT.json` names one version per table and the manifest of all their live files; it moves
by compare-and-swap. Everything that it leads to is immutable and is checked against its SHA-256.
"""

import hashlib
from dataclasses import dataclass

from pydantic import Field, TypeAdapter

from tasks.errors import DamagedError, MissingDataError, OutcomeUnknownError, StoreUnavailableError
from tasks.refs import Ref, Snapshot, StoredFile
from tasks.stores.failpoints import reach
from tasks.stores.objects import Objects

CURRENT = "tables/CURRENT.json"
COPIES = "tables/snapshots/"
MANIFESTS = "tables/manifests/"


class LiveFile(StoredFile):
    """One live Parquet file of a table: where, its bytes, its rows, and its partition's value (null is one)."""

    rows: int
    partition: str | None = None


class TableState(Ref):
    """One table at one Delta version: its live files, and what policy added to an open table's columns."""

    version: int
    files: tuple[LiveFile, ...] = ()
    added_columns: dict[str, str] = Field(default_factory=dict)


Manifest = dict[str, TableState]
_MANIFEST = TypeAdapter(Manifest)


@dataclass(frozen=True)
class Pointer:
    """The current snapshot as read, and the etag that a swap must present; None where there is no lake yet."""

    snapshot: Snapshot
    etag: str | None


def read_pointer(objects: Objects) -> Pointer:
    """Read the current snapshot; an empty one (seq 0) where nothing was ever published."""
    try:
        data, etag = objects.read_tagged(CURRENT)
    except MissingDataError:
        return Pointer(Snapshot(), None)
    return Pointer(Snapshot.model_validate_json(data), etag)


def read_copy(objects: Objects, seq: int) -> Snapshot:
    """Return the snapshot that was current as number `seq`; MissingDataError when it was never, or is not kept.

    The newest one may lack its copy, when a run died just after the pointer moved.
    """
    current = read_pointer(objects).snapshot
    if seq == current.seq:
        return current
    try:
        return Snapshot.model_validate_json(objects.read(copy_key(seq)))
    except MissingDataError as error:
        raise MissingDataError(
            f"the lake {objects.uri} keeps no snapshot {seq}",
            expected=f"a number up to {current.seq} that gc has not swept",
            next_step="`strata runs` lists what there is",
        ) from error


def copy_key(seq: int) -> str:
    """The key of the create-only copy of pointer `seq`; zeros make keys sort as numbers do."""
    return f"{COPIES}{seq:010d}.json"


def manifest_key(sha256: str) -> str:
    """The key of the content-addressed manifest."""
    return f"{MANIFESTS}{sha256}.json"


def read_manifest(objects: Objects, snapshot: Snapshot) -> Manifest:
    """Return every live file of every table; DamagedError when the manifest is not the one that was named."""
    if not snapshot.manifest_sha256:
        return {}
    key = manifest_key(snapshot.manifest_sha256)
    try:
        data = objects.read(key)
    except MissingDataError as error:
        raise _damaged_manifest(objects, key, "is gone") from error
    if hashlib.sha256(data).hexdigest() != snapshot.manifest_sha256:
        raise _damaged_manifest(objects, key, "has other bytes than its name says")
    return _MANIFEST.validate_json(data)


def _damaged_manifest(objects: Objects, key: str, what: str) -> DamagedError:
    return DamagedError(
        f"{key} of {objects.uri} {what}",
        expected="the manifest that the snapshot names",
        next_step="restore that object from the bucket's versions or a backup",
    )


def write_manifest(objects: Objects, manifest: Manifest) -> str:
    """Write a manifest under its own SHA-256 and return that."""
    data = _MANIFEST.dump_json({table: manifest[table] for table in sorted(manifest)})
    sha256 = hashlib.sha256(data).hexdigest()
    objects.create(manifest_key(sha256), data)
    return sha256


def keep_copy(objects: Objects, snapshot: Snapshot) -> None:
    """Write the create-only copy of a pointer. A writer also does it for the pointer it starts from.

    It is written after the pointer moved: before, a run that died in between would leave a copy of
    a snapshot that never was, in the way of the one that will be.
    """
    if snapshot.seq:
        objects.create(copy_key(snapshot.seq), _encoded(snapshot))


def move(objects: Objects, moved: Snapshot, base: Pointer) -> Pointer:
    """Move the pointer if it still is what was read; SnapshotMovedError when another run was first.

    A store that did not answer is asked again what stands there: OutcomeUnknownError when it does not say.
    """
    reach("pointer", "before")
    try:
        pointer = Pointer(moved, objects.swap(CURRENT, _encoded(moved), base.etag))
    except StoreUnavailableError as error:
        pointer = _look_again(objects, error)
        if pointer.snapshot != moved:
            raise
    reach("pointer", "after")
    keep_copy(objects, moved)
    return pointer


def _look_again(objects: Objects, error: StoreUnavailableError) -> Pointer:
    try:
        return read_pointer(objects)
    except StoreUnavailableError:
        raise OutcomeUnknownError(
            f"{CURRENT} of {objects.uri} was sent and the store stopped answering",
            expected="an answer, or at least a look at what stands there",
            next_step="when the store is back, `strata runs` shows whether this run was published",
        ) from error


def _encoded(snapshot: Snapshot) -> bytes:
    return snapshot.model_dump_json().encode()
