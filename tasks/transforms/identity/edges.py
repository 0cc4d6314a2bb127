"""Keys that stood on one record, as edges: one per unordered pair (algorithms §7.5)."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
EDGES = pl.Schema({"a": pl.Int64(), "b": pl.Int64(), "evidence": pl.Int64(), "days": pl.Int64(), "at": pl.Int64()})
"""Two nodes, a before b; strongest evidence (0 is the best), distinct business days, first time (microseconds)."""
_HALF = 32


@dataclass(frozen=True)
class Together:
    """Places of rows that stand on one record, two by two."""

    left: Ints
    right: Ints
    star: tuple[Ints, Ints]
    """Of records that show too many, their first row beside each other one: they tie nothing."""


def together(rows: pl.DataFrame, most: int) -> Together:
    """Every two rows of one record; apart, those of records with more than `most`. `rows` are by record."""
    record = rows["record"].to_numpy()
    starts = np.flatnonzero(np.r_[True, record[1:] != record[:-1]][: len(record)])
    sizes = np.diff(np.r_[starts, len(record)])
    several = (sizes > 1) & (sizes <= most)
    return Together(*_mates(starts[several], sizes[several]), _star(rows, np.repeat(sizes > most, sizes)))


def _mates(starts: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Places of every two rows of one record, from where records start and how long they are."""
    lefts, rights = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes):
        ones, others = np.triu_indices(size, k=1)
        first = starts[sizes == size][:, None]
        lefts.append((first + ones).ravel())
        rights.append((first + others).ravel())
    return np.concatenate(lefts), np.concatenate(rights)


def _star(rows: pl.DataFrame, is_crowded: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Places of the first key of each crowded record beside each of the others."""
    crowded = rows.select("key", "record").with_row_index("row").filter(is_crowded)
    first = pl.col("row").sort_by("key").first().over("record")
    star = crowded.with_columns(first=first).filter(pl.col("first") != pl.col("row"))
    return star["first"].to_numpy().astype(np.int64), star["row"].to_numpy().astype(np.int64)


def pairs_at(rows: pl.DataFrame, left: Ints, right: Ints) -> pl.DataFrame:
    """Pairs of nodes (a, b, evidence, at, day): from when both were there, by the weaker evidence of the two."""
    read = ("node", "evidence", "at", "day")
    one, other = ({name: rows[name].to_numpy()[places] for name in read} for places in (left, right))
    return pl.DataFrame({
        "a": np.minimum(one["node"], other["node"]), "b": np.maximum(one["node"], other["node"]),
        **{name: np.maximum(one[name], other[name]) for name in ("evidence", "at", "day")},
    })  # fmt: skip


def edges_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row per unordered pair, in no order: the columns of EDGES."""
    packed = pairs.lazy().select("evidence", "at", "day", pair=(pl.col("a") * 2**_HALF) | pl.col("b"))
    daily = packed.group_by("pair", "day").agg(pl.col("evidence", "at").min())
    edges = daily.group_by("pair").agg(pl.col("evidence", "at").min(), days=pl.len())
    named = edges.with_columns(a=pl.col("pair") // 2**_HALF, b=pl.col("pair") & (2**_HALF - 1))
    return named.select(EDGES.names()).cast(EDGES).collect()
