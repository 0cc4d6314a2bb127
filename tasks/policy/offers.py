"""What a message carries beside its text: a code of one's own, a link that tells where the visit came from."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tasks.policy.base import Rule

COUPON, LINK = "coupon", "link"
"""The variables that carry them."""


class CouponDraw(Rule):
    """One code of a pool for each person of a send."""

    pool: str = Field(min_length=1, description="name of the pool, as its files tell it")
    when_empty: Literal["refuse", "leave_out"] = Field(
        default="refuse",
        description="too few codes: `refuse` the whole plan, or `leave_out` whom none is left for (`no_coupon`), "
        "the best scored being served first",
    )


class Utm(Rule):
    """A link and its parameters; what the base says already stays."""

    base: str = Field(pattern=r"^https?://[^\s]+$", description="address that the link leads to")
    source: str = Field(min_length=1, description="utm_source")
    medium: str = Field(min_length=1, description="utm_medium")
    campaign: str = Field(default="", description="utm_campaign; the campaign's code when left out")
    content: dict[str, str] = Field(
        default_factory=dict, description="utm_content by code of variant; the code itself where a variant is not named"
    )


def _named(told: Any) -> Any:
    """`coupon_pool: spring` is short for `{pool: spring}`."""
    return {"pool": told} if isinstance(told, str) else told


CouponPool = Annotated[CouponDraw, BeforeValidator(_named)]
