"""Persons: components of the graph, and where caps or declarations bind, the guarded union-find (algorithms §7.6)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
REFUSED = pl.Schema({"edge": pl.Int64(), "rule": pl.String(), "evidence": pl.String()})


@dataclass(frozen=True)
class Guards:
    """What no person may break."""

    group: Ints
    """Group of type and scope of each node."""
    caps: Ints
    """Most nodes of each group in one person."""
    names: list[str]
    """Groups as people read them."""
    apart: pl.DataFrame
    """Declared pairs of nodes that are never one person: `a, b, evidence`, once in each direction."""


def persons(size: int, edges: pl.DataFrame, guards: Guards) -> tuple[Ints, pl.DataFrame]:
    """A label per node, the same for the nodes of one person, and the refused edges by their place.

    Edges are taken up in the order (evidence, days falling, at, a, b): the answer is a function of their set. Where
    neither a cap nor a declaration can bind, a person is a connected component, and no order is needed.
    """
    label = _connected(size, edges)
    bound = _bound(label, guards)
    if not bound.any():
        return label, REFUSED.to_frame()
    inside = edges.with_row_index("edge").filter(bound[label[edges["a"].to_numpy()]])
    ordered = inside.sort("evidence", -pl.col("days"), "at", "a", "b")
    walk = _Walk.over(np.flatnonzero(bound[label]), guards)
    refused = pl.DataFrame(list(walk.refusals(ordered)), schema=REFUSED, orient="row")
    return walk.relabelled(label), refused


def _connected(size: int, edges: pl.DataFrame) -> Ints:
    ends = edges["a"].to_numpy(), edges["b"].to_numpy()
    graph = coo_matrix((np.ones(edges.height, np.int8), ends), shape=(size, size))
    label: Ints = connected_components(graph, directed=False)[1]
    return label


def _bound(label: Ints, guards: Guards) -> NDArray[np.bool_]:
    """Per component, whether it has more keys of a group than its cap, or both keys of a declared pair."""
    count = int(label.max(initial=-1)) + 1
    held = pl.LazyFrame({"label": label, "group": guards.group}).group_by("label", "group").agg(keys=pl.len()).collect()
    bound = np.zeros(count, np.bool_)
    bound[held["label"].to_numpy()[held["keys"].to_numpy() > guards.caps[held["group"].to_numpy()]]] = True
    one, other = label[guards.apart["a"].to_numpy()], label[guards.apart["b"].to_numpy()]
    bound[one[one == other]] = True
    return bound


@dataclass
class _Walk:
    """A union-find over some of the nodes, which refuses what breaks a guard."""

    guards: Guards
    parent: dict[int, int]
    held: dict[int, dict[int, int]]
    """Per root how many nodes it has of each group."""
    apart: dict[int, dict[int, str]] = field(default_factory=dict)
    """Per root the nodes that its nodes are declared apart from, and the evidence."""

    @classmethod
    def over(cls, nodes: Ints, guards: Guards) -> "_Walk":
        """Every node on its own."""
        groups = guards.group[nodes].tolist()
        own = {node: {group: 1} for node, group in zip(nodes.tolist(), groups, strict=True)}
        walk = cls(guards, {node: node for node in own}, own)
        for one, other, evidence in guards.apart.select("a", "b", "evidence").iter_rows():
            if one in own and other in own:
                walk.apart.setdefault(one, {})[other] = evidence
        return walk

    def refusals(self, ordered: pl.DataFrame) -> Iterator[tuple[int, str, str]]:
        """Join edge after edge; yield the refused ones with the rule and what it found."""
        for edge, one, other in ordered.select("edge", "a", "b").iter_rows():
            root, joined = self._root(one), self._root(other)
            if root == joined:
                continue
            if refusal := self._refusal(root, joined):
                yield edge, *refusal
            else:
                self._join(root, joined)

    def _root(self, node: int) -> int:
        parent = self.parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def _refusal(self, root: int, joined: int) -> tuple[str, str] | None:
        """The rule that forbids to join two persons, and what it found; the declared word comes first."""
        for one, other in ((root, joined), (joined, root)):
            said = [text for node, text in self.apart.get(one, {}).items() if self._root(node) == other]
            if said:
                return "cannot_link", min(said)
        held, more, caps = self.held[root], self.held[joined], self.guards.caps
        over = sorted(group for group, count in more.items() if held.get(group, 0) + count > caps[group])
        told = (f"{self.guards.names[group]}: {held.get(group, 0) + more[group]} > {caps[group]}" for group in over)
        return ("cap", "; ".join(told)) if over else None

    def _join(self, root: int, joined: int) -> None:
        if sum(self.held[root].values()) < sum(self.held[joined].values()):
            root, joined = joined, root
        self.parent[joined] = root
        held = self.held[root]
        for group, count in self.held.pop(joined).items():
            held[group] = held.get(group, 0) + count
        if joined in self.apart:
            self.apart.setdefault(root, {}).update(self.apart.pop(joined))

    def relabelled(self, label: Ints) -> Ints:
        """The labels with those of the walked nodes anew."""
        roots = np.fromiter((self._root(node) for node in self.parent), np.int64, len(self.parent))
        fresh = label.astype(np.int64)
        fresh[np.fromiter(self.parent, np.int64, len(self.parent))] = roots + int(label.max(initial=0)) + 1
        return fresh
