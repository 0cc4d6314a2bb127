"""When a resolution of identities is not to be believed: one person too large, too much moved, too much refused."""

from decimal import Decimal

import polars as pl

from tasks.errors import GateRefusedError
from tasks.policy.identity import Guards
from tasks.transforms.customers import Layers
from tasks.transforms.inputs import Inputs

COUNTED = ("cap", "cannot_link")
"""Refusals that speak of contradictions. A hub refuses all its links by design, and is reported."""


def require_sane(layers: Layers, inputs: Inputs, guards: Guards) -> None:
    """Refuse to publish identities that break the brand's guards.

    Raises:
        GateRefusedError: the message names the guard, the figure and where to look.
    """
    _require_small(layers.identities, guards.max_component)
    _require_steady(layers.identity_changes, inputs.previous_identities, guards)
    _require_believable(layers.identities, layers.identity_conflicts, guards)


def _require_small(identities: pl.LazyFrame, most: int) -> None:
    sizes = identities.group_by("one_id").agg(keys=pl.len()).sort("keys", "one_id", descending=[True, False])
    largest = sizes.head(1).collect()
    if largest.height and largest["keys"].item() > most:
        raise GateRefusedError(
            f"customer {largest['one_id'].item()} would have {largest['keys'].item()} keys",
            expected=f"at most {most} (max_component of the policy's identity.yaml)",
            next_step="nothing was published; look for a shared phone among the newest files, then "
            "`strata identity unlink KEY KEY`, block the value in identity.yaml, or raise the guard",
        )


def _require_steady(changes: pl.LazyFrame, previous: pl.LazyFrame | None, guards: Guards) -> None:
    if previous is None:
        return
    changed, before = (
        rows.select(pl.col(name).n_unique()).collect().item()
        for rows, name in ((changes, "old_id"), (previous, "one_id"))
    )
    if is_too_many(changed, before, guards.max_changed_share, guards.spare):
        raise GateRefusedError(
            f"{changed} of {before} customers of the date before would have another id or other keys",
            expected=f"at most {guards.max_changed_share:%} (max_changed_share of the policy's identity.yaml)",
            next_step="nothing was published; if a new source or rule explains it, raise the guard for this run",
        )


def _require_believable(identities: pl.LazyFrame, conflicts: pl.LazyFrame, guards: Guards) -> None:
    refused = conflicts.filter(pl.col("rule").is_in(COUNTED)).select(pl.len()).collect().item()
    keys, people = identities.select(pl.len(), people=pl.col("one_id").n_unique()).collect().row(0)
    links = refused + keys - people
    if is_too_many(refused, links, guards.max_refused_share, guards.spare):
        raise GateRefusedError(
            f"{refused} of {links} links between keys contradict each other",
            expected=f"at most {guards.max_refused_share:%} (max_refused_share of the policy's identity.yaml)",
            next_step="nothing was published; a layout may call a shared number an identity key: see "
            "`strata sources check`, or raise the guard",
        )


def is_too_many(part: int, whole: int, share: Decimal, spare: int) -> bool:
    """Whether a part is above its share of the whole; so few as `spare` say nothing about a share."""
    return part > spare and part > share * whole
