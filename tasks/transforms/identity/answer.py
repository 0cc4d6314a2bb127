"""The answer in words: the tables of identities and of refused links, from the numbers of the graph."""

from datetime import date

import numpy as np
import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import INSTANT
from tasks.transforms.identity.components import Ints
from tasks.transforms.identity.encode import CLASSES, Seen
from tasks.transforms.identity.graph import Graph
from tasks.transforms.identity.ids import UNIT, one_id_of, suffix_of


def tables_of(graph: Graph, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables `identities` and `identity_conflicts`, each sorted by its key."""
    texts = graph.seen.keys["key"].gather(graph.nodes["key"])
    own_id = graph.nodes.select(one_id_of(_anchor_bytes(graph.seen, texts))).to_series()
    nodes = graph.nodes.with_columns(key=texts, own_id=own_id, one_id=own_id.gather(_anchors(graph)))
    is_hub = pl.int_range(pl.len()).is_in(graph.hubs["node"].implode())
    nodes = nodes.with_columns(one_id=pl.when(~is_hub).then("one_id"))
    return _identities(nodes, graph.seen.groups, as_of), _conflicts(nodes, graph.refused, as_of)


def _anchor_bytes(seen: Seen, texts: pl.Series) -> pl.Expr:
    """What the id of a node's key is made of: type, scope and pseudonym, and its epoch from the second on."""
    named = seen.groups.select(
        prefix=pl.concat_str("key_type", "key_scope", pl.lit(""), separator=UNIT),
        skipped=pl.col("key_type").str.len_chars() + pl.col("key_scope").str.len_chars() + 2,
    )
    prefix, skipped = (pl.lit(named[name]).gather(pl.col("group")) for name in named.columns)
    return pl.concat_str(prefix, pl.lit(texts).str.slice(skipped), suffix_of(pl.col("epoch")))


def _anchors(graph: Graph) -> Ints:
    """Per node the anchor of its person: smallest (first seen, class, key)."""
    at, rank = graph.nodes["at"].to_numpy(), graph.nodes["rank"].to_numpy()
    order = np.lexsort((rank, at, graph.label))  # stable, and nodes stand in the order of their keys
    ordered = graph.label[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])[: len(order)]
    anchors = np.empty(len(order), np.int64)
    anchors[order] = np.repeat(order[starts], np.diff(np.r_[starts, len(order)]))
    return anchors


def _identities(nodes: pl.DataFrame, groups: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One row per node that is somebody's."""
    classes = pl.Series(CLASSES)
    named = nodes.drop_nulls("one_id").with_columns(
        first_seen_at=pl.col("at").cast(INSTANT), valid_from=pl.col("since").cast(INSTANT),
        valid_to=pl.col("until").cast(INSTANT), as_of=pl.lit(as_of),
        key_type=pl.lit(groups["key_type"]).gather(pl.col("group")), key_class=pl.lit(classes).gather(pl.col("rank")),
    )  # fmt: skip
    table = named.select(TABLES["identities"].columns)
    return table if _is_sorted(table) else table.sort("key", "epoch")


def _is_sorted(table: pl.DataFrame) -> bool:
    """Whether the order of the keys' bytes is that of their printed form, as it nearly always is."""
    return bool(table.select((pl.col("key") >= pl.col("key").shift(1)).all()).item())


def _conflicts(nodes: pl.DataFrame, refused: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One row per refused edge."""
    named = nodes.select("one_id", key=pl.concat_str("key", suffix_of(pl.col("epoch"))))
    table = refused.with_columns(
        as_of=pl.lit(as_of), evidence_rank="evidence", distinct_days="days", evidence="reason",
        first_seen_at=pl.col("at").cast(INSTANT),
        **{f"{name}_{end}": named[name].gather(refused[end]) for name in named.columns for end in ("a", "b")},
    )  # fmt: skip
    return table.select(TABLES["identity_conflicts"].columns).sort(TABLES["identity_conflicts"].key)
