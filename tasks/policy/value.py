"""How customer value is modelled and counted (algorithms §8, §9)."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.policy.base import Rule


class Value(Rule):
    """What a customer is expected to spend, and from how much data that may be said."""

    model: Literal["bg_nbd", "mbg_nbd"] = Field(
        default="bg_nbd",
        description="mbg_nbd lets a customer leave after the first purchase too: for shops of many one-time buyers",
    )
    min_customers: int = Field(default=200, ge=10, description="fewer buyers are not fitted")
    min_repeat_customers: int = Field(default=50, ge=5, description="fewer buyers with a second purchase day likewise")
    fit_customers: int = Field(
        default=50_000, ge=1_000, description="a larger base is fitted on so many, taken evenly from all histories"
    )
    horizon_months: int = Field(default=12, ge=1, le=60, description="months of 30 days that clv_fen looks ahead")
    monthly_discount: Decimal = Field(
        default=Decimal("0.01"), ge=0, lt=1, description="what a month of waiting takes off"
    )
    margin_rate: Decimal | None = Field(
        default=None, ge=0, le=1, description="margin of a sale; clv_fen is net spend where there is none"
    )
    margin_by_category: dict[str, Decimal] = Field(
        default_factory=dict, description="preferred category to the margin of its sales, before margin_rate"
    )
    warn_correlation: float = Field(
        default=0.3, gt=0, lt=1, description="a larger one between number and value of purchases is warned of"
    )
    warn_one_time_share: float = Field(
        default=0.4, gt=0, lt=1, description="a larger share of one-time buyers recommends mbg_nbd"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse rates that leave some customers without a margin, or that are no rates."""
        if self.margin_by_category and self.margin_rate is None:
            raise ValueError("margin_by_category needs margin_rate for customers without such a category")
        if wrong := sorted(name for name, rate in self.margin_by_category.items() if not 0 <= rate <= 1):
            raise ValueError(f"margin_by_category: {wrong[0]} must lie between 0 and 1")
        return self
