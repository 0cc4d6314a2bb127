"""How rows of new files enter a stored table: as new versions, in the fewest partitions. No task stands here.

Memory does not grow with the rows: incoming and stored rows are taken up range by range of their key
(tasks/stores/ranges.py), and the versions of one record always lie in one range.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from expectations.tables import TABLES, Table
from tasks.refs import Candidate, Run, Snapshot
from tasks.sources.canonical import content_hash_of
from tasks.sources.feeding import UNCOUNTED
from tasks.sources.spill import waiting
from tasks.stores.ranges import RANGE_ROWS, Spread, cut
from tasks.stores.scratch import stage_pieces, write_whole
from tasks.stores.tables import Lake
from tasks.transforms.versions import SOURCE, Superseded, append_new, supersede

VERSION = ("content_hash", "known_from")
Part = str | None
"""Value of a partition; rows without one have their own."""
SCATTERED = frozenset({"sightings"})
"""Tables in which one source row may fill several rows: it is a duplicate when each of them is."""
MANY_RANGES = 8
"""Incoming ranges above which the stored rows are all taken up, instead of looking for those that they concern."""


@dataclass(frozen=True)
class Merged:
    """A candidate for the table (None when nothing changes), and what said nothing new."""

    candidate: Candidate | None
    duplicates: pl.DataFrame
    """One row per file with such rows: `file_sha256`, `rows` and their `money_fen`."""


@dataclass(frozen=True)
class Changes:
    """Where the outcome of a merge waits, range after range in the order of the key; empty ones are left out."""

    added: list[Path]
    changed: list[Path]


def record_of(table: Table) -> list[str]:
    """The columns that identify a record across its versions."""
    return [name for name in table.key if name not in VERSION]


def merge_table(
    run: Run, lake: Lake, snapshot: Snapshot, name: str, incoming: Sequence[str], *, range_rows: int = RANGE_ROWS
) -> Merged:
    """Merge rows of waiting files (with the bookkeeping columns) into the stored table of that name."""
    table, folder = TABLES[name], Path(run.scratch) / "merge" / name
    arrived = [_arriving(path, table) for path in incoming]
    rows = pl.concat(arrived)
    starts = cut(rows, name, range_rows=range_rows)
    fresh = Spread(arrived, name, starts, folder / "incoming")
    concerned = related(lake, snapshot, table, rows) if starts.len() < MANY_RANGES else _stored(lake, snapshot, table)
    known_before = Spread(concerned, name, starts, folder / "related")
    changes, known = Changes([], []), []
    for number in range(len(fresh)):
        arriving = fresh[number]
        result = _merger(table)(known_before[number], arriving.drop("row_money_fen"), record_of(table))
        _keep(result, changes, folder / f"{number:05}")
        counted = arriving.filter(pl.col("row_number") != UNCOUNTED)
        known.append(_known(counted, result.duplicates, name))
    candidate = _candidate(run, lake, snapshot, table, changes, range_rows)
    shutil.rmtree(folder, ignore_errors=True)
    return Merged(candidate, _per_file(pl.concat(known), name))


def _arriving(path: str, table: Table) -> pl.LazyFrame:
    """Incoming rows with what the account of their file needs; contacts carry no money."""
    rows = waiting([path])
    has_money = "row_money_fen" in rows.collect_schema()
    money = pl.col("row_money_fen") if has_money else pl.lit(None, pl.Int64()).alias("row_money_fen")
    return rows.select(*table.columns, "row_number", money)


def _merger(table: Table) -> Callable[[pl.DataFrame, pl.DataFrame, Sequence[str]], Superseded]:
    if not table.bitemporal:
        return append_new
    return partial(supersede, content_hash=content_hash_of(table.name)) if "unsaid" in table.columns else supersede


def _stored(lake: Lake, snapshot: Snapshot, table: Table, only: Sequence[Part] | None = None) -> list[pl.LazyFrame]:
    """The stored rows, partition by partition, of all or of those named; one empty source where there are none."""
    if table.partition is None:
        return [lake.scan(table.name, snapshot)]
    found = only if only is not None else _partitions(lake.scan(table.name, snapshot), table.partition)
    return [lake.scan(table.name, snapshot, partitions=[value]) for value in found] or [table.empty()]


def _partitions(rows: pl.LazyFrame, column: str) -> list[Part]:
    return rows.select(pl.col(column).unique()).collect(engine="streaming").to_series().to_list()


def related(lake: Lake, snapshot: Snapshot, table: Table, rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Every stored version of the records that `rows` name; other records may be among them, and change nothing.

    Records are known by a hash of 8 bytes, and of the partitions those alone are read in which one stands.
    """
    mark = pl.struct(record_of(table)).hash().alias("mark")
    wanted = rows.select(mark).unique().collect(engine="streaming").lazy()
    where = None
    if table.partition is not None:
        marked = lake.scan(table.name, snapshot).select(mark, table.partition)
        where = _partitions(marked.join(wanted, on="mark", how="semi"), table.partition)
    stored = _stored(lake, snapshot, table, where)
    return [source.with_columns(mark).join(wanted, on="mark", how="semi").drop("mark") for source in stored]


def _keep(result: Superseded, changes: Changes, path: Path) -> None:
    """Lay what a range changes aside; only one range is in memory."""
    for rows, kept, suffix in ((result.added, changes.added, "added"), (result.changed, changes.changed, "changed")):
        if not rows.is_empty():
            kept.append(write_whole(rows, path.with_suffix(f".{suffix}.parquet")))


def _known(arriving: pl.DataFrame, duplicates: pl.DataFrame, name: str) -> pl.DataFrame:
    """Source rows of which some or all canonical rows said nothing new; per file where one row is one row."""
    known = duplicates.group_by(SOURCE).agg(pl.len().alias("known"))
    whole = arriving.group_by(SOURCE).agg(pl.len().alias("all"), pl.col("row_money_fen").first())
    both = whole.join(known, on=SOURCE, how="left").with_columns(pl.col("known").fill_null(0))
    return both if name in SCATTERED else _whole(both)


def _whole(both: pl.DataFrame) -> pl.DataFrame:
    """Per file the rows that are duplicates as a whole, and their money."""
    return (
        both.filter(pl.col("known") == pl.col("all"))
        .group_by("file_sha256")
        .agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("row_money_fen").cast(pl.Int128).sum().alias("money_fen"))
    )


def _per_file(known: pl.DataFrame, name: str) -> pl.DataFrame:
    """The account of all ranges."""
    if name in SCATTERED:
        summed = (pl.col("all", "known").sum(), pl.col("row_money_fen").first())
        return _whole(known.group_by(SOURCE).agg(*summed))
    return known.group_by("file_sha256").agg(pl.col("rows", "money_fen").sum())


def _candidate(
    run: Run, lake: Lake, snapshot: Snapshot, table: Table, changes: Changes, range_rows: int
) -> Candidate | None:
    if not changes.added and not changes.changed:
        return None
    if not changes.changed:
        return stage_pieces(run, table.name, map(pl.read_parquet, changes.added), mode="append")
    touched = _touched(table, changes)
    stored = _stored(lake, snapshot, table, touched)
    pieces = _rewritten(Path(run.scratch) / "merge" / table.name, stored, table, changes, range_rows)
    if touched is None:
        return stage_pieces(run, table.name, pieces, mode="overwrite")
    return stage_pieces(run, table.name, pieces, mode="replace", replaces=touched)


def _touched(table: Table, changes: Changes) -> list[Part] | None:
    """The partitions that a merge touches, no other is rewritten; None for a table without partitions."""
    if table.partition is None:
        return None
    values = _partitions(pl.scan_parquet([*changes.added, *changes.changed]), table.partition)
    return sorted(values, key=lambda value: (value is None, str(value)))


def _rewritten(
    folder: Path, stored: Sequence[pl.LazyFrame], table: Table, changes: Changes, range_rows: int
) -> Iterator[pl.DataFrame]:
    """The touched rows as they stand after the merge, range by range."""
    version = [*record_of(table), *VERSION]
    parts = {
        "kept": [source.select(table.columns) for source in stored],
        "changed": _laid_aside(changes.changed, table),
        "added": _laid_aside(changes.added, table),
    }
    keys = pl.concat([rows.select(table.key) for sources in parts.values() for rows in sources])
    starts = cut(keys, table.name, range_rows=range_rows)
    kept, changed, added = (Spread(sources, table.name, starts, folder / name) for name, sources in parts.items())
    for number in range(len(kept)):
        still = kept[number].join(changed[number].select(version), on=version, how="anti", nulls_equal=True)
        yield pl.concat([still, changed[number], added[number]])


def _laid_aside(paths: Sequence[Path], table: Table) -> list[pl.LazyFrame]:
    return [pl.scan_parquet(path).select(table.columns) for path in paths] or [table.empty()]
