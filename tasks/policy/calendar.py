"""The year's promotions: windows in which a shop's numbers mean something else. Months are cut in brand.yaml's zone."""

import re
from datetime import date, timedelta
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Label, Rule

_MONTH_AND_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


class Window(NamedTuple):
    """A promotion in one year; both days belong to it."""

    code: str
    starts_on: date
    ends_on: date


class Promotion(Rule):
    """A promotion that comes every year; one that ends before it starts ends in the next year."""

    code: Code
    label: Label
    starts: str = Field(description="first day as MM-DD, by the day of payment; of a presale, of the balance")
    ends: str = Field(description="last day as MM-DD")

    @model_validator(mode="after")
    def _dated(self) -> Self:
        """Refuse what is no day of a year."""
        for day in (self.starts, self.ends):
            if not _MONTH_AND_DAY.fullmatch(day) or day == "02-29":
                raise ValueError(f"promotion {self.code}: {day} is no day of every year such as 06-18")
            date.fromisoformat(f"2023-{day}")
        return self

    def in_year(self, year: int) -> Window:
        """The window that starts in a year."""
        ends_in = year + (self.ends < self.starts)
        return Window(
            self.code, date.fromisoformat(f"{year}-{self.starts}"), date.fromisoformat(f"{ends_in}-{self.ends}")
        )


class Calendar(Rule):
    """Promotions by name."""

    promotions: tuple[Promotion, ...] = Field(default=(), description="in any order")

    def windows(self, as_of: date, days: int) -> tuple[Window, ...]:
        """The windows that had begun by `as_of` and ended within the last `days`, or go on; the latest last."""
        years = range(as_of.year - days // 365 - 2, as_of.year + 1)
        every = [promotion.in_year(year) for promotion in self.promotions for year in years]
        since = as_of - timedelta(days=days)
        return tuple(sorted((w for w in every if w.starts_on <= as_of and w.ends_on > since), key=lambda w: w[::-1]))
