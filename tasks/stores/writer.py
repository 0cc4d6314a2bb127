"""The one writer of a lake: commits candidates to tables, then moves the snapshot pointer once.

Before the pointer moves nobody sees anything; after it, everybody sees everything. What a run that
died left in a table is undone by the next run that writes that table.
"""

from deltalake import DeltaTable

from expectations.tables import TABLES
from tasks.errors import DamagedError
from tasks.refs import Candidate, Run, Snapshot, StoredFile, TableRef
from tasks.stores import delta
from tasks.stores import snapshot as pointers
from tasks.stores.candidates import added_columns, check_candidate, check_written, merged_columns
from tasks.stores.delta import Commit
from tasks.stores.failpoints import reach
from tasks.stores.lease import Lease
from tasks.stores.objects import Objects
from tasks.stores.reading import read_files
from tasks.stores.snapshot import LiveFile, Manifest, Pointer, TableState
from tasks.stores.verified import hash_files


class Writer:
    """The lake in the hands of one run."""

    def __init__(self, objects: Objects, run: Run, lease: Lease, pointer: Pointer) -> None:
        """Start from the snapshot that the run read."""
        self._objects = objects
        self._run = run
        self._lease = lease
        self._pointer = pointer
        self._base = pointers.read_manifest(objects, pointer.snapshot)
        self._tables: dict[str, TableWriter] = {}

    def commit(self, candidate: Candidate) -> tuple[TableRef, tuple[StoredFile, ...]]:
        """Commit one candidate as one Delta version; return it and the files that it added.

        What was written is read back and compared. Raises GateRefusedError for undeclared columns,
        UnbalancedError for other rows than announced, SnapshotMovedError when another writer was first.
        """
        check_candidate(candidate)
        self._lease.check()
        name = candidate.table
        if name not in self._tables:
            self._tables[name] = TableWriter(self._objects, name, self._base.get(name))
        reach(f"table:{name}", "before")
        version, added = self._tables[name].write(candidate, self._run.run_id)
        reach(f"table:{name}", "after")
        return TableRef(table=name, version=version, rows=candidate.rows, digest=candidate.digest), added

    def move_pointer(self) -> Snapshot:
        """Make all commits visible at once; without any, the snapshot stays as it was.

        Raises SnapshotMovedError when another run published since this writer began.
        """
        self._lease.check()
        if not self._tables:
            return self._pointer.snapshot
        manifest = self._base | {name: table.state for name, table in self._tables.items()}
        self._pointer = pointers.move(self._objects, self._next(manifest), self._pointer)
        self._base, self._tables = manifest, {}
        return self._pointer.snapshot

    def _next(self, manifest: Manifest) -> Snapshot:
        return Snapshot(
            seq=self._pointer.snapshot.seq + 1,
            run_id=self._run.run_id,
            tables={name: manifest[name].version for name in sorted(manifest)},
            manifest_sha256=pointers.write_manifest(self._objects, manifest),
        )


class TableWriter:
    """One table in the hands of one run: the Delta handle that was read, and the state that readers will see.

    A table that the snapshot does not name is empty, whatever a dead run left in its folder.
    """

    def __init__(self, objects: Objects, name: str, standing: TableState | None) -> None:
        """Open nothing yet."""
        self._objects = objects
        self._table = TABLES[name]
        self._standing = standing
        self._handle: DeltaTable | None = None

    @property
    def state(self) -> TableState:
        """The table as it stands now."""
        return self._standing or TableState(version=0)

    def write(self, candidate: Candidate, run_id: str) -> tuple[int, tuple[LiveFile, ...]]:
        """Write one candidate through the handle; return the new version and the files added."""
        columns = self._columns(candidate)
        marks = {"strata_run_id": run_id, "strata_digest": candidate.digest}
        handle = self._handle or self._open(candidate)
        handle = delta.write(self._objects, self._table.name, handle, candidate.path, self._commit(candidate, marks))
        kept, added = self._files(handle)
        check_written(candidate, read_files(self._objects, self._table, added, columns))
        files = tuple(sorted((*kept, *added), key=lambda file: file.path))
        self._handle, self._standing = handle, TableState(version=handle.version(), files=files, added_columns=columns)
        return self.state.version, added

    def _columns(self, candidate: Candidate) -> dict[str, str]:
        added = added_columns(candidate)
        keeps = self._standing and candidate.mode != "overwrite"
        return merged_columns(candidate.table, self.state.added_columns, added) if keeps else added

    def _commit(self, candidate: Candidate, marks: dict[str, str]) -> Commit:
        if self._standing is None or candidate.mode == "overwrite":
            return Commit("overwrite", None, marks)
        if candidate.mode == "append" or self._table.partition is None:
            return Commit("append", None, marks)
        return Commit("overwrite", delta.predicate_of(self._table.partition, candidate.replaces), marks)

    def _open(self, candidate: Candidate) -> DeltaTable:
        """Read the table, and bring it back to what the snapshot names if a dead run went further."""
        name, handle = self._table.name, delta.open_table(self._objects, self._table.name)
        if self._standing is None:
            return handle or delta.create_table(self._objects, name, candidate.path, self._table.partition)
        if handle is None or handle.version() < self._standing.version:
            raise self._damaged("is behind its snapshot")
        if self._is_standing(handle):
            return handle
        if handle.version() == self._standing.version:
            raise self._damaged("names other files than its manifest")
        delta.restore(self._objects, name, handle, self._standing.version)
        return handle

    def _is_standing(self, handle: DeltaTable) -> bool:
        live = delta.live_files(self._objects, self._table.name, handle, self._table.partition)
        return set(live["path"]) == {file.path for file in self.state.files}

    def _files(self, handle: DeltaTable) -> tuple[list[LiveFile], tuple[LiveFile, ...]]:
        """Return the files that stood before and still live, and the new ones, read back and hashed."""
        live = delta.live_files(self._objects, self._table.name, handle, self._table.partition).to_dicts()
        known = {file.path: file for file in self.state.files}
        new = [row for row in live if row["path"] not in known]
        hashes = hash_files(self._objects, [row["path"] for row in new])
        added = tuple(LiveFile(sha256=sha256, **row) for row, sha256 in zip(new, hashes, strict=True))
        return [known[row["path"]] for row in live if row["path"] in known], added

    def _damaged(self, what: str) -> DamagedError:
        return DamagedError(
            f"the Delta log of {self._table.name} in {self._objects.uri} {what}",
            expected=f"version {self.state.version}, as published",
            next_step=f"restore tables/{self._table.name}/_delta_log from the bucket's versions or a backup",
        )
