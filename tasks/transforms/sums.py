"""Sums by customer: by arrays where customers are numbers, by groups where they are names.

A number is a place in an array, so that nothing is looked up: each batch of rows is added where it belongs, in whole
numbers. Both ways give the same rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.io.plugins import register_io_source

_BATCH = 1 << 19
_NONE = {"min": np.iinfo(np.int64).max, "max": np.iinfo(np.int64).min}
"""What stands where there is no row yet."""
_ADD: dict[str, Callable[..., None]] = {
    "count": np.add.at, "sum": np.add.at, "min": np.minimum.at, "max": np.maximum.at,
}  # fmt: skip
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sum:
    """One number of a customer over their rows: how many count, or the sum, least or greatest `of` those."""

    name: str
    take: Literal["count", "sum", "min", "max"]
    of: str = ""
    """The column; whole numbers or dates, never null where a row counts. None for a count."""
    where: str = ""
    """The column that says whether a row counts; empty: every row does."""

    def in_group(self) -> pl.Expr:
        """The same as an aggregation. Without a row counts and sums are 0, the others null."""
        counts = pl.col(self.where) if self.where else pl.lit(value=True)
        if self.take == "count":
            counted = pl.col(self.where).sum() if self.where else pl.len()
            return counted.cast(pl.Int64).alias(self.name)
        value = pl.when(counts).then(self.of)
        found = {"sum": value.sum, "min": value.min, "max": value.max}[self.take]()
        return found.alias(self.name)


def sum_by_customer(rows: pl.LazyFrame, sums: Sequence[Sum], since: Mapping[str, date] | None = None) -> pl.LazyFrame:
    """One row per customer (`one_id`) of the rows, with the sums. Nobody's rows give none where customers are numbers.

    Of numbered customers only the sums that somebody reads are worked out, and they stand in order. `since` says from
    which `paid_on` on a row may count, by the column that says whether it does; no entry: from the beginning.
    """
    schema = rows.collect_schema()
    if schema["one_id"] != pl.Int64:
        return rows.group_by("one_id").agg(one.in_group() for one in sums)
    types = {one.name: schema[one.of] if one.of else pl.Int64() for one in sums}

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows_asked: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        asked = [one for one in sums if columns is None or one.name in columns]
        made = _summed(rows, asked, types, since or {})
        made = made if predicate is None else made.filter(predicate)
        yield made if rows_asked is None else made.head(rows_asked)

    return register_io_source(read, schema={"one_id": pl.Int64(), **types}, is_pure=True)


def _summed(
    rows: pl.LazyFrame, sums: Sequence[Sum], types: dict[str, pl.DataType], since: Mapping[str, date]
) -> pl.DataFrame:
    """One row per number that occurs, in order.

    Where no sum counts old rows, they are read for who occurs alone: most of a file of many months is not unpacked.
    """
    marks = sorted(_names(sums))
    values = sorted({one.of for one in sums if one.of})
    whole = [pl.col(name).to_physical().cast(pl.Int64) for name in values]
    owned = rows.filter(pl.col("one_id").is_not_null())
    arrays = _Arrays(tuple(sums))
    if sums and all(one.where in since for one in sums):
        for batch in _batches(owned.select("one_id")):
            arrays.meet(batch)
        owned = owned.filter(pl.col("paid_on") >= min(since[mark] for mark in marks))
    for batch in _batches(owned.select("one_id", *marks, *whole)):
        arrays.add(batch)
    return arrays.frame(types)


def _batches(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    return rows.collect_batches(maintain_order=False, chunk_size=_BATCH, engine="streaming")


class _Arrays:
    """One array per sum, and one that says which numbers occur; they grow with the greatest number."""

    def __init__(self, sums: tuple[Sum, ...]) -> None:
        self._sums = sums
        self._seen: Bools = np.zeros(0, np.bool_)
        self._held: dict[str, Ints] = {one.name: np.zeros(0, np.int64) for one in sums}

    def meet(self, batch: pl.DataFrame) -> None:
        """Remember who occurs."""
        if batch.is_empty():
            return
        number = batch["one_id"].to_numpy()
        self._make_room(int(number.max()) + 1)
        self._seen[number] = True

    def add(self, batch: pl.DataFrame) -> None:
        """Add each row where it belongs."""
        self.meet(batch)
        at = {name: np.flatnonzero(batch[name].fill_null(value=False).to_numpy()) for name in _names(self._sums)}
        number = {mark: batch["one_id"].to_numpy()[at.get(mark, slice(None))] for mark in {*at, ""}}
        for one in self._sums:
            added = batch[one.of].to_numpy()[at.get(one.where, slice(None))] if one.of else 1
            _ADD[one.take](self._held[one.name], number[one.where], added)

    def _make_room(self, size: int) -> None:
        more = max(size, 2 * len(self._seen)) - len(self._seen) if size > len(self._seen) else 0
        if more:
            self._seen = np.concatenate([self._seen, np.zeros(more, np.bool_)])
            for one in self._sums:
                empty = np.full(more, _NONE.get(one.take, 0), np.int64)
                self._held[one.name] = np.concatenate([self._held[one.name], empty])

    def frame(self, types: dict[str, pl.DataType]) -> pl.DataFrame:
        """Who occurs, with their sums."""
        number = np.flatnonzero(self._seen)
        columns = {one.name: _typed(self._held[one.name][number], one, types[one.name]) for one in self._sums}
        return pl.DataFrame({"one_id": pl.Series(number, dtype=pl.Int64), **columns})


def _names(sums: Sequence[Sum]) -> set[str]:
    return {one.where for one in sums if one.where}


def _typed(values: Ints, one: Sum, dtype: pl.DataType) -> pl.Series:
    """The values in the type of their column, null where there was no row."""
    column = pl.Series(one.name, values)
    if one.take in _NONE:
        column = column.set(column == _NONE[one.take], None)
    return column.cast(dtype)
