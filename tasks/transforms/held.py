"""How rows that are read many times are held: by whoever composes the work, in memory, in a file or not at all."""

from collections.abc import Callable

import polars as pl

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
