"""What counts as an interaction, and how much of it makes somebody active (algorithms §5)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from expectations.vocabulary import EVENTS
from tasks.policy.base import Label, Rule


class ActivityLevel(Rule):
    """What reaches a level of activity: either number is enough; a number that is not given never is."""

    code: Literal["high", "middle", "low"] = Field(description="code of the level")
    in_7_days: int | None = Field(default=None, ge=1, description="interactions in the last 7 days")
    in_30_days: int | None = Field(default=None, ge=1, description="interactions in the last 30 days")
    active: bool = Field(default=False, description="whether being active (`active_logins`) is enough too")


class Activity(Rule):
    """The second axis beside the stage: what customers do without buying."""

    interactions: tuple[str, ...] = Field(description="events that count as interactions")
    active_logins: int = Field(default=3, ge=1, description="log-ins in 7 days that make somebody active")
    levels: tuple[ActivityLevel, ...] = Field(description="tried from top to bottom; who reaches none is `none`")
    labels: dict[str, Label] = Field(description="level to its name")

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Refuse events that the vocabulary lacks, and a level without its name or twice."""
        if strangers := sorted({*self.interactions} - {*EVENTS}):
            raise ValueError(f"interactions: {strangers[0]} is no event; expected some of {', '.join(EVENTS)}")
        codes = [level.code for level in self.levels]
        if len({*codes}) != len(codes):
            raise ValueError(f"a level of activity stands twice in {codes}")
        if bare := sorted({*codes, "none", "unknown"} - self.labels.keys()):
            raise ValueError(f"activity level {bare[0]} has no label")
        return self
