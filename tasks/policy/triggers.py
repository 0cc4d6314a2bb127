"""What sets a campaign off for one person at a time: something they did, and what they have not done since."""

from typing import Literal, Self

from pydantic import Field, model_validator

from expectations.vocabulary import EVENTS
from tasks.policy.base import Rule

ORDER = "order"
"""The word for an order among the things that somebody may do after an event."""


class Trigger(Rule):
    """An event that waits for an answer, or one kind of event on several days running."""

    event: str = Field(description="event of the canonical vocabulary, such as cart_add")
    without: tuple[str, ...] = Field(
        default=(), description="events, or `order`, any of which after the last such event calls it off"
    )
    after_minutes: int = Field(default=0, ge=0, description="minutes since the last such event, at least")
    within_minutes: int = Field(ge=1, description="minutes since the last such event, at most: later it is too late")
    days_in_a_row: int | None = Field(
        default=None, ge=2, description="so many business days running, the day of the last such event included"
    )
    same: Literal["category"] | None = Field(
        default=None, description="the days running must be of one category of products"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        """Refuse unknown events, an empty span of time, and a sameness of nothing."""
        if strangers := sorted({self.event, *self.without} - {*EVENTS, ORDER} | {self.event} & {ORDER}):
            raise ValueError(f"{strangers[0]} is no event; expected some of {', '.join(EVENTS)}")
        if self.within_minutes <= self.after_minutes:
            raise ValueError(f"within_minutes {self.within_minutes} must be over after_minutes {self.after_minutes}")
        if self.same is not None and self.days_in_a_row is None:
            raise ValueError("`same` belongs to days_in_a_row")
        return self

    @property
    def is_streak(self) -> bool:
        """Whether it asks for several days running."""
        return self.days_in_a_row is not None
