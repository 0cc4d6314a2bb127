"""Parquet files: typed columns become text, batch by batch, so that one set of parsers reads every format."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.errors import BadFileError
from tasks.sources.headers import unique_names
from tasks.sources.opened import Chunk, Opened, Wanted, undecodable

BATCH_ROWS = 1 << 16
MAX_COLUMNS = 2_000


def open_parquet(path: Path, name: str, batch_rows: int = BATCH_ROWS) -> Opened:
    """Take a Parquet file apart; nested and binary columns are seen as headers but not read.

    Raises:
        BadFileError: cut off or damaged, at once or in a later row group.
    """
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name) from error
    if len(schema.names) > MAX_COLUMNS:
        raise BadFileError(
            f"{name} has {len(schema.names)} columns", expected=f"at most {MAX_COLUMNS}", next_step="look at it"
        )
    return Opened("parquet", None, tuple(schema.names), lambda wanted: _chunks(path, name, schema, wanted, batch_rows))


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
        with pq.ParquetFile(path) as file:
            columns = [schema.names[i] for i in asked]
            for batch in file.iter_batches(batch_rows, columns=columns):
                yield Chunk(_as_text(batch, [names[i] for i in asked], first), undecodable([]), batch.num_rows)
                first += batch.num_rows
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _damaged(name) from error


def _is_scalar(kind: pa.DataType) -> bool:
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return not (pa.types.is_nested(kind) or is_bytes)


def _as_text(batch: pa.RecordBatch, names: list[str], first: int) -> pl.DataFrame:
    columns = [pl.Series(new, batch.column(i)).cast(pl.String) for i, new in enumerate(names)]
    return pl.DataFrame([pl.Series("row_number", range(first, first + batch.num_rows), pl.Int64), *columns])
