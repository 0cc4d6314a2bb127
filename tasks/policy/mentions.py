"""Where a policy names single people: customer ids and pseudonyms, in whichever of its texts they stand.

A lock names a customer in a field of its own; a condition (`one_id = 'c_…'`) may do so too.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tasks.policy.holds import BLANKED

SHOWN = 5
_NAME = re.compile("c_[a-z2-7]{16}|[0-9a-f]{64}")


def mentions(told: Any, place: str = "") -> dict[str, frozenset[str]]:
    """Place in a policy (as JSON) to whatever has the shape of a customer id or pseudonym there.

    >>> mentions({"holds": {"locks": [{"one_id": "c_aaaaaaaaaaaaaaaa"}]}})
    {'holds.locks.1.one_id': frozenset({'c_aaaaaaaaaaaaaaaa'})}
    """
    return {place: frozenset(found) for place, text in _texts(told, place) if (found := _NAME.findall(text))}


def places_of(told: Any, names: Collection[str]) -> list[str]:
    """Places that name one of these."""
    return [place for place, found in mentions(told).items() if not found.isdisjoint(names)]


def shown(places: list[str]) -> str:
    """Places as a message tells them; of many the first."""
    more = len(places) - SHOWN
    return ", ".join(places[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def under_other_names(told: Any, names: Mapping[str, str]) -> Any:
    """The same with these people under other names; why one of them is held, people wrote, and is blanked."""
    if isinstance(told, dict):
        renamed = {under_other_names(key, names): under_other_names(value, names) for key, value in told.items()}
        return renamed | ({"reason": BLANKED} if "reason" in told and told.get("one_id") in names else {})
    if isinstance(told, list):
        return [under_other_names(value, names) for value in told]
    return _NAME.sub(lambda found: names.get(found[0], found[0]), told) if isinstance(told, str) else told


def _texts(told: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _texts(value, f"{place}.{key}".lstrip("."))
    elif isinstance(told, list):
        for number, value in enumerate(told, start=1):
            yield from _texts(value, f"{place}.{number}")
    elif isinstance(told, str):
        yield place, told
