"""What counts as a habit, as minding the price, as due to be bought again, and as going well together."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Label, Rule

_HOURS = 24
Share = Annotated[Decimal, Field(ge=0, le=1)]


class HourBand(Rule):
    """A part of the day, from its hour to that of the next band."""

    code: Code
    from_hour: int = Field(ge=0, le=_HOURS - 1, description="first hour of the band, in the business zone")


class PriceBand(Rule):
    """What makes somebody mind the price that much: either share is enough."""

    code: Code
    discount_rate: Share = Field(description="at least this share of the list price taken off")
    coupon_rate: Share = Field(description="or coupons on at least this share of the orders")


class Restock(Rule):
    """When what a customer keeps in stock is due to be bought again."""

    categories: tuple[str, ...] = Field(default=(), description="categories that run out; without any, all of them")
    least_days: int = Field(
        default=4, ge=2, description="purchase days in a category that show somebody's own cycle; fewer: the category's"
    )
    least_customers: int = Field(
        default=20, ge=1, description="customers who came back to a category, for it to have a cycle at all"
    )
    shortest_days: int = Field(default=3, ge=1, description="a shorter cycle is daily shopping, no stock")
    longest_days: int = Field(default=180, ge=1, description="a longer cycle is no cycle")
    late_cycles: int = Field(default=1, ge=0, description="so many cycles after the due date it was bought elsewhere")


class Companions(Rule):
    """Which categories go together: association rules over the categories of each customer."""

    least_support: Share = Field(default=Decimal("0.01"), description="share of customers who bought both")
    least_confidence: Share = Field(
        default=Decimal("0.1"), description="share of those who bought the one, who bought the other too"
    )
    least_lift: Decimal = Field(
        default=Decimal("1.05"), ge=1, description="how many times likelier the other is with the one than without it"
    )
    most_categories: int = Field(
        default=60, ge=2, le=62, description="categories that are compared: those with the most customers"
    )


class Habits(Rule):
    """When, where and what people buy, over the window of rfm.yaml."""

    least_orders: int = Field(default=2, ge=1, description="orders in the window that make a habit")
    hour_bands: tuple[HourBand, ...] = Field(min_length=1, description="from hour 0 on; a code may come twice")
    price_bands: tuple[PriceBand, ...] = Field(description="tried from top to bottom; who reaches none is `low`")
    tills: tuple[Code, ...] = Field(default=(), description="channels that are stores: one of them is somebody's home")
    restock: Restock = Field(default_factory=Restock, description="when what runs out is due")
    companions: Companions = Field(default_factory=Companions, description="which categories go together")
    labels: dict[str, Label] = Field(description="band of hours or of price to its name")

    @model_validator(mode="after")
    def _whole_day(self) -> Self:
        """Refuse hours without a band, bands out of order, and bands without a name."""
        hours = [band.from_hour for band in self.hour_bands]
        if hours[0] or sorted({*hours}) != hours:
            raise ValueError(f"hour_bands must start at 0 and rise, found {hours}")
        codes = {*(band.code for band in self.hour_bands), *(band.code for band in self.price_bands), "low"}
        if bare := sorted(codes - self.labels.keys()):
            raise ValueError(f"band {bare[0]} has no label")
        return self

    def band_of(self, hour: int) -> str:
        """The code of the band in which an hour lies."""
        return [band.code for band in self.hour_bands if band.from_hour <= hour][-1]
