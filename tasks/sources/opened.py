"""What every decoder hands on: headers and rows of text, and the rows that could not even be taken apart."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

UNDECODABLE = pl.Schema({"row_number": pl.Int64(), "rule": pl.String(), "value": pl.String()})


@dataclass(frozen=True)
class Opened:
    """An export file taken apart into cells of text; nothing is interpreted yet."""

    format: str
    encoding: str | None
    """Text encoding found in the file; None for a file that is not text."""
    headers: tuple[str, ...]
    """Headers as printed, in file order; for JSON the paths that occur, such as `follow_user[].userid`."""
    rows: Callable[[tuple[str, ...]], pl.DataFrame]
    """Rows of text named by `unique_names(headers)`, with `row_number`; takes the layout's `each`."""
    rows_read: int
    """Data rows of the file, those that could not be taken apart included."""
    undecodable: pl.DataFrame
    """One row per row that could not be taken apart: row_number, rule, value."""


def undecodable(rows: Iterable[tuple[int, str, str]]) -> pl.DataFrame:
    """Return the rows that could not be taken apart as a frame."""
    return pl.DataFrame(list(rows), schema=UNDECODABLE, orient="row")
