"""When a customer changes stage, falls silent or deserves an early word (algorithms §5)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from expectations.vocabulary import EVENTS
from tasks.policy.base import Label, Pattern, Rule


class Cycle(Rule):
    """The cycle by which somebody buys: the median gap between their purchase days."""

    least_gaps: int = Field(
        default=3, ge=1, description="gaps that make a cycle of one's own; with fewer that of the category, then of all"
    )
    otherwise_days: int = Field(default=30, ge=1, description="cycle where nobody at all has one of their own")
    least_days: int = Field(default=7, ge=1, description="a shorter cycle counts as this")
    most_days: int = Field(default=180, ge=1, description="a longer cycle counts as this")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse limits that leave nothing between them."""
        if self.least_days > self.most_days:
            raise ValueError(f"least_days {self.least_days} is above most_days {self.most_days}")
        return self


class Silence(Rule):
    """The four kinds of silence, and silence after a recall. Days are whole days since the last one of its sort."""

    order_days: int = Field(default=30, ge=1, description="behaviour: at least so many days without an order, and")
    interaction_days: int = Field(
        default=15, ge=1, description="so many without an interaction; where the brand has no events, orders decide"
    )
    month_spend_over_fen: int = Field(
        default=50_000, ge=0, description="value: spent more than this in some business month of the window, and"
    )
    value_days: int = Field(default=60, ge=1, description="at least so many days without an order")
    scenario_days: int = Field(
        default=3, ge=1, description="scenario: something was started at least so many days ago and not finished"
    )
    newcomer_days: int = Field(
        default=7, ge=1, description="scenario: a member of at least so many days, and of at most 30, without an order"
    )
    login_from_days: int = Field(default=30, ge=1, description="latent: at least so many days without a log-in, and")
    login_to_days: int = Field(default=90, ge=1, description="at most so many")
    recalls: Pattern = Field(default="^(winback|recall)", description="regular expression over the codes of recalls")
    recall_days: int = Field(default=7, ge=1, description="days after a recall without a core action: silent again")
    core_actions: tuple[str, ...] = Field(
        default=("login", "cart_add", "checkout", "coupon_use", "message", "visit_store"),
        description="events that end a silence, beside every order",
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Refuse unknown events and a window without days."""
        if strangers := sorted({*self.core_actions} - {*EVENTS}):
            raise ValueError(f"core_actions: {strangers[0]} is no event; expected some of {', '.join(EVENTS)}")
        if self.login_from_days > self.login_to_days:
            raise ValueError(f"login_from_days {self.login_from_days} is above login_to_days {self.login_to_days}")
        return self


class EarlyWarning(Rule):
    """New members who do not buy."""

    quiet_days: int = Field(default=5, ge=0, description="at least so many days since they joined, without an order")
    new_days: int = Field(default=30, ge=1, description="members of at most so many days are new")


class Potential(Rule):
    """Customers who could become more."""

    least_orders: int = Field(default=1, ge=0, description="qualifying orders in life, at least")
    most_orders: int = Field(default=3, ge=1, description="qualifying orders in life, at most")
    member_from_days: int = Field(default=30, ge=0, description="days since they joined, at least")
    member_to_days: int = Field(default=180, ge=1, description="days since they joined, at most")
    activities: tuple[Literal["high", "middle", "low"], ...] = Field(
        default=("high", "middle"), description="levels of activity that count as active"
    )
    quiet_days: int = Field(default=30, ge=1, description="at least so many days without an order")


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
    basis: Literal["days", "cycle"] = Field(
        default="days",
        description="`cycle`: active, at_risk and silent end after 1, 1.5 and 3 of the customer's own cycles instead",
    )
    cycle: Cycle = Field(default=Cycle(), description="whose cycle stands for whom")
    silence: Silence = Field(default=Silence(), description="when somebody is silent")
    early_warning: EarlyWarning = Field(default=EarlyWarning(), description="when a new member needs a word")
    potential: Potential = Field(default=Potential(), description="who could become more")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        """Refuse stages that overlap."""
        if not self.active_days < self.at_risk_days < self.silent_days:
            raise ValueError("active_days < at_risk_days < silent_days must hold")
        return self
