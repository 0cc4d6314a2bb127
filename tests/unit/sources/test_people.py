"""Who a record is about: keys, records, consents and hashed ids, on frames of three rows."""

from datetime import datetime
from typing import Any

import polars as pl

from expectations.vocabulary import INSTANT
from tasks.sources.consents import consents_said
from tasks.sources.layouts import Layout
from tasks.sources.people import CONTACTS, Naming, contact_values, keys_seen, name_people
from tests.unit.sources.reading import legible, utc

EXPORT = pl.lit(utc("2026-06-03T00:00")).cast(INSTANT)
AT = utc("2026-05-01T00:00")
EVENTS: dict[str, Any] = {
    "name": "made_up", "channel": "shop", "about": "a test", "grain": "event",
    "columns": {name: {"header": name} for name in ("user", "cookie", "phone", "happened_at", "said")},
    "hashed": {"event_id": ["user", "happened_at"]},
    "keys": [
        {"type": "user_id", "scope": "{shop}", "column": "user", "role": "identity", "evidence": 2},
        {"type": "phone", "column": "phone", "role": "identity", "evidence": 2},
        {"type": "anonymous_id", "scope": "{channel}:{shop}", "column": "cookie", "role": "contact", "evidence": 2},
    ],
    "contacts": [{"type": "phone", "column": "phone"}],
    "consents": [{"key": "phone", "touch_channel": "sms", "column": "said"}],
}  # fmt: skip


def naming(**changes: Any) -> Naming:
    return Naming(Layout.model_validate(EVENTS | changes), "shop", "main", legible)


def people(*rows: tuple[str | None, ...], at: datetime = AT) -> pl.DataFrame:
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(("user", "cookie", "phone", "said"), pl.String), orient="row")
    return frame.with_row_index("row_number", offset=1).with_columns(
        pl.col("row_number").cast(pl.Int64), happened_at=pl.lit(at).cast(INSTANT)
    )


def test_the_strongest_key_names_the_person_and_a_cookie_names_nobody():
    named = people(("U1", "c1", "13900000202", None), (None, "c1", "13900000202", None), (None, "c1", None, None)).pipe(
        name_people, naming()
    )
    assert named["customer_key"].to_list() == ["user_id:main:<U1>", "phone::<13900000202>", None]


def test_every_key_of_a_record_is_seen_on_that_record():
    named = people(("U1", "c1", None, None), (None, "c1", None, None)).pipe(name_people, naming())
    seen = keys_seen(named, naming(), EXPORT)
    assert seen.select("row_number", "key", "key_role").sort("row_number", "key").rows() == [
        (1, "anonymous_id:shop:main:<c1>", "contact"), (1, "user_id:main:<U1>", "identity"),
        (2, "anonymous_id:shop:main:<c1>", "contact"),
    ]  # fmt: skip
    assert seen.group_by("row_number").agg(pl.col("record").n_unique())["record"].to_list() == [1, 1]


def test_a_hashed_id_is_the_same_for_the_same_record_and_another_for_another():
    row = ("U1", "c1", None, None)
    ids = [people(row, at=at).pipe(name_people, naming())["event_id"][0] for at in (AT, AT, utc("2026-05-01T00:00:01"))]
    assert (ids[0] == ids[1], ids[0] == ids[2]) == (True, False)


def test_an_undated_yes_is_the_weakest_word_and_an_undated_no_holds_from_the_export():
    named = people(("U1", None, "13900000202", "granted"), ("U2", None, "13800000101", "withdrawn")).pipe(
        name_people, naming()
    )
    assert consents_said(named, naming(), EXPORT).select("subject", "decision", "decided_at").rows() == [
        ("phone::<13900000202>", "granted", utc("2000-01-01T00:00")),
        ("phone::<13800000101>", "withdrawn", utc("2026-06-03T00:00")),
    ]


def test_a_no_of_someone_whose_phone_cannot_be_read_is_kept_on_the_person():
    """The same yes allows nothing: nobody knows whom it lets us write to."""
    named = people(
        ("U1", None, None, "withdrawn"), ("U2", None, None, "granted"), (None, None, None, "withdrawn")
    ).pipe(name_people, naming())
    assert consents_said(named, naming(), EXPORT)["subject"].to_list() == ["user_id:main:<U1>"]


def test_plaintext_leaves_in_the_contacts_alone():
    named = people(("U1", "c1", "13900000202", None)).pipe(name_people, naming())
    contacts = contact_values(named, keys_seen(named, naming(), EXPORT), naming())
    assert contacts.columns == CONTACTS.names()
    assert contacts.rows() == [("<13900000202>", "phone", "13900000202", 1)]


def test_a_profile_that_names_nobody_is_a_record_on_which_its_contacts_are_seen():
    """No identity key: nothing that could become a customer."""
    nobody = naming(
        grain="follow", hashed={}, consents=[],
        keys=[{"type": "phone", "column": "phone", "role": "contact", "evidence": 4}],
        record_key={"type": "made_up_record", "scope": "{shop}", "columns": ["user"]},
    )  # fmt: skip
    named = people(("小鹿", None, "13900000202", None), (None, None, "13800000101", None)).pipe(name_people, nobody)
    assert named["customer_key"].to_list() == ["made_up_record:main:<小鹿>", None]
    assert keys_seen(named, nobody, EXPORT).select("record", "key", "key_role").rows() == [
        ("member:shop:<小鹿>", "phone::<13900000202>", "contact")
    ]
