"""Who may be written to: latest word, ties, suppression, and what a no reaches."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from tasks.transforms.consent import Question, standing, verdicts, why_no_consent
from tests.support.campaigns import NOW, consent, member, phone, rows

JUNE, MAY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)


def word(*said: dict[str, Any]) -> list[str]:
    return standing(rows("consents", said), at=NOW, known=NOW).collect()["decision"].to_list()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("granted", MAY), ("withdrawn", JUNE)], ["withdrawn"]),
        ([("withdrawn", MAY), ("granted", JUNE)], ["granted"]),
        ([("granted", JUNE), ("withdrawn", JUNE)], ["withdrawn"]),
        ([("granted", JUNE), ("withdrawn", AUGUST)], ["granted"]),
        ([("granted", JUNE), ("withdrawn", None)], ["withdrawn"]),
        ([("granted", None)], []),
    ],
)
def test_the_latest_word_stands(said: list[tuple[str, datetime | None]], expected: list[str]) -> None:
    assert word(*(consent("phone::1", decision, decided_at=at) for decision, at in said)) == expected


def test_a_word_counts_from_when_it_is_known_and_until_it_is_replaced() -> None:
    assert word(consent("phone::1", known_from=AUGUST)) == []
    assert word(consent("phone::1", known_to=JUNE)) == []
    assert word(consent("phone::1", known_to=AUGUST)) == ["granted"]


def ask(*said: dict[str, Any], owners: dict[str, list[str]] | None = None) -> dict[str, tuple[bool, bool, bool]]:
    """(granted, withdrawn, suppressed) by customer; each customer's first phone is the one to be used."""
    phones = owners or {"a": ["1"]}
    points = pl.LazyFrame(
        [(one_id, phone(n)) for one_id, ns in phones.items() for n in ns],
        schema=["one_id", "contact_key"],
        orient="row",
    ).with_columns(is_own=True)
    contacts = pl.LazyFrame(
        [(one_id, phone(ns[0])) for one_id, ns in phones.items()], schema=["one_id", "contact_key"], orient="row"
    )
    members = pl.LazyFrame([(one_id, member(one_id)) for one_id in phones], schema=["one_id", "key"], orient="row")
    keys = pl.concat([members, points.select("one_id", key="contact_key")])
    words = standing(rows("consents", said), at=NOW, known=NOW)
    found = verdicts(words, keys, points, contacts, Question("sms", "marketing")).collect()
    columns = ("one_id", "is_granted", "withdrawn_at", "suppressed_at")
    return {one_id: (yes, no is not None, never is not None) for one_id, yes, no, never in found.select(columns).rows()}


YES, NO = consent(phone("1")), consent(phone("1"), "withdrawn")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], (False, False, False)),
        ([YES], (True, False, False)),
        ([consent(member("a"))], (True, False, False)),
        ([consent(phone("2"))], (False, False, False)),
        ([consent(phone("1"), touch_channel="push")], (False, False, False)),
        ([consent(phone("1"), purpose="service")], (False, False, False)),
        ([consent(phone("1"), touch_channel="*", purpose="*")], (False, False, False)),
        ([YES, consent(member("a"), "withdrawn")], (True, True, False)),
        ([YES, consent(member("a"), "withdrawn", purpose="*")], (True, False, True)),
        ([YES, consent(member("a"), "withdrawn", touch_channel="*")], (True, False, True)),
        ([YES, consent(phone("1"), "withdrawn", purpose="*", touch_channel="push")], (True, False, False)),
        ([YES, consent(phone("1"), "withdrawn", purpose="service")], (True, False, False)),
    ],
)
def test_yes_is_exact_and_no_is_wide(said: list[dict[str, Any]], expected: tuple[bool, bool, bool]) -> None:
    assert ask(*said) == {"a": expected}


def test_a_no_about_an_old_phone_holds_for_the_new_one() -> None:
    said = [consent(phone("1")), consent(phone("2"), "withdrawn", purpose="*")]
    assert ask(*said, owners={"a": ["1", "2"]}) == {"a": (True, False, True)}


def test_a_no_of_one_owner_of_a_shared_phone_protects_the_phone() -> None:
    said = [YES, consent(member("b"), "withdrawn")]
    assert ask(*said, owners={"a": ["1"], "b": ["1"]}) == {"a": (True, True, False), "b": (True, True, False)}
    said = [YES, consent(member("b"), "withdrawn", purpose="*")]
    assert ask(*said, owners={"a": ["1"], "b": ["1"]}) == {"a": (True, False, True), "b": (True, False, True)}


def test_suppression_outlives_a_later_opt_in_for_one_purpose() -> None:
    said = [consent(phone("1"), "withdrawn", purpose="*", decided_at=MAY), consent(phone("1"), decided_at=JUNE)]
    assert ask(*said) == {"a": (True, False, True)}
    lifted = consent(phone("1"), "granted", purpose="*", decided_at=JUNE)
    assert ask(*said, lifted) == {"a": (True, False, False)}


def marketed(*said: dict[str, Any], is_own: bool) -> tuple[bool, str]:
    """(granted, why not) for a phone that was seen on a marketplace's record, and perhaps elsewhere."""
    point = pl.LazyFrame({"one_id": ["a"], "contact_key": [phone("1")], "is_own": [is_own]})
    keys = pl.LazyFrame({"one_id": ["a", "a"], "key": [member("a"), phone("1")]})
    words = standing(rows("consents", said), at=NOW, known=NOW, marketplaces=["taobao"])
    found = verdicts(words, keys, point, point.drop("is_own"), Question("sms", "marketing"))
    return found.select("is_granted", why_no_consent()).collect().row(0)


@pytest.mark.parametrize(
    ("said", "is_own", "expected"),
    [
        ([consent(phone("1"), channel="taobao")], True, False),
        ([consent(phone("1"), channel="taobao")], False, False),
        ([consent(phone("1"), channel="own")], False, True),
        ([consent(member("a"))], False, False),
        ([consent(member("a"))], True, True),
    ],
)
def test_a_platforms_yes_is_not_the_brands(said, is_own, expected):
    assert marketed(*said, is_own=is_own)[0] is expected


def test_why_a_platforms_contact_may_not_be_used() -> None:
    assert marketed(is_own=False)[1] == "seen on marketplaces alone, and no consent of the brand's own on record"


def test_a_platforms_no_is_heard_and_its_yes_lifts_none() -> None:
    no = consent(phone("1"), "withdrawn", channel="taobao", decided_at=JUNE)
    assert marketed(consent(phone("1"), decided_at=MAY), no, is_own=True)[1] == "withdrawn on 2026-06-01"
    later = consent(phone("1"), channel="taobao", decided_at=NOW)
    assert marketed(no | {"channel": "own"}, later, is_own=True)[0] is False


def test_a_dead_contact_lives_again_by_its_own_later_yes() -> None:
    dead = consent(phone("1"), "unreachable", touch_channel="*", purpose="*", decided_at=MAY)
    assert word(dead) == ["unreachable"]
    assert word(dead, consent(phone("1"), touch_channel="push", decided_at=JUNE)) == ["granted"]
    assert sorted(word(dead, consent(phone("1"), decided_at=MAY))) == ["granted", "unreachable"]
    assert sorted(word(dead, consent(phone("2"), decided_at=JUNE))) == ["granted", "unreachable"]


def test_a_no_of_tomorrow_is_heard_ahead() -> None:
    said = rows("consents", [consent(phone("1")), consent(phone("1"), "withdrawn", decided_at=AUGUST)])
    heard = standing(said, at=NOW, known=NOW, hears_ahead=True).collect()
    assert heard["decision"].to_list() == ["withdrawn"]
