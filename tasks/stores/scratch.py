"""Candidates in local scratch: sorted, typed, digested, and complete under their final name or not there."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run
from tasks.stores.digests import digest_rows


def stage(
    run: Run,
    table: str,
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    mode: Literal["append", "replace", "overwrite"],
    replaces: Sequence[str | date | None] = (),
    step: str = "",
) -> Candidate:
    """Write rows of `table` to the run's scratch, in total order, and return the reference to them."""
    rows = in_order(frame, table).collect()
    path = write_whole(rows, Path(run.scratch) / f"{table}.parquet")
    return Candidate(
        table=table,
        step=step or run.flow,
        path=str(path),
        rows=rows.height,
        digest=digest_rows(rows, table),
        mode=mode,
        replaces=tuple(None if value is None else str(value) for value in replaces),
    )


def in_order(frame: pl.DataFrame | pl.LazyFrame, table: str) -> pl.LazyFrame:
    """The table's columns with their types, policy's own after them, sorted by key and then by all the rest."""
    declared = TABLES[table]
    lazy = frame.lazy()
    names = lazy.collect_schema().names()
    extra = sorted(set(names) - set(declared.columns)) if declared.is_open else []
    columns = [*declared.columns, *extra]
    rest = [name for name in columns if name not in declared.key]
    typed = [pl.col(name).cast(declared.schema[name]) for name in declared.columns]
    return lazy.select(*typed, *extra).sort(*declared.key, *rest, nulls_last=True)


def write_whole(frame: pl.DataFrame, path: Path) -> Path:
    """Write under another name and rename: a killed process leaves no half file under the final one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    frame.write_parquet(draft, compression="zstd", statistics=True)
    draft.replace(path)
    return path


def read(candidate: Candidate) -> pl.LazyFrame:
    """The rows of a candidate."""
    return pl.scan_parquet(candidate.path)


def find(candidates: Sequence[Candidate], table: str) -> Candidate:
    """The candidate of a table; KeyError when the run made none."""
    return {candidate.table: candidate for candidate in candidates}[table]
