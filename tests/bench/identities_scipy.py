"""Plain connected components by scipy: the least work that anybody's resolver does. No epochs, hubs, caps or ids."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from tasks.policy.models import Policy
from tasks.transforms.identity.encode import labels_of


def run(sightings: Path, result: Path, policy: Policy) -> None:  # noqa: ARG001  every side gets the policy
    """Write one row per identity key with the number of its component; keys and records are the nodes."""
    seen = pl.scan_parquet(sightings).filter(pl.col("key_role") == "identity").select("key", "record").collect()
    first, key = _numbered(seen["key"])
    records, record = _numbered(seen["record"])
    size = len(first) + len(records)
    graph = coo_matrix((np.ones(len(key), np.int8), (key, record + len(first))), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(first)]
    labels = pl.DataFrame({"key": seen["key"].gather(first), "component": component})
    labels.sort("key").write_parquet(result, compression="zstd")


def _numbered(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each distinct text first stands, and each row's number among them, by the product's own encoding."""
    _, first, number = np.unique(labels_of(texts).to_numpy(), return_index=True, return_inverse=True)
    return first, number
