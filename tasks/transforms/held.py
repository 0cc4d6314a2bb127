"""How rows that are read many times are held: by whoever composes the work, in memory, in a file or not at all."""

import io
from collections.abc import Callable

import polars as pl
import polars.selectors as cs

Keep = Callable[[pl.LazyFrame], pl.LazyFrame]
"""What holds rows that are read many times: the same rows, worked out once."""
Hold = Callable[[str, pl.LazyFrame], pl.LazyFrame]
"""What holds a part of the work under its name: the same rows, worked out once."""


def as_planned(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows as given, worked out anew by every reader: the way to hold few of them."""
    return rows


def in_memory(name: str, rows: pl.LazyFrame) -> pl.LazyFrame:  # noqa: ARG001  the name is for who watches
    """Rows worked out and kept: the way to hold one row per customer."""
    return rows.collect(engine="streaming").lazy()


def shrunk(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The same rows worked out, in as few bytes as their numbers need: they are held, and read more than once."""
    held = rows.collect(engine="streaming")
    numbers = held.select(cs.by_dtype(pl.Int64).exclude("one_id"))
    return held.with_columns(column.shrink_dtype() for column in numbers).lazy().cast(held.schema)


def tight(rows: pl.LazyFrame) -> pl.DataFrame:
    """Rows worked out, their texts copied: a few that were picked out of many else hold the texts of all in memory."""
    held = io.BytesIO()
    rows.collect(engine="streaming").write_ipc(held)
    held.seek(0)
    return pl.read_ipc(held)
