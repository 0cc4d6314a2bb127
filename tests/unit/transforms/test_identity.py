"""One key, one person; the id is the hash that algorithms §7.7 names."""

from base64 import b32encode
from datetime import UTC, date, datetime
from hashlib import sha256

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.identity import one_id_of, resolve
from tests.unit.transforms import builders

EARLY, LATE = datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 3, 31, 17, tzinfo=UTC)
END = date(2026, 3, 31)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_the_id_is_lower_base32_of_the_hash(texts: list[str]):
    ids = pl.LazyFrame({"text": texts}).select(one_id_of(pl.col("text"))).collect().to_series()
    assert ids.to_list() == [
        "c_" + b32encode(sha256(text.encode()).digest()).decode().lower()[:16] for text in texts
    ]  # fmt: skip


def test_a_key_is_first_seen_at_its_least_instant_and_named_by_type_scope_and_pseudonym():
    seen = builders.sightings(("ab12", LATE), ("ab12", EARLY))
    row = identities(seen, "America/New_York").row(0, named=True)
    anchor = sha256(b"member\x1fshop\x1fab12").digest()
    assert row["one_id"] == "c_" + b32encode(anchor).decode().lower()[:16]
    assert (row["key"], row["first_seen_at"], row["as_of"]) == ("member:shop:ab12", EARLY, END)


def identities(seen: pl.LazyFrame, zone: str = "UTC") -> pl.DataFrame:
    rules = builders.demo_policy().identity
    return resolve(seen, builders.rows("identity_links"), rules, as_of=END, zone=zone).identities.collect()


def test_the_day_ends_in_the_business_zone():
    seen = builders.sightings(("ab12", LATE))
    assert identities(seen, "Asia/Shanghai").height == 0
    assert identities(seen, "America/New_York").height == 1


def test_a_contact_key_defines_nobody():
    assert identities(builders.sightings(("ab12", EARLY), role="contact")).height == 0


def test_keys_on_one_record_are_one_person_named_by_the_stronger():
    common = {"key_scope": "corp", "key_role": "identity", "evidence_rank": 2, "seen_at": EARLY, "record": "r1"}
    strong = {"key": "unionid:corp:u", "key_type": "unionid", "pseudonym": "u", **common}
    linking = {"key": "phone:corp:e", "key_type": "phone", "pseudonym": "e", **common}
    found = identities(builders.rows("sightings", linking, strong))
    named = dict(found.select("key", "own_id").iter_rows())
    assert found["one_id"].to_list() == [named["unionid:corp:u"]] * 2
