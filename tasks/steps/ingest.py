"""The steps of an ingest: receive each file, then merge all their rows into the tables."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
from prefect import task

from expectations.tables import TABLES
from tasks.errors import UnbalancedError
from tasks.refs import Candidate, Run, Snapshot
from tasks.sources.drift import find_drift
from tasks.sources.spill import waiting
from tasks.steps.house import lake_at, policy_of, snapshot_of
from tasks.steps.merging import Merged, merge_table
from tasks.steps.opening import Item
from tasks.steps.receive import Received, Terms, receive
from tasks.steps.withdrawing import with_withdrawn
from tasks.stores.scratch import stage, stage_pieces
from tasks.stores.tables import Lake

Row = dict[str, Any]
APART = frozenset({"quarantine"})
COUNTED = ("rows_read", "rows_quarantined", "money_read_fen", "money_quarantined_fen", "money_unreadable")


@task(name="receive file", task_run_name="receive {item.name}")
def receive_file(run: Run, item: Item, terms: Terms) -> Received | None:
    """Keep and read one export; a bad one is received as refused and stops nothing else."""
    return receive(run, item, terms, policy_of(run))


@task(name="merge files", task_run_name="merge {run.run_id}")
def merge_files(run: Run, received: Sequence[Received]) -> tuple[Candidate, ...]:
    """Merge the rows of all files into their tables, and account for every row and fen of each file."""
    return merge(run, lake_at(run.lake), snapshot_of(run), received)


def merge(run: Run, lake: Lake, snapshot: Snapshot, received: Sequence[Received]) -> tuple[Candidate, ...]:
    """One candidate per table that changes; that of `files`, the last one, holds the account."""
    incoming = with_withdrawn(run, lake, snapshot, _staged(received))
    merged = {name: merge_table(run, lake, snapshot, name, incoming[name]) for name in TABLES if name in incoming}
    candidates = [entry.candidate for entry in merged.values() if entry.candidate is not None]
    if refused := _refused(received):
        candidates.append(stage_pieces(run, "quarantine", map(_read, refused), mode="append"))
    files = _files(lake.scan("files", snapshot).collect(), received, merged)
    return (*candidates, stage(run, "files", files, mode="overwrite"))


def _staged(received: Sequence[Received]) -> dict[str, list[str]]:
    """The Parquet files of all received files by table; refused rows go their own way."""
    incoming: dict[str, list[str]] = {}
    for file in received:
        for table in file.staged.keys() - APART:
            incoming.setdefault(table, []).extend(file.staged[table])
    return incoming


def _refused(received: Sequence[Received]) -> list[tuple[str, ...]]:
    """Files with refused rows, in the order of the quarantine's key."""
    ordered = sorted(received, key=lambda file: file.sha256)
    return [file.staged["quarantine"] for file in ordered if "quarantine" in file.staged]


def _read(paths: Sequence[str]) -> pl.DataFrame:
    return waiting(paths).select(TABLES["quarantine"].columns).collect()


def _files(stored: pl.DataFrame, received: Sequence[Received], merged: dict[str, Merged]) -> pl.DataFrame:
    """The files table with these files in it; a file that was refused before may come again."""
    rows = [_file_row(file, *_duplicates(file, merged)) for file in received]
    fresh = pl.DataFrame(rows, TABLES["files"].schema)
    return pl.concat([stored.join(fresh.select("sha256"), on="sha256", how="anti"), fresh])


def _duplicates(file: Received, merged: dict[str, Merged]) -> tuple[int, int]:
    """Source rows, and their money, of which every canonical row said nothing new."""
    if file.primary not in merged:
        return 0, 0
    found = merged[file.primary].duplicates.filter(file_sha256=file.sha256)
    return (int(found["rows"].sum()), int(found["money_fen"].sum() or 0)) if found.height else (0, 0)


def _file_row(file: Received, rows_duplicate: int, money_duplicate: int) -> dict[str, object]:
    """One row of `files`; read = accepted + duplicate + quarantined, in rows and in fen."""
    rows_accepted = file.rows_read - file.rows_quarantined - rows_duplicate
    money_accepted = file.money_read_fen - file.money_quarantined_fen - money_duplicate
    if rows_accepted < 0:
        raise UnbalancedError(
            f"{file.name}: {file.rows_read} rows read, {file.rows_quarantined} refused, {rows_duplicate} duplicate",
            expected="read = accepted + duplicate + quarantined",
            next_step="nothing was published; report this with the file's layout",
        )
    told = file.model_dump(include={name for name in TABLES["files"].columns if name in Received.model_fields})
    return told | {
        "rows_accepted": rows_accepted,
        "rows_duplicate": rows_duplicate,
        "money_accepted_fen": money_accepted,
        "money_duplicate_fen": money_duplicate,
    }


ACCOUNT = (
    "name", "outcome", "channel", "shop_id", "layout", "rows_read", "rows_accepted", "rows_duplicate",
    "rows_quarantined", "money_read_fen", "money_accepted_fen", "money_duplicate_fen", "money_quarantined_fen",
    "reason", "drift",
)  # fmt: skip
"""What the summary tells of a file; `notes` and the drift in words stand beside it."""


def account_of(files: pl.DataFrame, shas: Collection[str], about: Mapping[str, Sequence[str]]) -> list[Row]:
    """One row per file of these digests, for the summary that people read, in order of name."""
    rows = files.filter(pl.col("sha256").is_in(list(shas))).sort("name", "sha256").select("sha256", *ACCOUNT).to_dicts()
    return [_told(row, about.get(row.pop("sha256"), ())) for row in rows]


def drift_of(files: pl.DataFrame, shas: Collection[str]) -> list[Row]:
    """One row per difference of these files from their layout, and from the file of that shop before."""
    found = find_drift(files.filter(pl.col("outcome") == "accepted").iter_rows(named=True))
    return [
        {"file": one.file, "against": one.against, "kind": one.kind, "what": one.what}
        for one in found
        if one.sha256 in shas
    ]


def _told(row: Row, notes: Sequence[str]) -> Row:
    return row | {"drift": drift_in_words(json.loads(str(row["drift"]))), "notes": "; ".join(notes)}


def drift_in_words(drift: Mapping[str, object]) -> str:
    """What differs from the layout, such as `extra: 序列号`; empty when nothing does. All headers are no difference."""
    told = ((kind, found) for kind, found in sorted(drift.items()) if found and kind != "headers")
    return "; ".join(f"{kind}: {_listed(found)}" for kind, found in told)


def _listed(found: object) -> str:
    """Names and counts without the marks of Python or JSON."""
    if isinstance(found, Mapping):
        return ", ".join(f"{name} ({_listed(value)})" for name, value in found.items())
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
