"""The map of named segments, cell by cell: which rule wins each, and what is wrong with the rules."""

import itertools
from dataclasses import dataclass

from tasks.policy.segments import SegmentRule, Segments

Cell = tuple[int, int, int]


@dataclass(frozen=True)
class SegmentMap:
    """The map expanded to every cell, and what is wrong with it."""

    cells: dict[Cell, str]
    unmatched: tuple[Cell, ...]
    unreached: tuple[str, ...]
    """Rules that can never win, because earlier ones cover all of their cells."""


def expand(segments: Segments) -> SegmentMap:
    """Expand the rules over all cells of (r, f, m) on their own scale; `strata policy check` reports both gaps."""
    scores = range(1, segments.levels + 1)
    every = list(itertools.product(scores, scores, scores))
    winners = {cell: _winner(segments.rules, cell) for cell in every}
    cells = {cell: code for cell, code in winners.items() if code is not None}
    reached = set(cells.values())
    return SegmentMap(
        cells=cells,
        unmatched=tuple(cell for cell in every if winners[cell] is None),
        unreached=tuple(rule.code for rule in segments.rules if rule.code not in reached),
    )


def _winner(rules: tuple[SegmentRule, ...], cell: Cell) -> str | None:
    """Code of the first rule whose three ranges hold the cell."""
    for rule in rules:
        if all(low <= score <= high for score, (low, high) in zip(cell, (rule.r, rule.f, rule.m), strict=True)):
            return rule.code
    return None
