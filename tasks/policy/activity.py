"""What counts as an interaction, and how much of it makes somebody active (algorithms §5)."""

from collections.abc import Collection
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


class Character(Rule):
    """How somebody looks around and decides, told from the events of the last 90 days; the first that fits holds."""

    looks: tuple[str, ...] = Field(default=("view", "search"), description="events that are looks at the goods")
    comparing: tuple[str, ...] = Field(
        default=("search", "favourite", "cart_remove", "coupon_claim"), description="events of who compares"
    )
    content: tuple[str, ...] = Field(
        default=("view", "live_watch", "live_interact", "share", "post", "community_join"),
        description="events of who looks at content",
    )
    least_events: int = Field(default=5, ge=1, description="fewer of these events say nothing of somebody")
    impulse_looks: int = Field(default=3, ge=0, description="impulse buyer: at most so many looks for each checkout")
    comparing_percent: int = Field(default=40, ge=1, le=100, description="price comparer: comparing events, at least")
    content_percent: int = Field(default=60, ge=1, le=100, description="content browser: content events, at least")
    decider_looks: int = Field(default=5, ge=0, description="decider: at most so many looks for each checkout")
    explorer_looks: int = Field(default=15, ge=1, description="explorer: at least so many looks for each checkout")
    labels: dict[str, Label] = Field(default={}, description="type to its name")

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Refuse unknown events, and deciders who are explorers."""
        _require_events({*self.looks, *self.comparing, *self.content})
        if self.decider_looks >= self.explorer_looks:
            raise ValueError(f"decider_looks {self.decider_looks} must be below explorer_looks {self.explorer_looks}")
        return self


def _require_events(names: Collection[str]) -> None:
    if strangers := sorted({*names} - {*EVENTS}):
        raise ValueError(f"{strangers[0]} is no event; expected some of {', '.join(EVENTS)}")


class Activity(Rule):
    """The second axis beside the stage: what customers do without buying."""

    interactions: tuple[str, ...] = Field(description="events that count as interactions")
    active_logins: int = Field(default=3, ge=1, description="log-ins in 7 days that make somebody active")
    levels: tuple[ActivityLevel, ...] = Field(description="tried from top to bottom; who reaches none is `none`")
    labels: dict[str, Label] = Field(description="level to its name")
    character: Character = Field(default=Character(), description="how somebody looks around and decides")

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Refuse events that the vocabulary lacks, and a level without its name or twice."""
        _require_events(self.interactions)
        codes = [level.code for level in self.levels]
        if len({*codes}) != len(codes):
            raise ValueError(f"a level of activity stands twice in {codes}")
        if bare := sorted({*codes, "none", "unknown"} - self.labels.keys()):
            raise ValueError(f"activity level {bare[0]} has no label")
        return self
