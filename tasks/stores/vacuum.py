"""Give up the past of the tables: old snapshots with their manifests, files that none names, and old log entries.

Delta's log keeps the least and greatest value of every column of every file that ever was, so an erasure
must also drop the entries before the newest checkpoint. What stands now is not touched.
"""

from typing import NamedTuple

from deltalake import DeltaTable

from tasks.stores import delta
from tasks.stores import snapshot as pointers
from tasks.stores.failpoints import reach
from tasks.stores.lease import hold
from tasks.stores.objects import Objects
from tasks.stores.orphans import delete_orphans
from tasks.stores.snapshot import TableState
from tasks.stores.tables import LEASE_SECONDS


class Vacuumed(NamedTuple):
    """How many objects went."""

    files: int
    log_entries: int


def vacuum(objects: Objects, *, wait_seconds: float = 0) -> Vacuumed:
    """Leave the current snapshot alone; twice is once. LakeBusyError while a run is writing."""
    current = pointers.read_pointer(objects).snapshot
    reach("forget:vacuum", "before")
    gone = delete_orphans(objects, keep_from=current.seq, wait_seconds=wait_seconds)
    reach("forget:vacuum", "after")
    with hold(objects, "vacuum", wait_seconds=wait_seconds, lease_seconds=LEASE_SECONDS) as lease:
        entries = 0
        for table, state in sorted(pointers.read_manifest(objects, pointers.read_pointer(objects).snapshot).items()):
            lease.check()
            entries += _drop_log(objects, table, state)
    return Vacuumed(len(gone), entries)


def _drop_log(objects: Objects, table: str, standing: TableState) -> int:
    """Write a checkpoint of what stands and delete all that came before it; return how many entries went."""
    handle = delta.open_table(objects, table)
    if handle is None:
        return 0
    if set(delta.live_files(objects, table, handle, None)["path"]) != {file.path for file in standing.files}:
        delta.restore(objects, table, handle, standing.version)  # a dead run went further
    old = _entries_before(objects, table, handle)
    if old:
        handle.create_checkpoint()
    for key in old:
        objects.delete(key)
    return len(old)


def _entries_before(objects: Objects, table: str, handle: DeltaTable) -> list[str]:
    """Keys of commits and checkpoints of earlier versions; the commit of this version stays, engines ask for it."""
    folder = f"{delta.table_key(table)}/_delta_log/"
    names = ((meta.key, meta.key.removeprefix(folder).partition(".")[0]) for meta in objects.list(folder))
    return [key for key, number in names if number.isdigit() and int(number) < handle.version()]
