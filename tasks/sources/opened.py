"""What every decoder hands on: the headers of a file, and its rows of text in chunks that fit into memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

CHUNK_BYTES = 64 << 20
"""Text whose rows are worked on at a time: large enough that nothing per chunk counts, small enough to hold several."""
UNDECODABLE = pl.Schema({"row_number": pl.Int64(), "rule": pl.String(), "value": pl.String()})


class Wanted(NamedTuple):
    """What a reader needs of a file; a decoder may leave the rest unread."""

    each: tuple[str, ...] = ()
    """JSON: the lists or objects whose members are rows of their own."""
    columns: frozenset[str] | None = None
    """Columns as `unique_names(headers)` names them; None for all."""


class Chunk(NamedTuple):
    """Some rows of a file, in file order."""

    rows: pl.DataFrame
    """`row_number` and text columns named by `unique_names(headers)`, at least those wanted."""
    undecodable: pl.DataFrame
    """One row per row that could not be taken apart: row_number, rule, value."""
    rows_read: int
    """Rows of the file in this chunk, those that could not be taken apart included."""
    bytes_read: int = 0
    """About so many bytes of the file."""


@dataclass(frozen=True)
class Opened:
    """An export file ready to be taken apart into cells of text; nothing is interpreted yet."""

    format: str
    encoding: str | None
    """Text encoding found in the file; None for a file that is not text."""
    headers: tuple[str, ...]
    """Headers as printed, in file order; for JSON the paths that occur, such as `follow_user[].userid`."""
    chunks: Callable[[Wanted], Iterator[Chunk]]
    """Every row once; may be called again. Raises BadFileError when a later part of the file is not sound."""
    about: tuple[str, ...] = ()
    """What a person should know of the file, such as `3 lines above the header were skipped`."""


@dataclass
class Share:
    """Parts of a whole, such as rows of known number, as bytes of their file."""

    size: int
    """Bytes of the file."""
    whole: int
    """The parts in all."""
    done: int = 0

    def up_to(self, place: int) -> int:
        """Bytes from the last place that was told to this one, counted in parts from the beginning."""
        before = self.size * self.done // max(self.whole, 1)
        self.done = min(max(place, self.done), self.whole)
        return self.size * self.done // max(self.whole, 1) - before


def undecodable(rows: Iterable[tuple[int, str, str]]) -> pl.DataFrame:
    """Return the rows that could not be taken apart as a frame."""
    return pl.DataFrame(list(rows), schema=UNDECODABLE, orient="row")
