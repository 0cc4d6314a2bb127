"""Parquet files: typed columns become text, batch by batch, so that one set of parsers reads every format."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.errors import BadFileError
from tasks.sources.headers import unique_names
from tasks.sources.opened import Chunk, Opened, Share, Wanted, undecodable

BATCH_ROWS = 1 << 16
MAX_COLUMNS = 2_000
MAX_BATCH_BYTES = 512 << 20
"""Text in one batch: a file of 100 KB may say one long text a million times, and Arrow would write it out."""
MOST_ROWS_PER_BYTE = 100
"""Rows that a byte of the file may stand for: an id of its own in each row takes one at least."""


def open_parquet(path: Path, name: str, batch_rows: int = BATCH_ROWS) -> Opened:
    """Take a Parquet file apart; nested and binary columns are seen as headers but not read.

    Raises:
        BadFileError: cut off or damaged, at once or in a later row group.
    """
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name) from error
    _refuse_endless(path, name)
    if len(schema.names) > MAX_COLUMNS:
        raise BadFileError(
            f"{name} has {len(schema.names)} columns", expected=f"at most {MAX_COLUMNS}", next_step="look at it"
        )
    return Opened("parquet", None, tuple(schema.names), lambda wanted: _chunks(path, name, schema, wanted, batch_rows))


def _refuse_endless(path: Path, name: str) -> None:
    rows, size = pq.read_metadata(path).num_rows, path.stat().st_size
    if rows > MOST_ROWS_PER_BYTE * size:
        raise _bomb(name, f"{rows:,} rows in {size:,} bytes")


def _bomb(name: str, what: str) -> BadFileError:
    return BadFileError(
        f"{name} has {what}, as only a bomb does", expected="rows of an export", next_step="export it again as CSV"
    )


def _damaged(name: str) -> BadFileError:
    return BadFileError(
        f"{name} cannot be read as Parquet", expected="a whole Parquet file", next_step="fetch it again"
    )


def _chunks(path: Path, name: str, schema: pa.Schema, wanted: Wanted, batch_rows: int) -> Iterator[Chunk]:
    names = unique_names(schema.names)
    asked = [
        i for i, field in enumerate(schema)
        if _is_scalar(field.type) and (wanted.columns is None or names[i] in wanted.columns)
    ]  # fmt: skip
    first = 1
    try:
        columns = [schema.names[i] for i in asked]
        texts = [schema.names[i] for i in asked if _is_text(schema.field(i).type)]
        with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
            share = Share(path.stat().st_size, file.metadata.num_rows)
            for batch in file.iter_batches(batch_rows, columns=columns):
                _refuse_amplified(batch, name)
                rows = _as_text(batch, [names[i] for i in asked], first)
                first += batch.num_rows
                yield Chunk(rows, undecodable([]), batch.num_rows, share.up_to(first - 1))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _damaged(name) from error


def _is_scalar(kind: pa.DataType) -> bool:
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return not (pa.types.is_nested(kind) or is_bytes)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _refuse_amplified(batch: pa.RecordBatch, name: str) -> None:
    """Texts come as their distinct values and where each stands: what they take is known before it is taken."""
    coded = [column for column in batch.columns if pa.types.is_dictionary(column.type)]
    lengths = [pc.take(pc.binary_length(column.dictionary), column.indices) for column in coded]
    size = sum(pc.sum(length).as_py() or 0 for length in lengths)
    if size > MAX_BATCH_BYTES:
        raise _bomb(name, f"{size:,} bytes of text in {batch.num_rows} rows")


def _as_text(batch: pa.RecordBatch, names: list[str], first: int) -> pl.DataFrame:
    columns = [pl.Series(new, batch.column(i)).cast(pl.String) for i, new in enumerate(names)]
    return pl.DataFrame([pl.Series("row_number", range(first, first + batch.num_rows), pl.Int64), *columns])
