"""On which dates a campaign is due: every day, on some weekdays, or on some days of the month, within a season."""

import calendar
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.policy.base import Rule

_FURTHEST = 366 * 2
"""Days that are looked ahead for the next due date."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Schedule(Rule):
    """The dates on which `strata plan` allocates a campaign; others pass it over."""

    every: Literal["day", "week", "month"] = Field(description="what `weekdays` or `month_days` count within")
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(
        default=(), description="of `every: week`: 1 is Monday, 7 is Sunday"
    )
    month_days: tuple[Annotated[int, Field(ge=1, le=31)], ...] = Field(
        default=(), description="of `every: month`; a day that a month does not have is its last one"
    )
    since: date | None = Field(default=None, description="first day of the season; none before it")
    until: date | None = Field(default=None, description="last day of the season; none after it")

    @model_validator(mode="after")
    def _with_its_days(self) -> Self:
        """Refuse a week without weekdays, a month without days, days of the other kind, and a season that is none."""
        if bool(self.weekdays) != (self.every == "week") or bool(self.month_days) != (self.every == "month"):
            raise ValueError("`every: week` needs weekdays, `every: month` needs month_days, `every: day` neither")
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"the season ends on {self.until}, before it begins on {self.since}")
        return self

    def is_due(self, day: date) -> bool:
        """Whether the campaign goes out on a day."""
        if (self.since and day < self.since) or (self.until and day > self.until):
            return False
        last = calendar.monthrange(day.year, day.month)[1]
        return {
            "day": True,
            "week": day.isoweekday() in self.weekdays,
            "month": day.day in {min(one, last) for one in self.month_days},
        }[self.every]

    def next_due(self, day: date) -> date | None:
        """The first due date on a day or after it; None when the season is over."""
        start = max(day, self.since or day)
        ahead = (start + timedelta(days=days) for days in range(_FURTHEST))
        return next((one for one in ahead if self.is_due(one)), None)

    def in_words(self) -> str:
        """Such as `each Monday and Thursday from 2026-06-01`."""
        named = {
            "day": "every day",
            "week": f"each {' and '.join(_WEEKDAYS[number - 1] for number in sorted(self.weekdays))}",
            "month": f"each month on day {', '.join(str(number) for number in sorted(self.month_days))}",
        }[self.every]
        since = f" from {self.since}" if self.since else ""
        return f"{named}{since}{f' until {self.until}' if self.until else ''}"
