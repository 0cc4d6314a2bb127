"""Delta Lake tables: open, create, restore, write, list. The only file that imports deltalake.

Every write goes through the handle that was read, with no retry inside Delta: a commit lands on the
version right after the one that was read, or not at all. Writing by path would lose the other's rows.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import polars as pl
import pyarrow.dataset as arrow_dataset
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, SchemaMismatchError, TableNotFoundError
from pyarrow import default_memory_pool

from tasks.errors import ConfigurationError, MissingDataError, SnapshotMovedError, StoreUnavailableError, StrataError
from tasks.stores.objects import Objects

BOUNDS = {"timeout": "20s", "retry_timeout": "40s"}
"""Delta's own are 30 s a request and 180 s in all. `restore` holds Python's lock while it waits, so that the
lease's heart-beat stands still: it must give up before a lease of 60 s ends."""

BATCH_ROWS = 64 * 1024
CONFIGURATION = {"delta.enableExpiredLogCleanup": "false"}
"""Without it Delta drops its log entries after 30 days, and restoring and reading old versions by other engines end."""

HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
WRITER = WriterProperties(compression="ZSTD", max_row_group_size=128 * 1024)


@dataclass(frozen=True)
class Commit:
    """What one commit does: how it treats rows that stand, and the marks by which it is known again."""

    mode: Literal["append", "overwrite"]
    predicate: str | None
    marks: dict[str, str]

    @property
    def options(self) -> dict[str, Any]:
        """Only a whole new table may drop columns; all else may add some."""
        whole = self.mode == "overwrite" and not self.predicate
        return {
            "mode": self.mode,
            "predicate": self.predicate,
            "schema_mode": "overwrite" if whole else "merge",
        }


def table_key(table: str) -> str:
    """The folder of a table below the lake root."""
    return f"tables/{table}"


def predicate_of(partition: str, values: Collection[str | None]) -> str:
    """Return the condition that selects whole partitions, the null one among them.

    >>> predicate_of("paid_month", ("2026-05", None))
    "paid_month = '2026-05' OR paid_month IS NULL"
    """
    return " OR ".join(
        f"{partition} IS NULL" if value is None else f"{partition} = '{value.replace(chr(39), chr(39) * 2)}'"
        for value in values
    )


def open_table(objects: Objects, table: str, version: int | None = None) -> DeltaTable | None:
    """Read the table at its newest version or the one named; None where there is none."""
    with _explained(objects, table):
        try:
            return DeltaTable(objects.delta_uri(table_key(table)), version, storage_options=_options(objects))
        except TableNotFoundError:
            return None


def create_table(objects: Objects, table: str, like: str, partition: str | None) -> DeltaTable:
    """Make an empty table with the columns of a Parquet file."""
    with _explained(objects, table):
        return DeltaTable.create(
            objects.delta_uri(table_key(table)),
            schema=Schema.from_arrow(arrow_dataset.dataset(like).schema),
            partition_by=[partition] if partition else None,
            configuration=CONFIGURATION,
            storage_options=_options(objects),
        )


def restore(objects: Objects, table: str, handle: DeltaTable, version: int) -> None:
    """Make an older version the newest one, files and columns alike."""
    with _explained(objects, table):
        handle.restore(version, commit_properties=_properties({}), post_commithook_properties=HOOKS)


def write(objects: Objects, table: str, handle: DeltaTable, rows: str, commit: Commit) -> DeltaTable:
    """Stream a Parquet file into the table as the version after the handle's, and return the new handle.

    An error after which the commit is found in the log was only the loss of an answer.
    Raises SnapshotMovedError when another writer was first, StoreUnavailableError when nothing landed.
    """
    base, marks = handle.version(), commit.marks | {"strata_attempt": uuid4().hex}
    try:
        with _explained(objects, table):
            write_deltalake(
                handle,
                arrow_dataset.dataset(rows).scanner(batch_size=BATCH_ROWS, batch_readahead=2).to_reader(),
                **commit.options,
                writer_properties=WRITER,
                commit_properties=_properties(marks),
                post_commithook_properties=HOOKS,
            )
    except (SnapshotMovedError, StoreUnavailableError):
        landed = _landed(objects, table, base + 1, marks)
        if landed is None:
            raise
        return landed
    finally:
        default_memory_pool().release_unused()
    return handle


def _landed(objects: Objects, table: str, version: int, marks: dict[str, str]) -> DeltaTable | None:
    """Return the table at that version if the commit there bears these marks.

    Delta's own `history` holds Python's lock while it waits, and so would stop the lease's heart-beat.
    """
    try:
        entry = objects.read(f"{table_key(table)}/_delta_log/{version:020d}.json")
    except MissingDataError:
        return None
    written: dict[str, object] = {
        mark: value for line in entry.splitlines() for mark, value in _commit_info(line).items()
    }
    return open_table(objects, table, version) if marks.items() <= written.items() else None


def _commit_info(log_line: bytes) -> dict[str, Any]:
    """Return what a line of the log says about the commit itself: nothing, if it tells of a file or the schema."""
    action: dict[str, dict[str, Any]] = json.loads(log_line)
    return action.get("commitInfo", {})


def live_files(objects: Objects, table: str, handle: DeltaTable, partition: str | None) -> pl.DataFrame:
    """One row per live file: path (key below the lake root), bytes, rows, partition (text; null is a value)."""
    with _explained(objects, table):
        actions = pl.DataFrame(handle.get_add_actions(flatten=True))
    value = (
        pl.col(f"partition.{partition}").cast(pl.String) if partition and actions.height else pl.lit(None, pl.String)
    )
    return actions.select(
        pl.format("{}/{}", pl.lit(table_key(table)), "path").alias("path"),
        pl.col("size_bytes").alias("bytes"),
        pl.col("num_records").alias("rows"),
        value.alias("partition"),
    ).sort("path")


def _options(objects: Objects) -> dict[str, str] | None:
    given = objects.delta_options()
    return BOUNDS | given if given else None


def _properties(marks: dict[str, str]) -> CommitProperties:
    return CommitProperties(custom_metadata=marks, max_commit_retries=0)


@contextmanager
def _explained(objects: Objects, table: str) -> Iterator[None]:
    """Turn what Delta raises into the one tree of errors. Its messages may show rows: only a first line is kept."""
    try:
        yield
    except CommitFailedError as error:
        raise SnapshotMovedError(
            f"another writer changed {table_key(table)} of {objects.uri} first",
            expected=f"{table} as this run read it",
            next_step="run again: it reads the new snapshot and computes anew",
        ) from error
    except (OSError, DeltaError) as error:
        raise _explanation(objects, table, error) from None


def _explanation(objects: Objects, table: str, error: Exception) -> StrataError:
    first_line = str(error).partition("\n")[0][:300]
    where = f"{table_key(table)} of {objects.uri}"
    if isinstance(error, SchemaMismatchError) or "Cast error" in first_line:
        return ConfigurationError(
            f"{where} has a column of another type",
            expected="the types that stand in the table",
            next_step="give a changed column a new name",
        )
    return StoreUnavailableError(
        f"{where}: {type(error).__name__}: {first_line}",
        expected="a store that answers and has room",
        next_step="check the store, then run again",
    )
