"""From sightings to persons: the one function that flows call (algorithms §7)."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from tasks.policy.identity import Identity
from tasks.transforms.identity.answer import tables_of
from tasks.transforms.identity.encode import encode, end_of
from tasks.transforms.identity.graph import graph_of


@dataclass(frozen=True)
class Resolution:
    """Who is who at one date, and what was refused on the way."""

    identities: pl.LazyFrame
    """One row per identity key and epoch: the table of that name, sorted by its key."""
    conflicts: pl.LazyFrame
    """One row per refused link: the table `identity_conflicts`, sorted by its key."""


def resolve(
    sightings: pl.LazyFrame, links: pl.LazyFrame, rules: Identity, *, as_of: date, zone: str,
    blocked: frozenset[str] = frozenset(),
) -> Resolution:  # fmt: skip
    """Persons at the end of `as_of` in `zone`, from sightings and declared links that are known then.

    A function of the set of rows: their order means nothing. `blocked` are printed keys that name nobody.
    """
    end = end_of(as_of, zone)
    counted = sightings.filter(pl.col("seen_at") < end, ~pl.col("key").is_in(sorted(blocked)))
    graph = graph_of(encode(counted, rules, zone), links.filter(pl.col("decided_at") < end), rules, zone)
    identities, conflicts = tables_of(graph, as_of)
    return Resolution(identities.lazy(), conflicts.lazy())
