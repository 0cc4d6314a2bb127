"""What lies below tables/ that no kept snapshot names: files of runs that died, and of snapshots given up.

Pointer, lease and Delta logs always stay. Listing decides only what is looked at; what is kept follows
from the pointer, the copies of each number since the oldest, and their manifests.
"""

from tasks.errors import DamagedError
from tasks.stores.lease import KEY as LEASE
from tasks.stores.lease import hold
from tasks.stores.objects import Meta, Objects
from tasks.stores.snapshot import (
    COPIES,
    CURRENT,
    MANIFESTS,
    copy_key,
    manifest_key,
    read_copy,
    read_manifest,
    read_pointer,
)
from tasks.stores.tables import LEASE_SECONDS

ROOT = "tables/"
LOG = "/_delta_log/"


def find_orphans(objects: Objects, *, keep_from: int | None = None) -> tuple[Meta, ...]:
    """One Meta per object that can go; `keep_from` gives up all snapshots with a smaller number.

    Where a writer is at work its new files are among them: `delete_orphans` looks again under the lease.
    Raises DamagedError when the copy of a kept snapshot is missing: nothing is safe to delete then.
    """
    kept = _kept_keys(objects, keep_from)
    found = (meta for meta in objects.list(ROOT) if meta.key not in kept and LOG not in meta.key)
    return tuple(sorted(found, key=_order_of_deletion))


def delete_orphans(objects: Objects, *, keep_from: int | None = None, wait_seconds: float = 0) -> tuple[Meta, ...]:
    """Delete them while holding the lake, and return what went; LakeBusyError while a run is writing."""
    with hold(objects, "gc", wait_seconds=wait_seconds, lease_seconds=LEASE_SECONDS) as lease:
        orphans = find_orphans(objects, keep_from=keep_from)
        for meta in orphans:
            lease.check()
            objects.delete(meta.key)
        return orphans


def _order_of_deletion(meta: Meta) -> tuple[int, str]:
    """Copies first, then manifests, then data: stopped half-way, no snapshot names what is gone."""
    return (0 if meta.key.startswith(COPIES) else 1 if meta.key.startswith(MANIFESTS) else 2, meta.key)


def _kept_keys(objects: Objects, keep_from: int | None) -> set[str]:
    kept = {CURRENT, LEASE}
    for seq in _kept_numbers(objects, keep_from):
        snapshot = read_copy(objects, seq)
        kept |= {copy_key(seq), manifest_key(snapshot.manifest_sha256)}
        kept |= {file.path for state in read_manifest(objects, snapshot).values() for file in state.files}
    return kept


def _kept_numbers(objects: Objects, keep_from: int | None) -> range:
    """Every number from the oldest copy on, or from the one asked for; the current one always."""
    current = read_pointer(objects).snapshot.seq
    copies = {meta.key for meta in objects.list(COPIES)}
    oldest = next((seq for seq in range(1, current) if copy_key(seq) in copies), current)
    numbers = range(min(max(oldest, keep_from or 1), current), current + 1) if current else range(0)
    missing = [seq for seq in numbers if seq != current and copy_key(seq) not in copies]
    if missing:
        raise DamagedError(
            f"the copies of snapshots {missing[:5]} of {objects.uri} are gone",
            expected=f"every number from {numbers.start} to {current}",
            next_step=f"restore {copy_key(missing[0])} from a backup, or keep from a later number",
        )
    return numbers
