"""Who speaks for the brand: the score card of key opinion consumers, and their ladder from trainee to star."""

import itertools
from typing import Self

from pydantic import Field, model_validator

from expectations.vocabulary import EVENTS
from tasks.policy.base import Code, Label, Rule


class Step(Rule):
    """Points for whoever has at least so much."""

    at_least: int = Field(ge=1, description="in the unit of the measure: fen, things published, people referred")
    points: int = Field(ge=1, le=100, description="points, instead of those of the step before")


class KocLevel(Rule):
    """One rung of the ladder."""

    code: Code
    label: Label
    at_least: int = Field(ge=1, le=100, description="points that reach it")
    play: Label | None = Field(default=None, description="what to do for these people")


class Social(Rule):
    """What customers publish and whom they bring, and the points for it."""

    content: tuple[str, ...] = Field(default=("post", "review"), description="events that publish something")
    shares: tuple[str, ...] = Field(default=("share",), description="events that pass something on")
    referrals: tuple[str, ...] = Field(default=("referral",), description="events that bring somebody")
    window_days: int = Field(default=365, ge=1, description="days up to as_of whose content and referrals earn points")
    spend_points: tuple[Step, ...] = Field(description="points for the net spend in the window of rfm.yaml")
    content_points: tuple[Step, ...] = Field(description="points for content in the window")
    referral_points: tuple[Step, ...] = Field(description="points for people referred in the window")
    levels: tuple[KocLevel, ...] = Field(min_length=1, description="the ladder upwards; below it nobody is a KOC")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        """Refuse steps that do not rise, more than 100 points in all, and events that the vocabulary lacks."""
        cards = {name: getattr(self, f"{name}_points") for name in ("spend", "content", "referral")}
        for name, steps in cards.items():
            if any(a.at_least >= b.at_least or a.points >= b.points for a, b in itertools.pairwise(steps)):
                raise ValueError(f"{name}_points must rise from step to step")
        if (most := sum(steps[-1].points for steps in cards.values() if steps)) > _MOST:
            raise ValueError(f"the score card gives up to {most} points; expected at most {_MOST}")
        if any(a.at_least >= b.at_least for a, b in itertools.pairwise(self.levels)):
            raise ValueError("levels must rise from rung to rung")
        if strangers := sorted({*self.content, *self.shares, *self.referrals} - {*EVENTS}):
            raise ValueError(f"{strangers[0]} is no event; expected some of {', '.join(EVENTS)}")
        return self


_MOST = 100
