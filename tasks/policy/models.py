"""The brand's rules as frozen models. Thresholds, windows, names and plans live in YAML; code holds none."""

from typing import Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from tasks.policy.activity import Activity
from tasks.policy.audiences import Audience
from tasks.policy.base import Code, Label, Pattern, Rule, added
from tasks.policy.calendar import Calendar
from tasks.policy.campaigns import Campaign
from tasks.policy.clusters import Clusters
from tasks.policy.contacting import Contacting
from tasks.policy.documents import Document
from tasks.policy.drift import Drift
from tasks.policy.growth import Growth
from tasks.policy.habits import Habits
from tasks.policy.history import History
from tasks.policy.holds import Holds
from tasks.policy.identity import Identity
from tasks.policy.lifecycle import Lifecycle
from tasks.policy.rfm import Rfm
from tasks.policy.segments import Segments
from tasks.policy.social import Social
from tasks.policy.tags import Tag
from tasks.policy.tiers import Tiers
from tasks.policy.value import Value
from tasks.policy.vendors import Vendor

RAW_ROLES = ("data_engineer", "privacy_officer")


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
    categories: tuple[CategoryRule, ...] = added(
        (),
        description="categories of products by their names, the first match wins; a category that a file gives stands",
    )
    phone_hashes: tuple[Literal["phone_md5", "phone_sha256"], ...] = added(
        (),
        description="plain hashes by which vendors name phones; ours are hashed the same way, so that theirs are found",
    )
    raw_roles: tuple[Code, ...] = added(
        RAW_ROLES, description="roles that may take refused rows, in clear, out of the sealed raw files"
    )
    max_volume_drop: float = Field(default=0.9, ge=0, le=1, description="gate: least fall of customers that blocks")


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
    drift: Drift = added(Drift())
    history: tuple[History, ...] = added(())
    audiences: tuple[Audience, ...] = added(())
    campaigns: tuple[Campaign, ...]
    vendors: tuple[Vendor, ...]
    # What the brand says of its export files. Left out of the digest where there is none, as before there were any.
    layouts: tuple[Document, ...] = added(())
    corrections: tuple[Document, ...] = added(())

    _recorded_as: str = PrivateAttr("")

    @property
    def recorded_as(self) -> str:
        """The digest under which runs name it where an erasure took somebody out of it; else empty."""
        return self._recorded_as

    def as_recorded(self, digest: str) -> Self:
        """The same policy, known by the digest of what it was before an erasure."""
        copy = self.model_copy()
        copy._recorded_as = digest  # noqa: SLF001  its own
        return copy

    @model_validator(mode="after")
    def _locks_give_tiers(self) -> Self:
        """Refuse a lock on a tier that there is not."""
        tiers = {None, *(tier.code for tier in self.tiers.tiers)}
        for lock in self.holds.locks:
            if lock.tier not in tiers:
                raise ValueError(f"holds.yaml: the lock of {lock.one_id} gives {lock.tier}, which is no tier")
        return self

    def audience(self, code: str) -> Audience:
        """Return the audience of that code; KeyError when there is none."""
        return {a.code: a for a in self.audiences}[code]

    def campaign(self, code: str) -> Campaign:
        """Return the campaign of that code; KeyError when there is none."""
        return {c.code: c for c in self.campaigns}[code]

    def vendor(self, code: str) -> Vendor:
        """Return the vendor of that code; KeyError when there is none."""
        return {v.code: v for v in self.vendors}[code]
