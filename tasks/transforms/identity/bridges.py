"""What holds a person together: the keys seen together within one person, and those without which they fall apart."""

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tasks.transforms.identity.owners import with_owner

BRIDGES = pl.Schema({
    "one_id": pl.String(),
    "key": pl.String(),
    "key_type": pl.String(),
    "smaller": pl.Int64(),
    "larger": pl.Int64(),
})  # fmt: skip
_UNIT = ("one_id", "key")


def ties_of(sightings: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer, set of keys that stood together on records of theirs, and key: `one_id, tie, key`.

    `tie` numbers the sets of one call; a set that stood on many records is there once. Sightings are
    those known and seen by the date of `identities`.
    """
    named = sightings.filter(pl.col("key_role") == "identity").select("key", "record", "seen_at")
    owned = named.pipe(with_owner, identities, key="key", at="seen_at").filter(pl.col("one_id").is_not_null())
    sets = (
        owned.group_by("one_id", "record").agg(key=pl.col("key").unique().sort()).filter(pl.col("key").list.len() > 1)
    )
    once = sets.select(_UNIT).unique().sort("one_id", "key")
    return once.with_row_index("tie").explode("key").select("one_id", pl.col("tie").cast(pl.Int64), "key")


def bridges(ties: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """One row per linking key (phone, e-mail) without which strong keys of its customer stand apart, sorted by both.

    `smaller` and `larger` count the strong keys on the two sides: of the largest part, and of all the others.
    """
    known = identities.select("one_id", "key", "key_type", "key_class").unique(_UNIT)
    strong = pl.col("key_class") == "strong"
    held = known.filter((strong.sum().over("one_id") > 1) & (~strong).any().over("one_id"))
    tied = ties.join(held, on=_UNIT).collect()
    cut = tied.lazy().filter(~strong).select("one_id", without="key").unique()
    rest = cut.join(tied.lazy(), on="one_id").filter(pl.col("key") != pl.col("without")).collect()
    own = cut.join(held.filter(strong), on="one_id").select("one_id", "without", "key").collect()
    parts = _parts(rest, own)
    sizes = parts.lazy().group_by("one_id", "without", "part").agg(size=pl.len().cast(pl.Int64))
    sides = sizes.group_by("one_id", "without").agg(larger=pl.col("size").max(), all=pl.col("size").sum())
    split = sides.filter(pl.col("all") > pl.col("larger")).with_columns(smaller=pl.col("all") - pl.col("larger"))
    named = split.rename({"without": "key"}).join(known, on=_UNIT)
    return named.select(BRIDGES.names()).cast(BRIDGES).sort(_UNIT)


def _parts(rest: pl.DataFrame, strong: pl.DataFrame) -> pl.DataFrame:
    """One row per strong key and key taken out: which `part` the strong key is in, when the ties are `rest`."""
    nodes = pl.concat([strong, rest.select(strong.columns)]).unique().with_row_index("node")
    ties = rest.select("without", "tie").unique().with_row_index("knot")
    pairs = rest.join(nodes, on=strong.columns).join(ties, on=["without", "tie"])
    size = nodes.height + ties.height
    ends = pairs["node"].to_numpy(), pairs["knot"].to_numpy().astype(np.int64) + nodes.height
    graph = coo_matrix((np.ones(pairs.height, np.int8), ends), shape=(size, size))
    part = connected_components(graph, directed=False)[1][: nodes.height]
    return nodes.with_columns(part=pl.Series(part)).join(strong, on=strong.columns, how="semi")
