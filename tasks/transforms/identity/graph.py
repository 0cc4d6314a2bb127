"""The graph of identity keys in numbers: nodes are keys in their epochs, edges what stood on one record."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from tasks.policy.identity import Identity
from tasks.transforms.identity.components import Guards, Ints, persons
from tasks.transforms.identity.declared import pairs_declared, rebinds_of
from tasks.transforms.identity.edges import Together, edges_of, pairs_at, together
from tasks.transforms.identity.encode import Seen
from tasks.transforms.identity.epochs import EPOCHS, epoch_at, split_keys
from tasks.transforms.identity.hubs import hubs_of

_FIRST_DAY = date(1970, 1, 1)
_SHOP = r"^(order:.*):[^:]*$"
_ENDS = ("a", "b")


@dataclass(frozen=True)
class Graph:
    """What the answer is written from."""

    seen: Seen
    nodes: pl.DataFrame
    """One row per node by number, in the order of keys: key (number), epoch, since, until, group, rank, at (first)."""
    label: Ints
    """Person of each node: the nodes of one person have the same label."""
    hubs: pl.DataFrame
    """Nodes that are nobody's: node, evidence."""
    refused: pl.DataFrame
    """Edges that were refused, with `rule` and `reason`."""


def graph_of(seen: Seen, links: pl.LazyFrame, rules: Identity, zone: str) -> Graph:
    """Nodes, edges, hubs and persons from what was seen and declared."""
    keys = seen.keys.lazy().select("key", number=pl.int_range(pl.len(), dtype=pl.Int64))
    met = together(seen.rows, rules.hub.record_keys)
    epochs = _epochs(seen, met, rebinds_of(links, keys), rules)
    nodes = _nodes(seen, epochs)
    rows = seen.rows.with_columns(node=_node_at(seen.rows.select("key", "at"), nodes, epochs))
    nodes = nodes.with_columns(at=_first_seen(rows, nodes.height))
    declared = pairs_declared(links, keys, zone)
    edges = edges_of(pl.concat([pairs_at(rows, met.left, met.right), _must(declared, nodes, epochs)]))
    hubs = hubs_of(edges, nodes, _orders(rows, seen, nodes, rules), _receivers(rows, seen, nodes), seen.groups, rules)
    touched = pl.any_horizontal(pl.col(end).is_in(hubs["node"].implode()) for end in _ENDS)
    allowed, of_hubs = edges.filter(~touched), edges.filter(touched)
    label, refusals = persons(nodes.height, allowed, _guards(seen, nodes, declared, rules))
    lone = edges_of(pairs_at(rows, *met.star)).join(edges, on=_ENDS, how="anti")
    refused = [_by_guards(allowed, refusals), _by_hubs(of_hubs, hubs), _by_crowds(lone, rules.hub.record_keys)]
    return Graph(seen, nodes, label, hubs, pl.concat(refused))


def _epochs(seen: Seen, met: Together, rebinds: pl.DataFrame, rules: Identity) -> pl.DataFrame:
    """The epochs of keys that changed hands."""
    group, rank, key = seen.keys["group"], seen.groups["rank"], seen.rows["key"]
    recycled = (seen.groups["key_type"].is_in(list(rules.recycled)) & (rank > 0)).gather(group)
    if not recycled.any():
        return EPOCHS.to_frame()
    is_own, is_strong = (mask.gather(key).to_numpy() for mask in (recycled, (rank == 0).gather(group)))
    beside = [
        pl.DataFrame({"row": one[where], "mate": key.to_numpy()[other[where]]})
        for one, other in ((met.left, met.right), (met.right, met.left))
        for where in [is_own[one] & is_strong[other]]
    ]
    own = seen.rows.select("key", "at", "day", row=pl.int_range(pl.len(), dtype=pl.Int64)).filter(is_own)
    return split_keys(own, pl.concat(beside), rebinds.filter(recycled.gather(rebinds["key"])), rules.silent_days)


def _first_seen(rows: pl.DataFrame, count: int) -> pl.Series:
    """Per node the first time at which it was seen; each was."""
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, rows["node"].to_numpy(), rows["at"].to_numpy())
    return pl.Series(first)


def _nodes(seen: Seen, epochs: pl.DataFrame) -> pl.DataFrame:
    """One row per key and epoch, in the order of keys."""
    keys = seen.keys.select("group", key=pl.int_range(pl.len(), dtype=pl.Int64))
    nodes = keys.join(epochs, on="key", how="left", maintain_order="left_right")
    return nodes.with_columns(pl.col("epoch").fill_null(1), rank=seen.groups["rank"].gather(nodes["group"]))


def _node_at(places: pl.DataFrame, nodes: pl.DataFrame, epochs: pl.DataFrame) -> pl.Series:
    """Per row of `places` (key, at), in order, the node; null where the key was nobody's."""
    first = nodes.with_row_index("node").filter(pl.col("epoch") == 1)["node"].cast(pl.Int64)
    node = first.gather(places["key"])
    split = places.with_row_index("place").filter(pl.col("key").is_in(epochs["key"].unique().implode()))
    if split.is_empty():
        return node
    epoch = epoch_at(split.select("key", "at"), epochs)
    return node.scatter(split["place"], node.gather(split["place"]) + epoch - 1)


def _must(declared: pl.DataFrame, nodes: pl.DataFrame, epochs: pl.DataFrame) -> pl.DataFrame:
    """Declared pairs of one person, as pairs of the best evidence, between the nodes of their time."""
    told = declared.filter(pl.col("link") == "must")
    ends = {
        name: _node_at(told.select("at", key=side), nodes, epochs)
        for name, side in zip(_ENDS, ("one", "other"), strict=True)
    }
    pairs = told.select(pl.lit(0, pl.UInt8).alias("evidence"), "at", "day").with_columns(**ends)
    return pairs.drop_nulls(_ENDS).select("a", "b", "evidence", "at", "day")


def _guards(seen: Seen, nodes: pl.DataFrame, declared: pl.DataFrame, rules: Identity) -> Guards:
    """Caps, and the declared pairs in all epochs of their keys."""
    numbered = nodes.select("key", node=pl.int_range(pl.len(), dtype=pl.Int64))
    told = declared.filter(pl.col("link") == "cannot").select(
        "one", "other", evidence=pl.format("declared apart on {}", pl.lit(_FIRST_DAY) + pl.duration(days="day"))
    )  # fmt: skip
    apart = told.join(numbered.rename({"key": "one", "node": "a"}), on="one").join(
        numbered.rename({"key": "other", "node": "b"}), on="other"
    )
    both = pl.concat([apart.select("a", "b", "evidence"), apart.select(a="b", b="a", evidence="evidence")])
    names = seen.groups.select(pl.format("{}@{}", "key_type", "key_scope").str.strip_suffix("@")).to_series()
    caps = np.array([rules.cap_of(name) for name in seen.groups["key_type"]], np.int64)
    return Guards(nodes["group"].to_numpy(), caps, names.to_list(), both)


def _orders(rows: pl.DataFrame, seen: Seen, nodes: pl.DataFrame, rules: Identity) -> pl.DataFrame:
    """One row per order of a shareable node, of those that had too many records on that day: node, shop, day."""
    shared = rows.filter((nodes["rank"] > 0).gather(rows["node"])).select("node", "day", "place")
    days = shared.lazy().group_by("node", "day").agg(count=pl.len())
    busy = days.filter(pl.col("count") > rules.hub.orders_per_day).select("node", "day").collect()
    found = shared.join(busy, on=["node", "day"])
    return found.select("node", "day", shop=seen.records.gather(found["place"]).str.extract(_SHOP)).drop_nulls("shop")


def _receivers(rows: pl.DataFrame, seen: Seen, nodes: pl.DataFrame) -> pl.DataFrame:
    """One row per record on which a shareable node stood beside another phone, of a receiver: node, receiver."""
    beside = rows.join(seen.receivers.rename({"key": "other"}), on="record")
    is_other = pl.col("other").is_null() | (pl.col("other") != pl.col("key"))
    return beside.filter((nodes["rank"] > 0).gather(beside["node"]) & beside.select(is_other).to_series()).select(
        "node", "receiver"
    )


def _by_guards(edges: pl.DataFrame, refusals: pl.DataFrame) -> pl.DataFrame:
    return edges[refusals["edge"]].with_columns(rule=refusals["rule"], reason=refusals["evidence"])


def _by_hubs(edges: pl.DataFrame, hubs: pl.DataFrame) -> pl.DataFrame:
    one, other = (hubs.select(pl.col("node").alias(end), pl.col("evidence").alias(f"hub_{end}")) for end in _ENDS)
    both = edges.join(one, on="a", how="left").join(other, on="b", how="left")
    reason = pl.concat_str("hub_a", "hub_b", separator="; ", ignore_nulls=True)
    return both.with_columns(rule=pl.lit("hub"), reason=reason).drop("hub_a", "hub_b")


def _by_crowds(edges: pl.DataFrame, most: int) -> pl.DataFrame:
    return edges.with_columns(rule=pl.lit("crowded"), reason=pl.lit(f"keys of one record > {most}"))
