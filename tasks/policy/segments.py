"""The map from scores to named segments, and the names of the eight high/low cells."""

from typing import Literal

from pydantic import Field

from tasks.policy.base import Code, Label, Rule
from tasks.policy.rfm import LEAST_LEVELS, MOST_LEVELS


class SegmentRule(Rule):
    """One named segment; the first rule that matches a cell wins."""

    code: Code
    label: Label
    play: Label | None = Field(default=None, description="what to do with these people")
    r: tuple[int, int] = Field(description="least and greatest recency score")
    f: tuple[int, int] = Field(description="least and greatest frequency score")
    m: tuple[int, int] = Field(description="least and greatest monetary score")


class Segments(Rule):
    """The map from (r, f, m) to a name, complete and with every rule reached."""

    preset: Code | None = Field(
        default=None, description="map that stands where this file gives none: tasks/policy/presets/segments"
    )
    levels: int = Field(
        default=5, ge=LEAST_LEVELS, le=MOST_LEVELS,
        description="scale on which the rules are written; scores of another number of levels are put on it evenly, "
        "the lowest on 1 and the best on this",
    )  # fmt: skip
    rules: tuple[SegmentRule, ...] = Field(description="tried from top to bottom")
    outside: dict[Literal["prospect", "refunded_only", "lapsed_out_of_window"], Label] = Field(
        description="names of those outside the scored base"
    )
    cells: dict[str, Label] = Field(description="names of the eight high/low cells, such as HLH")
