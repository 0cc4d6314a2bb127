"""The ladder of spend tiers: what reaches and keeps each, what each gives, and when a customer rises and falls."""

import itertools
import re
from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Label, Rule

_MONTH_AND_DAY = re.compile(r"\d\d-\d\d")
_A_LEAP_YEAR = 2024


class Tier(Rule):
    """One spend tier; tier 0 is the base tier with both thresholds 0."""

    code: Code
    label: Label
    up_fen: int = Field(ge=0, description="spend in the window that reaches the tier")
    keep_fen: int = Field(ge=0, description="spend in the window that keeps it")
    valid_months: int = Field(
        default=1, ge=1, description="months for which the tier is safe, to the end of the last one"
    )
    benefits: tuple[str, ...] = Field(default=(), description="what the tier gives, for people to read")
    coupons: tuple[Code, ...] = Field(default=(), description="coupons that come with the tier, by their codes")
    team: Code | None = Field(default=None, description="team that looks after the tier's people")


class Tiers(Rule):
    """The ladder of spend tiers, and when a customer rises, keeps and falls."""

    preset: Code | None = Field(
        default=None, description="ladder that stands where this file gives none: tasks/policy/presets/tiers"
    )
    tiers: tuple[Tier, ...] = Field(min_length=1, description="from the base tier upwards")
    qualify_window_days: int = Field(default=365, ge=1, description="days up to as_of whose net spend qualifies")
    maturity_days: int = Field(default=7, ge=0, description="no-reason return window before spend counts")
    grace_days: int = Field(default=0, ge=0, description="days between a missed review and the downgrade")
    downgrade: Literal["none", "one_down", "to_match"] = Field(
        default="to_match", description="how far a customer falls who does not keep the tier"
    )
    upgrade: Literal["immediate", "at_review"] = Field(
        default="immediate", description="on the day of the order, or at the next review"
    )
    refund_effect: Literal["immediate", "at_review", "none"] = Field(
        default="immediate", description="when a refund takes back the tier that its order granted"
    )
    review: Literal["monthly", "tier_anniversary", "fixed_dates"] = Field(
        default="monthly",
        description="the last day of each month; of the month in which the customer's tier has lasted whole years, and "
        "for the base tier of each month; or the days of review_on",
    )
    review_on: tuple[str, ...] = Field(default=(), description="fixed_dates: days of each year as MM-DD")

    @model_validator(mode="after")
    def _ladder(self) -> Self:
        """Refuse a ladder that is not monotone."""
        ups, keeps = [t.up_fen for t in self.tiers], [t.keep_fen for t in self.tiers]
        if ups[0] or keeps[0]:
            raise ValueError(f"tier {self.tiers[0].code} is the base tier: up_fen and keep_fen must be 0")
        if any(a >= b for a, b in itertools.pairwise(ups)):
            raise ValueError(f"up_fen must rise from tier to tier, found {ups}")
        if any(a > b for a, b in itertools.pairwise(keeps)):
            raise ValueError(f"keep_fen must not fall from tier to tier, found {keeps}")
        for tier in self.tiers:
            if tier.keep_fen > tier.up_fen:
                raise ValueError(f"tier {tier.code}: keep_fen {tier.keep_fen} is above up_fen {tier.up_fen}")
        return self

    @model_validator(mode="after")
    def _dates(self) -> Self:
        """Refuse dates of review that no year has, or that nothing reads."""
        if bool(self.review_on) != (self.review == "fixed_dates"):
            raise ValueError("review_on and the review fixed_dates belong together")
        for day in self.review_on:
            if not _MONTH_AND_DAY.fullmatch(day):
                raise ValueError(f"review_on: {day} is no day of the year such as 06-30")
            date.fromisoformat(f"{_A_LEAP_YEAR}-{day}")
        return self
