"""Which contact reaches whom."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from tasks.transforms.contact_points import contact_points, keys_of_people, preferred_contacts
from tests.support.campaigns import NOW, member, phone, rows, sighting

MAY, JUNE, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 8))
PEOPLE = pl.LazyFrame({"key": [member("a"), member("b")], "one_id": ["a", "b"]})


def preferred(*seen: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    sightings = rows("sightings", [row for pair in seen for row in pair])
    points = contact_points(sightings, PEOPLE, known=NOW, seen_before=NOW)
    return sorted(preferred_contacts(points).select("one_id", "contact_type", "contact_key").collect().iter_rows())


def test_the_contact_seen_last_is_preferred() -> None:
    assert preferred(sighting("a", phone(1), MAY), sighting("a", phone(2), JUNE)) == [("a", "phone", "phone::2")]


def test_equal_times_are_decided_by_key() -> None:
    assert preferred(sighting("a", phone(2)), sighting("a", phone(1))) == [("a", "phone", "phone::1")]


def test_each_contact_type_has_its_own() -> None:
    found = preferred(sighting("a", phone(1)), sighting("a", "push_token:app:x"))
    assert found == [("a", "phone", "phone::1"), ("a", "push_token", "push_token:app:x")]


def test_what_is_seen_or_known_later_does_not_count() -> None:
    assert preferred(sighting("a", phone(1), AUGUST)) == []
    assert preferred(sighting("a", phone(1), MAY, known_from=AUGUST)) == []


def test_a_shared_contact_belongs_to_both() -> None:
    found = preferred(sighting("a", phone(1)), sighting("b", phone(1)))
    assert found == [("a", "phone", "phone::1"), ("b", "phone", "phone::1")]


def test_keys_of_people_hold_identities_and_contacts() -> None:
    sightings = rows("sightings", sighting("a", phone(1)))
    points = contact_points(sightings, PEOPLE, known=NOW, seen_before=NOW)
    found = sorted(keys_of_people(PEOPLE, points).collect().iter_rows())
    assert found == [("a", member("a")), ("a", "phone::1"), ("b", member("b"))]
