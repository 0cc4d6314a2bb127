"""The steps of an ingest: receive each file, then merge all their rows into the tables."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from prefect import task

from expectations.tables import TABLES
from tasks.errors import UnbalancedError
from tasks.refs import Candidate, Run
from tasks.steps.house import lake_at, snapshot_of
from tasks.steps.merging import Merged, merge_table
from tasks.steps.receive import Received, Terms, receive
from tasks.stores.scratch import stage

APART = frozenset({"quarantine"})
COUNTED = ("rows_read", "rows_quarantined", "money_read_fen", "money_quarantined_fen", "money_unreadable")


@task(name="receive file", task_run_name="receive {path}")
def receive_file(run: Run, path: str, terms: Terms) -> Received:
    """Keep and read one export file; a bad one is received as refused and stops nothing else."""
    return receive(run, Path(path), terms)


@task(name="merge files", task_run_name="merge {run.run_id}")
def merge_files(run: Run, received: Sequence[Received]) -> tuple[Candidate, ...]:
    """Merge the rows of all files into their tables, and account for every row and fen of each file."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    incoming = {table: _incoming(received, table) for table in _tables(received)}
    merged = {table: merge_table(run, lake, snapshot, table, rows) for table, rows in incoming.items()}
    candidates = [entry.candidate for entry in merged.values() if entry.candidate is not None]
    files = _files(run, received, incoming, merged)
    refused = _incoming(received, "quarantine") if any("quarantine" in file.staged for file in received) else None
    if refused is not None:
        candidates.append(stage(run, "quarantine", refused, mode="append"))
    return (*candidates, stage(run, "files", files, mode="overwrite"))


def _tables(received: Sequence[Received]) -> list[str]:
    """The tables that the accepted files feed, in the order of their declaration."""
    fed = {table for file in received for table in file.staged} - APART
    return [name for name in TABLES if name in fed]


def _incoming(received: Sequence[Received], table: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(file.staged[table]) for file in received if table in file.staged])


def _files(
    run: Run, received: Sequence[Received], incoming: dict[str, pl.DataFrame], merged: dict[str, Merged]
) -> pl.DataFrame:
    """The files table with these files in it; a file that was refused before may come again."""
    rows = [_file_row(file, *_duplicates(file, incoming, merged)) for file in received]
    fresh = pl.DataFrame(rows, TABLES["files"].schema)
    stored = lake_at(run.lake).scan("files", snapshot_of(run)).collect()
    return pl.concat([stored.join(fresh.select("sha256"), on="sha256", how="anti"), fresh])


def _duplicates(file: Received, incoming: dict[str, pl.DataFrame], merged: dict[str, Merged]) -> tuple[int, int]:
    """Source rows, and their money, of which every canonical row said nothing new."""
    if file.primary not in incoming:
        return 0, 0
    mine = incoming[file.primary].filter(pl.col("file_sha256") == file.sha256)
    if "row_number" not in mine.columns:
        return 0, 0
    known = merged[file.primary].duplicates.filter(pl.col("file_sha256") == file.sha256)
    counted = known.group_by("row_number").len("known").join(mine.group_by("row_number").len("all"), on="row_number")
    whole = counted.filter(pl.col("known") == pl.col("all")).select("row_number")
    money = mine.unique("row_number").join(whole, on="row_number", how="semi").get_column("row_money_fen").sum()
    return whole.height, int(money or 0)


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


def account_of(files: Candidate, shas: Sequence[str]) -> list[dict[str, object]]:
    """One row per file of this run, for the summary that people read."""
    columns = [
        "name", "outcome", "layout", "rows_read", "rows_accepted", "rows_duplicate", "rows_quarantined",
        "money_read_fen", "reason", "drift",
    ]  # fmt: skip
    rows = pl.read_parquet(files.path).filter(pl.col("sha256").is_in(list(shas))).select(columns).to_dicts()
    return [row | {"drift": _told(json.loads(str(row["drift"])))} for row in rows]


def _told(drift: dict[str, object]) -> str:
    """What differs from the layout, such as `extra: 序列号`; empty when nothing does."""
    return "; ".join(f"{kind}: {found}" for kind, found in sorted(drift.items()) if found)
