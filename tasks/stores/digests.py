"""Content digests: of a table's logical rows, of a file's bytes, of the code that runs.

A digest of rows is the same whatever the order, chunking or column order of the frame, and the same
in every process: rows are brought into one total order and written as one canonical CSV text.
"""

import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from expectations.tables import TABLES

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FLOAT_DECIMALS = 9
"""Floats are leaf values rounded to 4 digits or so; what lies past this is noise of the machine."""

WRITE_BYTES = 1 << 20
READ_BYTES = 4 << 20
INSTANTS = "%Y-%m-%dT%H:%M:%S%.6f"

CODE_FOLDERS = ("expectations", "tasks", "flows")
CODE_SUFFIXES = frozenset({".py", ".yaml"})


class _Hashing(io.RawIOBase):
    """A file to write to that keeps nothing but the SHA-256 of what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        self.sha256.update(data)
        return memoryview(data).nbytes


class RowsDigest:
    """A digest of rows that come in pieces, each piece after the one before in the table's total order."""

    def __init__(self, table: str) -> None:
        """Begin with no rows."""
        self._table = table
        self._hashing = _Hashing()
        self._file = io.BufferedWriter(self._hashing, WRITE_BYTES)
        self._has_header = False

    def add(self, rows: pl.DataFrame) -> None:
        """Take the next piece, in any order of its own rows; no row of it comes before one of an earlier piece."""
        names = _covered(rows.schema, self._table)
        canonical = rows.lazy().select(names).pipe(_canonical).collect(engine="streaming")
        _ordered(canonical, _sorting_key(self._table)).write_csv(
            self._file, include_header=not self._has_header, datetime_format=INSTANTS, quote_style="necessary"
        )
        self._has_header = True

    def hexdigest(self) -> str:
        """Return the digest of all pieces; that of no rows needs one empty piece."""
        self._file.flush()
        return self._hashing.sha256.hexdigest()


def digest_rows(frame: pl.LazyFrame | pl.DataFrame, table: str) -> str:
    """Return the SHA-256 over a table's logical rows in total order.

    Covered are the logical columns and, in an open table, the policy's own columns by name. Null and
    the empty text differ; an integer's width, a float's noise past 9 decimals and -0.0 do not count.
    """
    digest, rows = RowsDigest(table), frame.lazy()
    digest.add(rows.select(_covered(rows.collect_schema(), table)).collect(engine="streaming"))
    return digest.hexdigest()


def _sorting_key(table: str) -> list[str]:
    return [name for name in TABLES[table].key if name in TABLES[table].logical]


def _covered(schema: pl.Schema, table: str) -> list[str]:
    """Key first, so that sorting by all columns is sorting by the key with the rest as tie-break."""
    declared = TABLES[table]
    rest = [name for name in declared.logical if name not in declared.key]
    extra = sorted(set(schema) - set(declared.columns)) if declared.is_open else []
    return [name for name in declared.key if name in declared.logical] + rest + extra


def _canonical(rows: pl.LazyFrame) -> pl.LazyFrame:
    schema = rows.collect_schema()
    return rows.with_columns(_canonical_value(name, dtype) for name, dtype in schema.items())


def _canonical_value(name: str, dtype: pl.DataType) -> pl.Expr:
    """One spelling for one value, whatever type a reader gave it."""
    column = pl.col(name)
    if dtype.is_float():
        return column.cast(pl.Float64).round(FLOAT_DECIMALS) + 0.0  # turns -0.0 into 0.0
    if isinstance(dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else column
        return utc.dt.cast_time_unit("us")
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    return column.cast(pl.String) if isinstance(dtype, pl.Categorical | pl.Enum) else column


def _ordered(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Sort by all columns, `key` first: by the key alone where no two rows share it, which is much faster."""
    if rises(rows, key):
        return rows
    by_key = rows.sort(key)
    if not by_key.select((pl.struct(key) == pl.struct(key).shift()).any()).item():
        return by_key
    constant = rows.select(pl.all().eq_missing(pl.all().first()).all())
    varied = [name for name in rows.columns if not constant[name].item()]
    return rows.sort(varied) if varied else rows


def rises(rows: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether each row stands behind the one before by its key, so that there is nothing to sort; false with a null."""
    if not key or any(rows[name].null_count() for name in key):
        return False
    is_later = pl.lit(value=False)
    for name in reversed(key):
        own, before = pl.col(name), pl.col(name).shift()
        is_later = (own > before) | ((own == before) & is_later)
    return bool(rows.select(is_later.fill_null(value=True).all()).item())


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a local file's bytes; while a piece is hashed, a thread beside reads the next."""
    digest = hashlib.sha256()
    with path.open("rb") as file, ThreadPoolExecutor(1) as beside:
        coming = beside.submit(file.read, READ_BYTES)
        while piece := coming.result():
            coming = beside.submit(file.read, READ_BYTES)
            digest.update(piece)
    return digest.hexdigest()


@cache
def code_version() -> str:
    """Return the SHA-256 over the paths and bytes of this project's code and layouts."""
    root = Path(__file__).parents[2]
    hasher = hashlib.sha256()
    for path in sorted(p for folder in CODE_FOLDERS for p in (root / folder).rglob("*") if p.suffix in CODE_SUFFIXES):
        hasher.update(f"{path.relative_to(root).as_posix()}\x00{file_sha256(path)}\n".encode())
    return hasher.hexdigest()
