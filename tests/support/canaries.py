"""Search every place for many marked values at once: Parquet decoded, SQLite dumped, all else as it lies."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl


def seen_in(folder: Path, canaries: Iterable[str], apart: Iterable[Path] = ()) -> list[str]:
    """Files below the folder in which one of the values can be read, but for those below the folders `apart`."""
    sought, skipped = sorted(canaries), tuple(apart)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_below(path, skipped))
    return [str(path.relative_to(folder)) for path in files if _has_any(path, sought)]


def _is_below(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(folder in path.parents for folder in folders)


def _has_any(path: Path, sought: list[str]) -> bool:
    texts = pl.concat([part.rename("text") for part in _texts(path)])
    return bool(texts.str.contains_any(sought).any())


def _texts(path: Path) -> Iterator[pl.Series]:
    """The bytes as they lie, and what a compressed or paged file hides."""
    content = path.read_bytes()
    yield pl.Series([content.decode("latin-1")])
    if content.startswith(b"PAR1"):
        yield from map(_column, pl.read_parquet(path, hive_partitioning=False))
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database:
            yield pl.Series(list(database.iterdump()))


def _column(values: pl.Series) -> pl.Series:
    """The different values of a column as text, whatever its type."""
    if values.dtype == pl.Binary:
        return pl.Series([b"\n".join(values.drop_nulls()).decode("latin-1")])
    while values.dtype.is_nested():
        values = values.explode() if isinstance(values.dtype, pl.List) else values.struct.json_encode()
    return values.unique().cast(pl.String)
