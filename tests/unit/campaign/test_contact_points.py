"""Which contact reaches whom."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from tasks.transforms.contact_points import contact_points, keys_of_people, preferred_contacts
from tasks.transforms.recycled import without_former_grants
from tests.support.campaigns import NOW, consent, member, owned, phone, rows, sighting

MAY, JUNE, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 8))
PEOPLE = owned({member("a"): "a", member("b"): "b"})


def preferred(*seen: list[dict[str, Any]], people: pl.LazyFrame = PEOPLE) -> list[tuple[str, str, str]]:
    sightings = rows("sightings", [row for pair in seen for row in pair])
    points = contact_points(sightings, people, known=NOW, seen_before=NOW)
    return sorted(preferred_contacts(points).select("one_id", "contact_type", "contact_key").collect().iter_rows())


def test_the_contact_seen_last_is_preferred() -> None:
    assert preferred(sighting("a", phone(1), MAY), sighting("a", phone(2), JUNE)) == [("a", "phone", "phone::2")]


def test_equal_times_are_decided_by_key() -> None:
    assert preferred(sighting("a", phone(2)), sighting("a", phone(1))) == [("a", "phone", "phone::1")]


def test_each_contact_type_has_its_own() -> None:
    found = preferred(sighting("a", phone(1)), sighting("a", "push_token:app:x"))
    assert found == [("a", "phone", "phone::1"), ("a", "push_token", "push_token:app:x")]


def test_an_id_of_a_vendors_is_a_contact_where_a_vendor_takes_it() -> None:
    people = owned({member("a"): "a", "external_userid:corp:x": "a", "external_userid:corp:y": "b"})
    seen = rows("sightings", [*sighting("a", "external_userid:corp:x"), *sighting("b", "external_userid:corp:y")])
    points = contact_points(seen, people, known=NOW, seen_before=NOW, types=("external_userid",))
    found = preferred_contacts(points).select("one_id", "contact_type", "contact_key").collect().rows()
    assert sorted(found) == [
        ("a", "external_userid", "external_userid:corp:x"), ("b", "external_userid", "external_userid:corp:y"),
    ]  # fmt: skip
    assert contact_points(seen, people, known=NOW, seen_before=NOW).collect().is_empty()


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


def test_a_phone_that_is_a_key_of_somebody_is_theirs_alone() -> None:
    """Clerk or typing error: the number of b stands on a record of a."""
    people = owned({member("a"): "a", member("b"): "b", phone(1): "b"})
    assert preferred(sighting("a", phone(1), JUNE), sighting("b", phone(1), MAY), people=people) == [
        ("b", "phone", "phone::1")
    ]


def test_whoever_stands_beside_somebody_elses_phone_may_read_it() -> None:
    """So their no is heard there, and a no of that phone is heard as theirs."""
    people = owned({member("a"): "a", member("b"): "b", phone(1): "b"})
    seen = rows("sightings", [*sighting("a", phone(1), JUNE), *sighting("b", phone(1), MAY)])
    points = contact_points(seen, people, known=NOW, seen_before=NOW)
    assert sorted(points.select("one_id", "contact_key", "is_theirs").collect().rows()) == [
        ("a", phone(1), False), ("b", phone(1), True),
    ]  # fmt: skip
    assert ("a", phone(1)) in keys_of_people(people, points).collect().rows()


def test_a_contact_of_nobody_goes_to_the_strongest_key_of_its_record() -> None:
    """The phone on the record is b's, the member card a's: the push token is that of the card."""
    token = sighting("a", "push_token:app:x")
    beside = {**token[0], "key": phone(1), "key_type": "phone"}
    people = owned({member("a"): "a", phone(1): "b"})
    assert preferred([*token, beside], people=people) == [
        ("a", "push_token", "push_token:app:x"), ("b", "phone", "phone::1"),
    ]  # fmt: skip


def recycled() -> pl.LazyFrame:
    """Phone 1 was a's until June, and is b's since."""
    first, second = ({"key": phone(1), "one_id": name, "own_id": name, "key_class": "linking"} for name in "ab")
    epochs = rows("identities", [first | {"epoch": 1, "valid_to": JUNE}, second | {"epoch": 2, "valid_from": JUNE}])
    return pl.concat([PEOPLE, epochs])


def test_a_recycled_number_reaches_its_present_owner_alone() -> None:
    seen = (sighting("a", phone(1), MAY), sighting("b", phone(1), JUNE))
    assert preferred(*seen, people=recycled()) == [("b", "phone", "phone::1")]
    assert preferred(seen[0], people=recycled()) == []


def test_the_next_owner_inherits_a_no_and_never_a_yes() -> None:
    said = [
        consent(phone(1), "granted", decided_at=MAY), consent(phone(1), "withdrawn", decided_at=MAY),
        consent(phone(1), "granted", decided_at=None), consent(phone(1), "granted", decided_at=JUNE),
        consent(member("a"), "granted", decided_at=MAY),
    ]  # fmt: skip
    left = without_former_grants(rows("consents", said), recycled()).select("subject", "decision", "decided_at")
    assert sorted(left.collect().rows(), key=str) == sorted([
        (phone(1), "withdrawn", MAY), (phone(1), "granted", JUNE), (member("a"), "granted", MAY),
    ], key=str)  # fmt: skip


def test_what_was_said_while_a_number_was_nobody_s_opens_nothing_for_its_owner_since() -> None:
    """Before June a hub, or of an owner of whom no record tells: only the epoch since then has a row."""
    since = {"key": phone(1), "one_id": "b", "own_id": "b", "key_class": "linking", "epoch": 2, "valid_from": JUNE}
    said = [consent(phone(1), "granted", decided_at=MAY), consent(phone(1), "granted", decided_at=JUNE)]
    left = without_former_grants(rows("consents", said), rows("identities", [since]))
    assert left.select("decided_at").collect()["decided_at"].to_list() == [JUNE]
