"""One campaign as the operator writes it: campaigns/*.yaml."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Condition, Label, Rule, added
from tasks.policy.breaks import Breaks
from tasks.policy.contacting import CampaignCap
from tasks.policy.offers import CouponPool, Utm
from tasks.policy.schedule import Schedule
from tasks.policy.triggers import Trigger
from tasks.policy.variants import Holdout, Split, Splitting, Variant
from tasks.policy.vendors import Hours

TAG_NAME_MOST = 30
"""Characters of a tag's name in WeCom; what is longer is cut."""
TagName = Annotated[str, Field(min_length=1, max_length=TAG_NAME_MOST)]
TagId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


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
    profiling: bool | None = added(
        None,
        description="PIPL art. 24: who refused profiling is left out, unless this is false and the audience reads no "
        "score, segment, tier or tag that rests on one",
    )
    priority: int = Field(default=100, description="smaller is served first")
    exclusive_group: str | None = Field(default=None, description="one campaign of a group per person and date")
    holdout: Holdout | None = Field(default=None, description="people left out on purpose")
    template: str = Field(description="template code at the vendor")
    text: str | Label | None = added(
        None,
        description="the template's text as it is registered, `{variable}` for each variable: what parts and cost are "
        "counted from; a map {zh, en} where the vendor sends one of both",
    )
    variables: dict[str, Condition] = Field(default_factory=dict, description="template variable to expression")
    max_age_days: int = Field(default=3, ge=0, description="a send older than this against --today is refused")
    hold: bool = Field(default=False, description="wait for `strata approve` before anything is published")
    expires_days: int = Field(default=30, ge=1, description="days after which the vendor must delete the file")
    message_cost_fen: int = Field(default=0, ge=0, description="price of one message")
    variants: tuple[Variant, ...] = added((), description="several messages, of which each person gets one")
    split: Splitting = added(Split(), description="who gets which variant; `hash` or parts")
    caps: tuple[CampaignCap, ...] = added((), description="all of them must hold beside those of contacting")
    incentive_fen: int = added(0, description="worth of what one message gives away", ge=0)
    budget_fen: int | None = added(
        None, description="most that messages and what they give away may cost; the best scored are served first", ge=0
    )
    budget_days: int | None = added(
        None, description="sends of so many days share the budget; all sends of the campaign when left out", ge=1
    )
    stop_if: tuple[Literal["bought", "opted_out", "complained"], ...] = added(
        (), description="what has happened since the scoring and stops the message; a no and a complaint always do"
    )
    breaks: Breaks | None = added(
        None, description="when the send is stopped because it is too unlike the last; takes the place of contacting's"
    )
    schedule: Schedule | None = added(None, description="dates on which it is due; any when left out")
    trigger: Trigger | None = added(
        None,
        description="what sets it off for one person; `strata plan` passes it over, `strata triggers` looks hourly",
    )
    hours: Hours | None = added(
        None,
        description="hours of the brand's zone in which it may arrive, inside the vendor's; where neither names any, "
        "09:00 to 20:00",
    )
    coupon_pool: CouponPool | None = added(
        None, description="pool of which each person gets a code of their own, as the variable `coupon`"
    )
    utm: Utm | None = added(None, description="link with the campaign's parameters, as the variable `link`")
    tag_sync: tuple[Code, ...] = added(
        (),
        description="columns and tags that stand as tags on the contacts of advisers in WeCom: `tags_to_add` and "
        "`tags_to_remove` say what has changed since the person's last send; one campaign of a policy may have it",
        max_length=3000,
    )
    tag_ids: dict[TagName, TagId] = added(
        {},
        description="ids that WeCom gave the tags, by our name of each: `tier_gold: etAAAA…`; where there are any, ids "
        "are told instead of names, and a tag without one stops the send",
    )
    owner: str = Field(default="crm", description="team that answers for the campaign")

    @property
    def tells_nobody(self) -> bool:
        """True for a send that no customer reads, tags kept in step: it counts as no message, and no cap stops it."""
        return bool(self.tag_sync)

    def is_due(self, day: date) -> bool:
        """Whether `strata plan` allocates it on a day: it is not set off by persons, and the schedule names the day."""
        return self.trigger is None and (self.schedule is None or self.schedule.is_due(day))

    @model_validator(mode="after")
    def _split_has_a_salt(self) -> Self:
        """Refuse variants of one code, and a split that no experiment names."""
        codes = [variant.code for variant in self.variants]
        if len(set(codes)) < len(codes):
            raise ValueError(f"two variants have one code: {', '.join(codes)}")
        if self.holdout is None and (codes or self.split != Split()):
            raise ValueError("variants and split need `holdout: {experiment, percent}`: it names the experiment")
        return self

    @model_validator(mode="after")
    def _tags_have_ids_of_their_own(self) -> Self:
        """Refuse two tags under one id: taking one off would take the other."""
        if len(set(self.tag_ids.values())) < len(self.tag_ids):
            raise ValueError("tag_ids: two tags have one id")
        return self
