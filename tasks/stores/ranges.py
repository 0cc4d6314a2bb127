"""Rows larger than memory, taken up in ascending ranges of a table's key: spread to scratch once, read range by range.

What belongs together by key (the versions of a record) always lies in one range. A few rows make
one range and touch no disk.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from expectations.tables import TABLES

RANGE_ROWS = 250_000
"""Rows that are in memory at once, a few times over."""
SAMPLES = 256
"""Keys looked at for each range, so that ranges come out about even."""
_SEPARATOR = "\x00"
"""Sorts before every character that a cell may hold: joined keys sort as their columns do."""


def leading_text(table: str) -> list[str]:
    """The text columns with which the table's order begins; rows that share them lie in one range."""
    declared, names = TABLES[table], []
    for name in declared.key:
        if declared.schema[name] != pl.String():
            break
        names.append(name)
    return [name for name in names if name != "content_hash"]


def cut(rows: pl.LazyFrame, table: str, *, range_rows: int = RANGE_ROWS) -> pl.Series:
    """Where ranges begin: keys that cut the rows into about even parts; none where they are few."""
    count, by = int(rows.select(pl.len()).collect().item()), leading_text(table)
    wanted = count // range_rows
    if not wanted or not by:
        return pl.Series(dtype=pl.String)
    every = max(1, range_rows // SAMPLES)
    seen = rows.select(key=_joined(by)).filter(pl.col("key").hash() % every == 0)
    keys = seen.collect(engine="streaming").get_column("key").sort()
    return keys.gather([keys.len() * n // (wanted + 1) for n in range(1, wanted + 1)] if keys.len() else []).unique(
        maintain_order=True
    )


class Spread:
    """Rows by range; `spread[n]` are those of the n-th one."""

    def __init__(self, sources: Sequence[pl.LazyFrame], table: str, starts: pl.Series, folder: Path) -> None:
        """Write each range's rows below the folder, source after source.

        One source at a time, because Polars reads ahead of whoever takes its batches: a source should be a file
        or a partition of moderate size.
        """
        self._sources, self._starts, self._folder = sources, starts, folder
        self._pieces: list[list[Path]] = [[] for _ in range(len(self))]
        if len(self) > 1:
            self._write(table)

    def __len__(self) -> int:
        """Return the number of ranges, one at least."""
        return self._starts.len() + 1

    def __getitem__(self, number: int) -> pl.DataFrame:
        """Return the rows of one range."""
        if len(self) == 1:
            return pl.concat(self._sources).collect(engine="streaming")
        if not self._pieces[number]:
            return self._sources[0].collect_schema().to_frame()
        return pl.concat([pl.read_ipc(path) for path in self._pieces[number]])

    def _write(self, table: str) -> None:
        self._folder.mkdir(parents=True)
        place = pl.lit(self._starts).search_sorted(_joined(leading_text(table)), side="right").alias("range")
        for batch_number, batch in enumerate(self._batches()):
            placed = batch.with_columns(place).partition_by("range", as_dict=True, include_key=False)
            for (number,), piece in placed.items():
                path = self._folder / f"{batch_number:05}-{number:05}.arrow"
                piece.write_ipc(path, compression="lz4")
                self._pieces[int(str(number))].append(path)

    def _batches(self) -> Iterator[pl.DataFrame]:
        for source in self._sources:
            yield from source.collect_batches(chunk_size=RANGE_ROWS, maintain_order=False, engine="streaming")


def _joined(columns: Sequence[str]) -> pl.Expr:
    return pl.concat_str([pl.col(name).fill_null("") for name in columns], separator=_SEPARATOR)
