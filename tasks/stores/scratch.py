"""Candidates in local scratch: sorted, typed, digested, and complete under their final name or not there."""

import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run
from tasks.stores.digests import RowsDigest, rises

Mode = Literal["append", "replace", "overwrite"]
_PIECE = 500_000
"""Rows of a table that are brought in order, digested and written at once."""


def stage(
    run: Run,
    table: str,
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    mode: Mode,
    replaces: Sequence[str | date | None] = (),
    step: str = "",
) -> Candidate:
    """Write rows of `table` to the run's scratch, in total order, and return the reference to them."""
    rows = frame.lazy().collect()
    return stage_pieces(run, table, pieces_of(rows, table), mode=mode, replaces=replaces, step=step)


def pieces_of(rows: pl.DataFrame, table: str, size: int = _PIECE) -> Iterable[pl.DataFrame]:
    """The rows in pieces of `size`, where they stand in the order of the table's key, each of its own; else in one."""
    may_be_cut = rows.height > size and rises(rows, TABLES[table].key)
    return rows.iter_slices(size) if may_be_cut else [rows]


def stage_pieces(
    run: Run,
    table: str,
    pieces: Iterable[pl.DataFrame],
    *,
    mode: Mode,
    replaces: Sequence[str | date | None] = (),
    step: str = "",
) -> Candidate:
    """Do what `stage` does with rows that come piece by piece, so that only one of them is in memory.

    Each piece's rows follow those of the piece before in the order of the table's key.
    """
    path, digest, count = Path(run.scratch) / f"{table}.parquet", RowsDigest(table), 0
    parts: list[Path] = []
    for piece in pieces:
        rows = in_order(piece, table)
        digest.add(rows)
        count += rows.height
        parts.append(write_whole(rows, path.with_suffix(".parts") / f"{len(parts):06}.parquet"))
    return Candidate(
        table=table,
        step=step or run.flow,
        path=str(_joined(parts, path)),
        rows=count,
        digest=digest.hexdigest(),
        mode=mode,
        replaces=tuple(None if value is None else str(value) for value in replaces),
    )


def in_order(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The table's columns with their types, policy's own after them, in total order.

    Sorted by the key where no two rows share it, else by all the rest too.
    """
    declared = TABLES[table]
    extra = sorted(set(frame.columns) - set(declared.columns)) if declared.is_open else []
    typed = frame.select(*(pl.col(name).cast(declared.schema[name]) for name in declared.columns), *extra)
    if rises(typed, declared.key):
        return typed
    by_key = typed.sort(*declared.key, nulls_last=True)
    if not by_key.select((pl.struct(declared.key) == pl.struct(declared.key).shift()).any()).item():
        return by_key
    rest = [name for name in typed.columns if name not in declared.key]
    return typed.sort(*declared.key, *rest, nulls_last=True)


def _joined(parts: Sequence[Path], path: Path) -> Path:
    """One file of all parts, in their order; the parts are gone."""
    if len(parts) == 1:
        parts[0].replace(path)
    else:
        draft = path.with_suffix(".draft")
        pl.scan_parquet(list(parts)).sink_parquet(draft, compression="zstd", statistics=True, maintain_order=True)
        draft.replace(path)
    shutil.rmtree(path.with_suffix(".parts"))
    return path


def write_whole(frame: pl.DataFrame, path: Path) -> Path:
    """Write under another name and rename: a killed process leaves no half file under the final one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    frame.write_parquet(draft, compression="zstd", statistics=True)
    draft.replace(path)
    return path


def spool(run: Run, name: str, rows: pl.LazyFrame, *, in_order: bool = False) -> pl.LazyFrame:
    """Write rows that later steps of the run read again, however many, and return them as they are read."""
    path = _spooled(run, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    rows.sink_parquet(draft, compression="zstd", statistics=True, maintain_order=in_order)
    draft.replace(path)
    return pl.scan_parquet(path)


def spooled(run: Run, name: str) -> pl.LazyFrame | None:
    """The rows that an earlier step of the run spooled; None where none did."""
    return pl.scan_parquet(_spooled(run, name)) if run.scratch and _spooled(run, name).is_file() else None


def _spooled(run: Run, name: str) -> Path:
    return Path(run.scratch) / "spool" / f"{name}.parquet"


def read(candidate: Candidate) -> pl.LazyFrame:
    """The rows of a candidate."""
    return pl.scan_parquet(candidate.path)


def find(candidates: Sequence[Candidate], table: str) -> Candidate:
    """The candidate of a table; KeyError when the run made none."""
    return {candidate.table: candidate for candidate in candidates}[table]
