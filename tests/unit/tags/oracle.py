"""Every default tag once more, by hand: plain Python, one customer after the other, from the meaning and not the rule.

Nothing here reads the policy, the conditions or the engine: numbers and words are written down again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

Row = dict[str, Any]


@dataclass
class Person:
    """One customer at the end of a day: what is known of them, and what they did, newest version of everything."""

    day: date
    facts: Row
    """Measures and labels by the names of the columns of customers and traits."""
    orders: list[Row] = field(default_factory=list)
    """Qualifying orders: paid_on, net_fen, has_coupon, lines (of which each has category and product_name)."""
    events: list[Row] = field(default_factory=list)
    """Events: happened_on, event, event_name."""
    profiles: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    before: Row = field(default_factory=dict)
    """The tags of the date before."""
    told: Row = field(default_factory=dict)
    lately: dict[int, list[Row]] = field(default_factory=dict)

    def fact(self, name: str) -> Any:
        return self.facts[name]

    def is_above(self, name: str, least: float) -> bool:
        return self.facts[name] is not None and self.facts[name] >= least

    def bought(self, days: int) -> list[Row]:
        if days not in self.lately:
            self.lately[days] = [order for order in self.orders if 0 <= (self.day - order["paid_on"]).days < days]
        return self.lately[days]

    def did(self, days: int, *kinds: str) -> list[Row]:
        recent = [event for event in self.events if 0 <= (self.day - event["happened_on"]).days < days]
        return [event for event in recent if event["event"] in kinds or not kinds]


@dataclass
class World:
    """Everybody at one date."""

    people: dict[str, Person]

    @cached_property
    def by_spend(self) -> list[int]:
        return sorted(each.fact("monetary_fen") for each in self.people.values() if each.fact("frequency"))

    @cached_property
    def by_life(self) -> list[int]:
        return sorted(each.fact("life_net_fen") for each in self.people.values() if each.fact("life_orders"))

    @cached_property
    def by_future(self) -> list[int]:
        return sorted(each.fact("clv_fen") for each in self.people.values() if each.fact("clv_status") == "model")

    @cached_property
    def by_interactions(self) -> list[int]:
        counts = (each.fact("interactions_30d") for each in self.people.values())
        return sorted(count for count in counts if count)


Law = Callable[[Person, World], Any]
TAGS: dict[str, Law] = {}
CARRIED = {
    "sex": 1095, "age_group": 1095, "home_province": 1095, "home_city": 1095, "income_group": 1095,
    "has_children": 1095, "is_shop_vip": 90, "adviser_level": 180, "mentions_allergy": 180, "mentions_weaning": 90,
}  # fmt: skip
"""Days for which a value stands that nothing confirms."""
YES_OR_NO: set[str] = set()


def every_tag(world: World) -> dict[str, Row]:
    """Every tag of everybody, and when each carried one was confirmed."""
    return {
        name: {code: value(code, person, world) for code in TAGS} | person.told for name, person in world.people.items()
    }


def value(code: str, person: Person, world: World) -> Any:
    """The tag of one person, worked out once."""
    if code not in person.told:
        known = TAGS[code](person, world)
        if code in CARRIED:
            known = _carried(code, known, person)
        person.told[code] = bool(known) if code in YES_OR_NO else known
    return person.told[code]


def _carried(code: str, known: Any, person: Person) -> Any:
    """What is known today; else what was known at most so many days ago."""
    person.told[f"{code}_on"] = person.day
    if known is not None:
        return known
    then = person.before.get(f"{code}_on")
    if then is not None and person.day - then <= timedelta(days=CARRIED[code]):
        person.told[f"{code}_on"] = then
        return person.before[code]
    person.told[f"{code}_on"] = None
    return None


def yes(law: Law) -> Law:
    """A tag that somebody has or has not."""
    YES_OR_NO.add(law.__name__)
    return says(law)


def says(law: Law) -> Law:
    """A tag with a value."""
    TAGS[law.__name__] = law
    return law


def band(number: int | None, **least: int) -> str | None:
    """The highest band that is reached."""
    reached = [(floor, code) for code, floor in least.items() if number is not None and number >= floor]
    return max(reached)[1] if reached else None


def is_among(ranked: list[int], number: int, size: int) -> bool:
    """Whether fewer than `size` stand higher: who ties at the edge is in."""
    return len(ranked) - bisect_right(ranked, number) < size


def is_sure(ranked: list[int], number: int, size: int) -> bool:
    """Whether at most `size` stand as high: who ties at the edge is out."""
    return len(ranked) - bisect_left(ranked, number) <= size


def has_word(text: str | None, *words: str) -> bool:
    return any(word in (text or "").lower() for word in words)
