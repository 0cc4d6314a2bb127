"""One campaign as the operator writes it: campaigns/*.yaml."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from tasks.policy.base import Code, Condition, Label, Rule


class Holdout(Rule):
    """People left out on purpose, so that the effect can be measured."""

    experiment: str = Field(min_length=3, description="immutable experiment id; salt of the hash, never renamed")
    percent: Decimal = Field(ge=0, le=100, description="share of the audience that gets nothing")


class Campaign(Rule):
    """One campaign: whom, by which channel and vendor, with which safeguards."""

    code: Code
    label: Label
    touch_channel: Literal["sms", "push", "wecom", "email", "phone", "print"] = Field(
        description="consent is asked for this channel"
    )
    vendor: Code = Field(description="code of the vendor that sends, see vendors/")
    purpose: Literal["marketing", "service"] = Field(
        default="marketing", description="consent is asked for this purpose"
    )
    audience: Condition
    profiling: bool | None = Field(
        default=None,
        exclude_if=lambda told: told is None,
        description="PIPL art. 24: who refused profiling is left out, unless this is false and the audience reads no "
        "score, segment, tier or tag that rests on one",
    )
    priority: int = Field(default=100, description="smaller is served first")
    exclusive_group: str | None = Field(default=None, description="one campaign of a group per person and date")
    holdout: Holdout | None = Field(default=None, description="people left out on purpose")
    template: str = Field(description="template code at the vendor")
    variables: dict[str, Condition] = Field(default_factory=dict, description="template variable to expression")
    max_age_days: int = Field(default=3, ge=0, description="a send older than this against --today is refused")
    hold: bool = Field(default=False, description="wait for `strata approve` before anything is published")
    expires_days: int = Field(default=30, ge=1, description="days after which the vendor must delete the file")
    message_cost_fen: int = Field(default=0, ge=0, description="price of one message")
    owner: str = Field(default="crm", description="team that answers for the campaign")
