"""How far the results of a refresh may lie from those of the date before; more stops publication."""

from pydantic import Field

from tasks.policy.base import Rule


class Drift(Rule):
    """Limits between two dates. Shares of customers are between 0 and 1."""

    max_lost_share: float = Field(
        default=0.02, ge=0, le=1, description="customers of the date before who are gone, and merged into nobody"
    )
    max_tier_shift: float = Field(
        default=0.5, ge=0, le=1, description="share of customers by which the tiers are divided otherwise than before"
    )
    max_segment_shift: float = Field(default=0.6, ge=0, le=1, description="the same of segments")
    max_stage_shift: float = Field(default=0.8, ge=0, le=1, description="the same of stages")
    max_spend_factor: float = Field(
        default=20, ge=1, description="how many times larger or smaller the spend in the window may be than before"
    )
    young_days: int = Field(
        default=120,
        ge=0,
        description="days from the first customer seen to the date before; in a younger brand everybody changes stage "
        "at once, so that only losses and what must be exact are compared",
    )
    least_customers: int = Field(
        default=200, ge=0, description="with fewer customers at the date before only what must be exact is compared"
    )
