"""Growth points: what a programme gives for spend and for single actions, and the ladder that they climb."""

import itertools
from typing import Self

from pydantic import Field, model_validator

from expectations.vocabulary import EVENTS
from tasks.policy.base import Code, Label, Rule


class Action(Rule):
    """An event that earns points."""

    event: str = Field(description="event of the vocabulary, see dictionary.md")
    points: int = Field(ge=1, description="points for each")
    most_a_day: int | None = Field(default=None, ge=1, description="more of them on one day earn nothing")


class Step(Rule):
    """One step of the ladder."""

    code: Code
    label: Label
    at_least: int = Field(ge=0, description="points that reach it")


class Growth(Rule):
    """How points are earned over the window, and what they reach."""

    window_days: int = Field(default=365, ge=1, description="days up to as_of whose spend and actions count")
    fen_per_point: int = Field(default=100, ge=1, description="net spend of qualifying orders that earns one point")
    actions: tuple[Action, ...] = Field(default=(), description="each event once")
    ladder: tuple[Step, ...] = Field(min_length=1, description="from 0 points upwards")

    @model_validator(mode="after")
    def _climbs(self) -> Self:
        """Refuse a ladder that does not rise from 0, and actions that are unknown or named twice."""
        least = [step.at_least for step in self.ladder]
        if least[0] or any(a >= b for a, b in itertools.pairwise(least)):
            raise ValueError(f"ladder: at_least must rise from 0, found {least}")
        events = [action.event for action in self.actions]
        for event in events:
            if event not in EVENTS or events.count(event) > 1:
                raise ValueError(f"actions: expected each of {', '.join(EVENTS)} at most once, found {event}")
        return self
