"""The days that separate one stage of a customer's life from the next (algorithms §5)."""

from typing import Self

from pydantic import Field, model_validator

from tasks.policy.base import Label, Rule


class Lifecycle(Rule):
    """Days that separate the stages."""

    new_days: int = Field(default=7, ge=0, description="one purchase day in life, at most this long ago")
    growing_days: int = Field(default=30, ge=0, description="first purchase day at most this long ago")
    returned_days: int = Field(
        default=30, ge=0, description="back after a gap longer than at_risk_days, at most this long ago"
    )
    active_days: int = Field(default=30, ge=1, description="last order at most this long ago")
    at_risk_days: int = Field(default=60, ge=1, description="last order at most this long ago")
    silent_days: int = Field(default=90, ge=1, description="last order at most this long ago; later is lost")
    labels: dict[str, Label] = Field(description="stage to its name")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        """Refuse stages that overlap."""
        if not self.active_days < self.at_risk_days < self.silent_days:
            raise ValueError("active_days < at_risk_days < silent_days must hold")
        return self
