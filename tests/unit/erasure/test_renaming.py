"""Laws of renaming: no way back without the secret, the same order, the same shape, nobody else touched."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.transforms.erasure import (
    Person,
    as_left,
    as_received,
    erase,
    renamed,
    renamed_ids,
    renamed_keys,
    renaming_of,
    touched,
)

SECRET, OTHER = b"s" * 32, b"o" * 32
AT = datetime(2026, 5, 1, tzinfo=UTC)
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
KINDS = st.sampled_from(["phone:", "member:brand", "nick:taobao"])
KEYS = st.sets(st.tuples(KINDS, HEX).map(":".join), min_size=1, max_size=8)


def rows(table: str, *given: dict[str, object]) -> pl.DataFrame:
    schema = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(schema) | row for row in given], schema, orient="row")


@given(KEYS)
def test_keys_keep_their_kind_their_number_and_their_order(keys: set[str]):
    new = renamed_keys(keys, SECRET)
    assert [key.rpartition(":")[0] for key in new] == [key.rpartition(":")[0] for key in new.values()]
    for kind in {key.rpartition(":")[0] for key in keys}:
        own = {old: fresh for old, fresh in new.items() if old.rpartition(":")[0] == kind}
        assert sorted(own.values()) == [own[old] for old in sorted(own)]
    assert not {*new.values()} & keys
    assert new == renamed_keys(keys, SECRET) != renamed_keys(keys, OTHER)


@given(st.sets(st.text(min_size=1, max_size=12), max_size=8))
def test_numbers_keep_their_order_and_equality(values: set[str]):
    new = renamed(values, SECRET)
    assert list(new) == sorted(values)
    assert list(new.values()) == sorted(set(new.values()))


@given(KEYS)
def test_the_id_that_a_key_gives_follows_its_new_name(keys: set[str]):
    new = renamed_keys(keys, SECRET)
    ids = renamed_ids(new, {})
    again = renamed_ids({fresh: fresh for fresh in new.values()}, {})
    assert set(ids.values()) == set(again)
    assert len(ids) == len(keys)


def test_a_key_that_was_parted_has_an_id_for_each_epoch():
    key = f"phone::{'a' * 64}"
    assert len(renamed_ids({key: f"phone::{'b' * 64}"}, {key: 3})) == 3


PHONE, MEMBER, FRIEND = f"phone::{'1' * 64}", f"member:brand:{'2' * 64}", f"member:brand:{'3' * 64}"
PERSON = Person(
    keys=frozenset({PHONE, MEMBER}), orders=frozenset({("till", "main", "77")}), numbers=frozenset({"77-1", "R9"})
)
NAMING = renaming_of(PERSON, SECRET)


def order(number: str, buyer: str | None, fen: int = 100) -> dict[str, object]:
    return {
        "channel": "till", "shop_id": "main", "order_id": number, "kind": "purchase", "buyer_key": buyer,
        "paid_fen": fen, "content_hash": f"h{number}", "known_from": AT, "paid_month": "2026-05",
    }  # fmt: skip


def test_an_order_loses_its_name_and_number_and_keeps_its_money():
    before = rows("orders", order("77", MEMBER, 500), order("78", FRIEND), order("771", None))
    after = erase(before, "orders", NAMING)
    assert after["paid_fen"].sum() == 700
    assert after.filter(order_id="78").equals(before.filter(order_id="78"))
    assert after.filter(order_id="771").equals(before.filter(order_id="771"))
    (ghost,) = after.filter(paid_fen=500).to_dicts()
    assert ghost["buyer_key"].startswith("member:brand:")
    text = str(ghost)
    assert not any(secret in text for secret in ("2" * 64, "'77'", "h77"))


def test_lines_and_refunds_follow_the_number_of_their_order():
    lines = rows("order_lines", {"channel": "till", "shop_id": "main", "order_id": "77", "line_id": "77-1"},
                 {"channel": "till", "shop_id": "other", "order_id": "77", "line_id": "77-1"})  # fmt: skip
    after = erase(lines.with_columns(content_hash=pl.lit("h")), "order_lines", NAMING)
    assert after.filter(shop_id="other")["line_id"].to_list() == ["77-1"]
    assert after.filter(shop_id="main")["order_id"].to_list() == [NAMING.numbers["77"]]
    assert after.filter(shop_id="main")["line_id"].to_list() == [NAMING.numbers["77-1"]]


def test_a_profile_keeps_nothing_that_describes():
    given = {"channel": "till", "shop_id": "main", "member_key": MEMBER, "gender": "female", "city": "上海",
             "joined_at": AT, "content_hash": "h"}  # fmt: skip
    (ghost,) = erase(rows("members", given), "members", NAMING).to_dicts()
    assert (ghost["gender"], ghost["city"], ghost["joined_at"]) == (None, None, None)


def test_sealed_contacts_go_and_those_of_others_stay():
    before = rows("contacts", {"pseudonym": "1" * 64, "contact_type": "phone"},
                  {"pseudonym": "3" * 64, "contact_type": "phone"})  # fmt: skip
    assert erase(before, "contacts", NAMING)["pseudonym"].to_list() == ["3" * 64]


def test_sightings_keep_key_and_record_together():
    seen = [("phone", PHONE), ("member", MEMBER)]
    before = rows("sightings", *({"key": key, "key_type": kind, "pseudonym": key.rpartition(":")[2],
                                  "record": "order:till:main:77", "seen_at": AT} for kind, key in seen),
                  {"key": FRIEND, "pseudonym": "3" * 64, "record": "order:till:main:78"})  # fmt: skip
    after = erase(before, "sightings", NAMING)
    ghosts = after.filter(pl.col("key") != FRIEND)
    assert ghosts["record"].unique().to_list() == [f"order:till:main:{NAMING.numbers['77']}"]
    assert all(key.endswith(pseudonym) for key, pseudonym in ghosts.select("key", "pseudonym").iter_rows())


def test_an_id_is_replaced_wherever_it_is_mentioned():
    mine = next(iter(renamed_ids({MEMBER: MEMBER}, {})))
    before = rows("audience_members", {"send_id": "v/c/2026-05-01", "one_id": "c_friend", "send_on": date(2026, 5, 1),
                                       "evidence": f"the contact is also that of {mine}"})  # fmt: skip
    assert touched(before, "audience_members", NAMING).to_list() == [True]
    (after,) = erase(before, "audience_members", NAMING).to_dicts()
    assert after["one_id"] == "c_friend"
    assert mine not in after["evidence"]


@given(st.sets(st.integers(1, 40), max_size=20), st.sets(st.integers(1, 40), max_size=20))
def test_numbers_as_received_are_found_in_what_is_left(erased: set[int], wanted: set[int]):
    left = [number for number in range(1, 61) if number not in erased]
    positions = as_left(wanted, erased)
    assert [left[position - 1] for position in positions] == sorted(wanted - erased)
    assert as_received(positions, erased) == sorted(wanted - erased)
