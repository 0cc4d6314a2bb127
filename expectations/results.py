"""What must hold of a refresh as a whole: nobody lost, sums that balance, and no drift beyond the brand's policy.

The figures of a refresh stand in one row, each beside the most that it may be (`…_most`); the suite compares the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

RESULTS = "results"
"""Name under which the gate sees the row; it is published nowhere."""


@dataclass(frozen=True)
class Figure:
    """One figure of a refresh, and what is said when it is too large."""

    name: str
    meaning: str
    knob: str = ""
    """The field of drift.yaml that allows more; empty: nothing does, the figure must be 0."""

    @property
    def most(self) -> str:
        """The column of its limit."""
        return f"{self.name}_most"


FIGURES = (
    Figure("lost_share", "share of the customers before who are gone, and merged into nobody", "max_lost_share"),
    Figure("tier_shift", "share of customers by which the tiers are divided otherwise than before", "max_tier_shift"),
    Figure("segment_shift", "share of customers by which the segments are divided otherwise", "max_segment_shift"),
    Figure("stage_shift", "share of customers by which the stages are divided otherwise", "max_stage_shift"),
    Figure("spend_factor", "how many times larger or smaller the spend in the window is", "max_spend_factor"),
    Figure("moves_missing", "customers of either date who are not in the matrix of moves just once"),
    Figure("moves_without_cause", "moves without a cause, or causes without a move"),
    Figure("matrix_gap_fen", "fen by which the matrix of moves differs from the customers"),
    Figure("tags_missing", "customers without tags, or tags without a customer"),
    Figure("traits_missing", "customers without traits, or traits without a customer"),
)


def expectations_of(gxe: Any) -> Iterator[Any]:
    """One expectation for each figure: it is at most its limit. `gxe` is `great_expectations.expectations`."""
    for figure in FIGURES:
        yield gxe.ExpectColumnValuesToNotBeNull(column=figure.name)
        yield gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A=figure.most, column_B=figure.name, or_equal=True)


def excesses(results: pl.DataFrame) -> list[str]:
    """What is beyond its limit, in words with both numbers and the knob."""
    row = results.row(0, named=True)
    return [
        f"{figure.name} is {row[figure.name]:g}, at most {row[figure.most]:g} ({figure.meaning}"
        f"{f'; drift.yaml: {figure.knob}' if figure.knob else ''})"
        for figure in FIGURES
        if row[figure.name] > row[figure.most]
    ]
