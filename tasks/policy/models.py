"""The brand's rules as frozen models. Thresholds, windows, names and plans live in YAML; code holds none."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.policy.activity import Activity
from tasks.policy.base import Code, Condition, Label, Pattern, Rule
from tasks.policy.calendar import Calendar
from tasks.policy.clusters import Clusters
from tasks.policy.documents import Document
from tasks.policy.drift import Drift
from tasks.policy.growth import Growth
from tasks.policy.habits import Habits
from tasks.policy.holds import Holds
from tasks.policy.identity import Identity
from tasks.policy.lifecycle import Lifecycle
from tasks.policy.rfm import Rfm
from tasks.policy.segments import Segments
from tasks.policy.social import Social
from tasks.policy.tags import Tag
from tasks.policy.tiers import Tiers
from tasks.policy.value import Value

RAW_ROLES = ("data_engineer", "privacy_officer")
MARKETPLACES = ("taobao", "jd", "douyin", "pdd", "kuaishou", "xiaohongshu", "wechat_shop")


class CategoryRule(Rule):
    """Products whose names match belong to a category, where the shop's own files do not say."""

    match: Pattern = Field(description="regular expression over the product's name")
    category: str = Field(min_length=1, description="category, as tags and reports print it")


class Brand(Rule):
    """Who the brand is and how its days and money are counted."""

    code: Code
    name: Label
    zone: str = Field(default="Asia/Shanghai", description="business time zone: months and days are cut here")
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of all its money")
    key_name: str = Field(description="name of the brand's key; `demo-1` is published and for demos alone")
    max_quarantine_share: float = Field(
        default=0.02, ge=0, le=1, description="a file with a larger share of refused rows is refused whole"
    )
    shops: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="channel to its shop id, where the file does not say; a list of shop ids: the file must be told",
    )
    categories: tuple[CategoryRule, ...] = Field(
        default=(),
        exclude_if=lambda rules: not rules,
        description="categories of products by their names, the first match wins; a category that a file gives stands",
    )
    phone_hashes: tuple[Literal["phone_md5", "phone_sha256"], ...] = Field(
        default=(),
        exclude_if=lambda kinds: not kinds,
        description="plain hashes by which vendors name phones; ours are hashed the same way, so that theirs are found",
    )
    raw_roles: tuple[Code, ...] = Field(
        default=RAW_ROLES,
        exclude_if=lambda roles: roles == RAW_ROLES,
        description="roles that may take refused rows, in clear, out of the sealed raw files",
    )
    max_volume_drop: float = Field(default=0.9, ge=0, le=1, description="gate: least fall of customers that blocks")


class Holdout(Rule):
    """People left out on purpose, so that the effect can be measured."""

    experiment: str = Field(min_length=3, description="immutable experiment id; salt of the hash, never renamed")
    percent: Decimal = Field(ge=0, le=100, description="share of the audience that gets nothing")


class Cap(Rule):
    """At most `most` messages in the last `days`, per person and per contact point."""

    touch_channel: str = Field(default="*", description="channel that is counted; `*` is all together")
    days: int = Field(ge=1, description="length of the rolling window")
    most: int = Field(ge=1, description="messages allowed in it")


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


class Contacting(Rule):
    """Caps that hold over all campaigns."""

    caps: tuple[Cap, ...] = Field(default=(), description="all of them must hold")
    marketplaces: tuple[Code, ...] = Field(
        default=MARKETPLACES,
        exclude_if=lambda channels: channels == MARKETPLACES,
        description="channels of platforms: a yes in their files counts for nothing, and a contact that was seen there "
        "alone needs a consent of the brand's own",
    )


class VendorColumn(Rule):
    """One column of a vendor's file."""

    header: str = Field(description="header as the vendor wants it")
    source: str = Field(description="`contact`, or `variable:<name>`")


class Vendor(Rule):
    """What a vendor's machine accepts."""

    code: Code
    label: Label
    role: Literal["entrusted", "third_party"] = Field(description="PIPL: art. 21 entrusted, art. 23 third party")
    contact_type: Literal["phone", "push_token", "email"] = Field(description="what the vendor sends to")
    columns: tuple[VendorColumn, ...] = Field(description="columns of the file in order")
    with_header: bool = Field(default=True, description="whether a part begins with its header line")
    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = Field(default="utf-8", description="of the text")
    line_end: Literal["lf", "crlf"] = Field(default="lf", description="end of each line")
    rows_per_part: int = Field(default=50_000, ge=1, description="most rows that one file may hold")


class Policy(Rule):
    """Everything a brand decides, in one value."""

    brand: Brand
    rfm: Rfm
    segments: Segments
    tiers: Tiers
    holds: Holds
    calendar: Calendar
    growth: Growth
    lifecycle: Lifecycle
    activity: Activity
    value: Value
    habits: Habits
    social: Social
    clusters: Clusters
    tags: tuple[Tag, ...]
    contacting: Contacting
    identity: Identity
    drift: Drift = Field(default=Drift(), exclude_if=lambda drift: drift == Drift())
    campaigns: tuple[Campaign, ...]
    vendors: tuple[Vendor, ...]
    # What the brand says of its export files. Left out of the digest where there is none, as before there were any.
    layouts: tuple[Document, ...] = Field(default=(), exclude_if=lambda documents: not documents)
    corrections: tuple[Document, ...] = Field(default=(), exclude_if=lambda documents: not documents)

    @model_validator(mode="after")
    def _locks_give_tiers(self) -> Self:
        """Refuse a lock on a tier that there is not."""
        tiers = {None, *(tier.code for tier in self.tiers.tiers)}
        for lock in self.holds.locks:
            if lock.tier not in tiers:
                raise ValueError(f"holds.yaml: the lock of {lock.one_id} gives {lock.tier}, which is no tier")
        return self

    def campaign(self, code: str) -> Campaign:
        """Return the campaign of that code; KeyError when there is none."""
        return {c.code: c for c in self.campaigns}[code]

    def vendor(self, code: str) -> Vendor:
        """Return the vendor of that code; KeyError when there is none."""
        return {v.code: v for v in self.vendors}[code]
