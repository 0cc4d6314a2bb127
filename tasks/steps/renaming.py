"""The tables without a person: every row under other names, marks of who must not come back. No task stands here."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from expectations.tables import TABLES, Table
from tasks.errors import UnbalancedError
from tasks.refs import Candidate, StoredFile
from tasks.steps.erasing import Room, State
from tasks.steps.house import snapshot_of
from tasks.stores.digests import digest_rows
from tasks.stores.scratch import stage
from tasks.stores.tombstones import mark_of
from tasks.transforms.erasure import Renaming, descriptive_tags, erase, touched

Partition = str | date | None
BATCH_ROWS = 500_000
"""Rows of several partitions that are rewritten at once."""
DERIVED = "as_of"


class Renamed:
    """What the rewriting of all tables comes to."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.candidates: list[Candidate] = []
        self.rows: dict[str, int] = {}
        """Table to rows changed or removed."""
        self.restated: list[dict[str, str]] = []
        """table, as_of, old and new digest of every derived partition that changed."""


def rename_tables(room: Room, state: State, *, is_dry: bool = False) -> Renamed:
    """Every touched partition, rewritten and staged; only counted when dry."""
    done, naming = Renamed(), state.naming
    for name in sorted(snapshot_of(room.run).tables):
        for number, rows in enumerate(_batches(room, TABLES[name])):
            _take(room, done, naming, TABLES[name], f"{name}-{number:04}", rows, is_dry=is_dry)
    if not is_dry:
        done.candidates += [_erasures(room, state), _tombstones(room, state)]
    return done


def _batches(room: Room, table: Table) -> Iterator[pl.DataFrame]:
    """The table in pieces of whole partitions, each small enough for memory."""
    snapshot = snapshot_of(room.run)
    if table.partition is None:
        yield room.lake.scan(table.name, snapshot).collect()
        return
    counts = room.lake.scan(table.name, snapshot).group_by(table.partition).len().collect()
    batch: list[Partition] = []
    waiting = 0
    for partition, rows in counts.sort(table.partition).iter_rows():
        if batch and waiting + rows > BATCH_ROWS:
            yield room.lake.scan(table.name, snapshot, partitions=batch).collect()
            batch, waiting = [], 0
        batch.append(partition)
        waiting += rows
    if batch:
        yield room.lake.scan(table.name, snapshot, partitions=batch).collect()


def _take(
    room: Room, done: Renamed, naming: Renaming, table: Table, place: str, rows: pl.DataFrame, *, is_dry: bool
) -> None:
    """Rewrite what a batch holds of the person, in the partitions that it touches alone."""
    mask = touched(rows, table.name, naming)
    if not (count := int(mask.sum())):
        return
    described = descriptive_tags(room.policy.tags) if table.name == "tags" else ()
    new = erase(rows, table.name, naming, described)
    _check(table, rows, new, count)
    done.rows[table.name] = done.rows.get(table.name, 0) + count
    partitions = rows.filter(mask)[table.partition].unique().sort().to_list() if table.partition else []
    if table.partition == DERIVED:
        done.restated += [_restated(table, rows, new, day) for day in partitions]
    if not is_dry:
        done.candidates.append(_staged(room, table, new, place, partitions))


def _restated(table: Table, old: pl.DataFrame, new: pl.DataFrame, day: Partition) -> dict[str, str]:
    digests = [digest_rows(rows.filter(pl.col(DERIVED).cast(pl.String) == str(day)), table.name) for rows in (old, new)]
    return {"table": table.name, "as_of": str(day), "old": digests[0], "new": digests[1]}


def _staged(room: Room, table: Table, rows: pl.DataFrame, place: str, touched: Sequence[Partition]) -> Candidate:
    run = room.run.model_copy(update={"scratch": f"{room.run.scratch}/{place}"})
    if table.partition is None:
        return stage(run, table.name, rows, mode="overwrite", step=place)
    names = [None if one is None else str(one) for one in touched]
    own = pl.col(table.partition).cast(pl.String).is_in(names, nulls_equal=True)
    return stage(run, table.name, rows.filter(own), mode="replace", replaces=names, step=place)


def _check(table: Table, before: pl.DataFrame, after: pl.DataFrame, count: int) -> None:
    """Rows and money are what they were; sealed contacts alone become fewer.

    Raises:
        UnbalancedError: nothing is published then.
    """
    gone = count if table.name == "contacts" else 0
    money = [name for name in before.columns if name.endswith("_fen")]
    sums = [rows.select(pl.col(money).cast(pl.Int128).sum()).rows() if money else [] for rows in (before, after)]
    if before.height - gone != after.height or sums[0] != sums[1]:
        raise UnbalancedError(
            f"{table.name} would have {after.height} rows after {before.height}, or other money",
            expected="the same rows under other names", next_step="nothing was published; report this",
        )  # fmt: skip


def _erasures(room: Room, state: State) -> Candidate:
    """One row per raw file that was cut."""
    rows = [
        {
            "request_id": room.request_id, "file_sha256": sha256, "erased_at": state.asked_at,
            "rows_erased": len(cut.rows), "erased_rows": json.dumps(cut.rows), "raw_sha256": cut.raw_sha256,
        }
        for sha256, cut in state.cuts.items()
    ]  # fmt: skip
    return stage(room.run, "erasures", pl.DataFrame(rows, TABLES["erasures"].schema), mode="append", step="erasures")


def _tombstones(room: Room, state: State) -> Candidate:
    """One mark per key and record; who is forgotten a second time has theirs already."""
    texts = [("key", key) for key in state.keys] + [("record", record) for record in sorted(state.person.records)]
    rows = [
        {
            "mark": mark_of(text, room.ring.tombstone), "mark_kind": kind, "erased_at": state.asked_at,
            "request_id": room.request_id,
        }
        for kind, text in texts
    ]  # fmt: skip
    marks = pl.DataFrame(rows, TABLES["tombstones"].schema)
    standing = room.lake.scan("tombstones", snapshot_of(room.run)).select("mark").collect()
    fresh = marks.join(standing, on="mark", how="anti")
    return stage(room.run, "tombstones", fresh, mode="append", step="tombstones")


def files_of(state: State) -> list[StoredFile]:
    """The raw objects that stand now in place of others."""
    return [StoredFile(path=cut.key, bytes=cut.bytes, sha256=cut.raw_sha256) for cut in state.cuts.values()]


def told_of(room: Room, done: Renamed, state: State) -> dict[str, Any]:
    """What the record of the run says: which digests stand for which, which raw objects are gone."""
    replaced = sorted(key for cut in state.cuts.values() for key in cut.replaces if key != cut.key)
    return {"request": room.request_id, "restated": done.restated, "replaced": replaced, "rows": done.rows}
