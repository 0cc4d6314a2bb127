"""How keys make persons: what a key of each type proves, how many a person may have, what counts as too much.

The resolver (tasks/transforms/identity) is the only reader of all but the guards and survivorship.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from tasks.policy.base import Rule

KeyClass = Literal["strong", "linking", "weak", "forbidden"]
Most = Annotated[int, Field(ge=1)]
Share = Annotated[Decimal, Field(ge=0, le=1)]


class HubRule(Rule):
    """When a shareable key tells of so many that it tells of nobody: it links nothing and belongs to nobody."""

    strong_ids: dict[str, Most] = Field(description="most different keys of a strong type, within one scope, beside it")
    unlisted: Most = Field(default=3, description="the same for strong types that are not listed")
    receivers: Most = Field(default=20, description="most different phones of receivers beside it")
    orders_per_day: Most = Field(
        default=20, description="most orders of one shop in a business day; files name no cashier, so the shop stands"
    )
    record_keys: Most = Field(default=50, description="a record with more identity keys than this links none of them")


class Guards(Rule):
    """What fails a run instead of being published."""

    max_component: Most = Field(default=50, description="keys of one person")
    max_changed_share: Share = Field(default=Decimal("0.05"), description="of the customer ids of the date before")
    max_refused_share: Share = Field(default=Decimal("0.02"), description="of the links between keys")
    spare: int = Field(default=20, ge=0, description="so few changes, or refusals, never fail a run by their share")


class Survivorship(Rule):
    """Which of several values of one attribute stands for a person who has several profiles."""

    attribute: str = Field(description="column of members; `*` is every other")
    rule: Literal["most_recent", "most_frequent", "by_channel"] = Field(
        description="newest export; the value of most profiles; that of the first channel of `channels` that has one"
    )
    channels: tuple[str, ...] = Field(default=(), description="channels, the most trusted first; they settle ties too")


class Identity(Rule):
    """Who is who."""

    classes: dict[str, KeyClass] = Field(
        description="type of key to what it proves: strong defines a person, linking joins but may be shared, "
        "weak joins only where use_weak says so, forbidden is no key"
    )
    unlisted: KeyClass = Field(default="strong", description="class of the types that are not listed")
    use_weak: bool = Field(default=False, description="whether weak keys (devices, cookies) join and define at all")
    caps: dict[str, Most] = Field(description="type of key to the most that one person has of it within one scope")
    unlisted_cap: Most = Field(default=1, description="the same for types that are not listed")
    hub: HubRule = Field(description="keys that tell of too many")
    recycled: tuple[str, ...] = Field(default=("phone",), description="types that are given to somebody else in time")
    silent_days: Most = Field(default=180, description="days of silence after which a recycled key may be another's")
    household: Literal["first", "apart"] = Field(
        default="first",
        description="a phone or e-mail of several persons is the first one's, or `apart`: nobody's",
    )
    blocked: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="type of key to values that name nobody, as normalised: hotlines, samples"
    )
    merge_quiet: bool = Field(
        default=True, description="whoever meets a condition only through a merge is contacted one date later"
    )
    guards: Guards = Field(description="what fails a run")
    survivorship: tuple[Survivorship, ...] = Field(default=(), description="the first that names an attribute holds")

    def class_of(self, key_type: str) -> KeyClass:
        """What a key of that type proves."""
        return self.classes.get(key_type, self.unlisted)

    def cap_of(self, key_type: str) -> int:
        """The most keys of that type and one scope that one person has."""
        return self.caps.get(key_type, self.unlisted_cap)

    def hub_limit_of(self, key_type: str) -> int:
        """The most keys of a strong type and one scope beside a key that still tells of somebody."""
        return 1 if self.household == "apart" else self.hub.strong_ids.get(key_type, self.hub.unlisted)
