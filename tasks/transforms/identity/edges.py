"""Keys that stood on one record, as edges: one per unordered pair (algorithms §7.5)."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
EDGES = pl.Schema({"a": pl.Int64(), "b": pl.Int64(), "evidence": pl.Int64(), "days": pl.Int64(), "at": pl.Int64()})
"""Two nodes, a before b; strongest evidence (0 is the best), distinct business days, first time (microseconds)."""
_HALF = 32


def pairs_of(rows: pl.DataFrame, most: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs of nodes that stood on one record (a, b, evidence, at, day), and those of records that show too many.

    A pair counts from when both were there, by the weaker evidence of the two. A record of more than `most` nodes
    ties none of them: its pairs, apart, are those of its first node with each other one. `rows` (node, record, at,
    day, evidence) are by record, a node once on each.
    """
    record = rows["record"].to_numpy()
    starts = np.flatnonzero(np.r_[True, record[1:] != record[:-1]]) if len(record) else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, len(record)])
    is_crowded = np.repeat(sizes > most, sizes)
    left, right = _mates(starts[(sizes > 1) & (sizes <= most)], sizes[(sizes > 1) & (sizes <= most)])
    return _pairs(rows, left, right), _pairs(rows, *_star(rows, is_crowded))


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
    """Places of the first node of each crowded record beside each of the others."""
    crowded = rows.with_row_index("place").filter(is_crowded)
    first = pl.col("place").sort_by("node").first().over("record")
    star = crowded.with_columns(first=first).filter(pl.col("first") != pl.col("place"))
    return star["first"].to_numpy().astype(np.int64), star["place"].to_numpy().astype(np.int64)


def _pairs(rows: pl.DataFrame, left: Ints, right: Ints) -> pl.DataFrame:
    one, other = ({name: rows[name].to_numpy()[places] for name in rows.columns} for places in (left, right))
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
