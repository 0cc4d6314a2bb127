"""Which contact reaches whom, over random records, epochs of numbers and markets, as plain Python reads the rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.stores.scratch import in_order
from tasks.transforms.contact_points import contact_points
from tests.support.campaigns import SEEN, member, phone, rows
from tests.support.examples import examples

MARKETS = ("taobao",)
NAMES, PEOPLE, PHONES = ("a", "b", "c"), ("x", "y", "z"), (1, 2)
Row = dict[str, Any]
Point = dict[str, Any]


def day(number: int) -> datetime:
    return SEEN + timedelta(days=number)


def epochs(key: str, owners: Sequence[str], changed: int, gap: int) -> list[Row]:
    """The number is the first owner's until a day, the second one's from a later one on, and nobody's between."""
    first = {"key": key, "epoch": 1, "key_class": "linking", "one_id": owners[0], "valid_to": day(changed)}
    second = {"key": key, "epoch": 2, "key_class": "linking", "one_id": owners[-1], "valid_from": day(changed + gap)}
    whole = {"key": key, "epoch": 1, "key_class": "linking", "one_id": owners[0]}
    return [[], [whole], [first], [second], [first, second]][len(owners) + gap]


def numbers(number: int) -> st.SearchStrategy[list[Row]]:
    owners = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2)
    known = st.builds(epochs, st.just(phone(number)), owners, st.integers(0, 4), st.integers(0, 2))
    return st.one_of(st.just([]), known)


members = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(PEOPLE)).map(
    lambda owner: [{"key": member(n), "epoch": 1, "key_class": "strong", "one_id": o} for n, o in owner.items()]
)
identities = st.tuples(members, *map(numbers, PHONES)).map(lambda lists: [row for rows_ in lists for row in rows_])


def sighting(key: str, record: int, at: int, known: int, channel: str) -> Row:
    return {
        "key": key, "key_type": key.partition(":")[0], "record": f"order:{record}", "seen_at": day(at),
        "known_from": day(known), "channel": channel,
    }  # fmt: skip


sightings = st.lists(
    st.builds(
        sighting, st.sampled_from([*map(member, NAMES), *map(phone, PHONES)]), st.integers(0, 2), st.integers(0, 6),
        st.integers(0, 6), st.sampled_from(["taobao", "youzan"]),
    ),
    max_size=12,
)  # fmt: skip


def owner(row: Row, known: list[Row]) -> tuple[str, bool] | None:
    """Whose the key was then, and whether it is a weak one."""
    for one in known:
        since, until = one.get("valid_from"), one.get("valid_to")
        is_then = (since is None or since <= row["seen_at"]) and (until is None or row["seen_at"] < until)
        if one["key"] == row["key"] and is_then:
            return one["one_id"], one["key_class"] != "strong"
    return None


def about(record: str, seen: list[Row], known: list[Row]) -> set[str]:
    """The owners of the strongest keys of a record."""
    found = [told for row in seen if row["record"] == record and (told := owner(row, known))]
    return {one_id for one_id, is_weak in found if is_weak == min(weak for _, weak in found)}


def points(seen: list[Row], known: list[Row]) -> dict[tuple[str, str], Point]:
    told: dict[tuple[str, str], Point] = {}

    def add(one_id: str, row: Row, *, is_theirs: bool) -> None:
        point = told.setdefault((one_id, row["key"]), {"seen": row["seen_at"], "own": False, "theirs": False})
        point["seen"] = max(point["seen"], row["seen_at"])
        point["own"] |= row["channel"] not in MARKETS
        point["theirs"] |= is_theirs

    for row in (row for row in seen if row["key_type"] == "phone"):
        mine = [one for one in known if one["key"] == row["key"]]
        turns = [turn for one in mine for turn in (one.get("valid_from"), one.get("valid_to")) if turn]
        if turns and row["seen_at"] < max(turns):
            continue
        if told_owner := owner(row, known):
            add(told_owner[0], row, is_theirs=True)
        for one_id in about(row["record"], seen, known):
            add(one_id, row, is_theirs=not mine)
    return told


@given(sightings, identities)
@settings(max_examples=examples(60), deadline=None)
def test_contacts_reach_whom_the_rules_say(given_rows: list[Row], known: list[Row]) -> None:
    seen = [row for row in given_rows if row["known_from"] <= day(5) and row["seen_at"] < day(5)]
    found = contact_points(
        rows("sightings", given_rows), rows("identities", known), known=day(5), seen_before=day(5), marketplaces=MARKETS
    ).collect()
    ours = {
        (row["one_id"], row["contact_key"]): {
            "seen": row["last_seen_at"], "own": row["is_own"], "theirs": row["is_theirs"],
        }
        for row in found.to_dicts()
    }  # fmt: skip
    assert found.height == len(ours)
    assert ours == points(seen, known)


@given(st.lists(st.tuples(st.sampled_from(["s1", "s2"]), st.sampled_from(["a", "b", "c", None])), max_size=5))
@settings(max_examples=examples(40), deadline=None)
def test_what_stands_in_order_is_left_as_any_sort_would_leave_it(given_keys: list[tuple[str, str | None]]) -> None:
    made = [{"send_id": send, "one_id": one_id} for send, one_id in given_keys]
    found = in_order(rows("audience_members", made).collect(), "audience_members")
    wanted = sorted(given_keys, key=lambda pair: (pair[0], pair[1] is None, pair[1] or ""))
    assert found.select(TABLES["audience_members"].key).rows() == wanted
