"""How rows of new files enter a stored table: as new versions, in the fewest partitions. No task stands here."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from expectations.tables import TABLES, Table
from tasks.refs import Candidate, Run, Snapshot
from tasks.stores.scratch import stage
from tasks.stores.tables import Lake
from tasks.transforms.versions import Superseded, append_new, supersede

VERSION = ("content_hash", "known_from")


@dataclass(frozen=True)
class Merged:
    """A candidate for the table (None when nothing changes), and the rows that said nothing new."""

    candidate: Candidate | None
    duplicates: pl.DataFrame


def record_of(table: Table) -> list[str]:
    """The columns that identify a record across its versions."""
    return [name for name in table.key if name not in VERSION]


def merge_table(run: Run, lake: Lake, snapshot: Snapshot, name: str, incoming: pl.DataFrame) -> Merged:
    """Merge incoming rows (with `row_number`) into the stored table of that name."""
    table = TABLES[name]
    record = record_of(table)
    rows = incoming.select(*table.columns, "row_number")
    stored = lake.scan(name, snapshot)
    related = stored.join(rows.lazy().select(record).unique(), on=record, how="semi", nulls_equal=True).collect()
    merge = supersede if table.bitemporal else append_new
    result = merge(related, rows, record)
    return Merged(_candidate(run, lake, snapshot, table, result), result.duplicates)


def _candidate(run: Run, lake: Lake, snapshot: Snapshot, table: Table, result: Superseded) -> Candidate | None:
    if result.added.is_empty() and result.changed.is_empty():
        return None
    if result.changed.is_empty():
        return stage(run, table.name, result.added, mode="append")
    if table.partition is None:
        return stage(run, table.name, _rewritten(lake.scan(table.name, snapshot), table, result), mode="overwrite")
    touched = _partitions(table.partition, result)
    stored = lake.scan(table.name, snapshot, partitions=touched)
    return stage(run, table.name, _rewritten(stored, table, result), mode="replace", replaces=touched)


def _partitions(column: str, result: Superseded) -> Sequence[str | None]:
    """The partitions that a merge touches; no other is rewritten."""
    values = pl.concat([result.added.get_column(column), result.changed.get_column(column)]).unique()
    return sorted(values.to_list(), key=lambda value: (value is None, str(value)))


def _rewritten(stored: pl.LazyFrame, table: Table, result: Superseded) -> pl.DataFrame:
    """The touched rows as they stand after the merge."""
    version = [*record_of(table), *VERSION]
    kept = stored.join(result.changed.lazy().select(version), on=version, how="anti", nulls_equal=True).collect()
    return pl.concat([kept, result.changed.select(kept.columns), result.added.select(kept.columns)])
