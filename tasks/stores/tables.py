"""The lake: one consistent snapshot of all its tables for readers, and one writer at a time.

Readers open what a snapshot names, nothing else, and never wait. They need neither the lease nor
the Delta log: pointer, manifest and files are enough, and each is checked against its SHA-256.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from tasks.errors import SnapshotMovedError
from tasks.refs import Run, Snapshot, StoredFile
from tasks.stores import snapshot as pointers
from tasks.stores.candidates import declared_table
from tasks.stores.lease import hold
from tasks.stores.objects import Objects
from tasks.stores.reading import read_files
from tasks.stores.snapshot import Manifest, TableState

if TYPE_CHECKING:
    from tasks.stores.writer import Writer

LEASE_SECONDS = 60.0
"""A dead writer of another host blocks the lake for this long; one of this host not at all."""


class Lake:
    """All tables below one root."""

    def __init__(self, objects: Objects, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Open nothing yet."""
        self._objects = objects
        self._lease_seconds = lease_seconds
        self._manifests: dict[str, Manifest] = {}

    def snapshot(self) -> Snapshot:
        """Return the current snapshot; seq 0 where nothing was ever published."""
        return pointers.read_pointer(self._objects).snapshot

    def at(self, seq: int) -> Snapshot:
        """Return a past snapshot by its number; MissingDataError when it never was or is not kept."""
        return pointers.read_copy(self._objects, seq)

    def manifest(self, snapshot: Snapshot) -> dict[str, tuple[StoredFile, ...]]:
        """Return every live file of every table that the snapshot names."""
        return {table: state.files for table, state in self._states(snapshot).items()}

    def scan(
        self, table: str, snapshot: Snapshot, *, partitions: Collection[str | date | None] | None = None
    ) -> pl.LazyFrame:
        """One row per row of the table as the snapshot names it, of those partition values alone (None is one).

        Columns in declared order with declared types, then the policy's own. A table or partition that
        is not there is empty. Every file is checked first: DamagedError names the one that differs.
        """
        declared, state = declared_table(table), self._states(snapshot).get(table, TableState(version=0))
        wanted = None if partitions is None else {None if value is None else str(value) for value in partitions}
        files = [file for file in state.files if wanted is None or file.partition in wanted]
        return read_files(self._objects, declared, files, state.added_columns)

    @contextmanager
    def writer(self, run: Run, wait_seconds: float) -> Iterator["Writer"]:
        """Hold the lake for one run; nothing was written when this raises.

        LakeBusyError names who holds it for longer than `wait_seconds`; SnapshotMovedError means that
        another run published after this one read.
        """
        # deltalake and pyarrow take a second or more to import, which no reader should pay.
        from tasks.stores.writer import Writer  # noqa: PLC0415

        with hold(self._objects, run.run_id, wait_seconds=wait_seconds, lease_seconds=self._lease_seconds) as lease:
            pointer = pointers.read_pointer(self._objects)
            _check_base(run, pointer.snapshot)
            pointers.keep_copy(self._objects, pointer.snapshot)
            yield Writer(self._objects, run, lease, pointer)

    def _states(self, snapshot: Snapshot) -> Manifest:
        key = snapshot.manifest_sha256
        if key not in self._manifests:
            self._manifests[key] = pointers.read_manifest(self._objects, snapshot)
        return self._manifests[key]


def _check_base(run: Run, current: Snapshot) -> None:
    if run.base_seq != current.seq:
        raise SnapshotMovedError(
            f"run {run.run_id[:12]} read snapshot {run.base_seq}, and {current.seq} stands "
            f"since run {current.run_id[:12]}",
            expected="the snapshot that the run read",
            next_step="run again: it reads the new snapshot and computes anew",
        )
