"""Parquet files: typed columns become text, so that one set of parsers reads every format."""

import io

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.headers import unique_names
from tasks.sources.opened import Opened, undecodable


def open_parquet(data: bytes, name: str) -> Opened:
    """Take a Parquet file apart; nested and binary columns are seen as headers but not read.

    Raises:
        BadFileError: cut off or damaged.
    """
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise BadFileError(
            f"{name} cannot be read as Parquet", expected="a whole Parquet file", next_step="fetch it again"
        ) from error
    rows = _as_text(frame)
    return Opened("parquet", None, tuple(frame.columns), lambda _: rows, frame.height, undecodable([]))


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    scalar = [
        pl.col(old).cast(pl.String).alias(new)
        for old, new in zip(frame.columns, unique_names(frame.columns), strict=True)
        if not (frame.schema[old].is_nested() or frame.schema[old] == pl.Binary)
    ]
    return frame.select(pl.int_range(1, pl.len() + 1).alias("row_number"), *scalar)
