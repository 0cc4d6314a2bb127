"""A re-key renames everybody alike, changes nothing else, and leads from old names to new ones."""

import hashlib
import hmac
from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from expectations.tables import TABLES
from expectations.vocabulary import VOCABULARY
from tasks.stores.ring import Key, new_key
from tasks.stores.vault import Pseudonymiser
from tasks.stores.vault import renamed as under
from tasks.transforms.identity.ids import one_id_of
from tasks.transforms.rekey import HEX, IDS, KEYS, Names, new_ids, printed, renamed

NEW = Key(id="acme-1.new", secret=bytes(range(90, 122)).hex())
OLD = "a" * 64
hexes = st.text("0123456789abcdef", min_size=64, max_size=64)


def rename(expr: pl.Expr) -> pl.Expr:
    return under(expr, (NEW.secret,))


def again(pseudonym: str) -> str:
    """Python's own HMAC, the oracle."""
    return hmac.digest(NEW.secret.encode(), pseudonym.encode(), hashlib.sha256).hex()


def one_id(key_type: str, scope: str, pseudonym: str) -> str:
    return pl.select(one_id_of(pl.lit(f"{key_type}\x1f{scope}\x1f{pseudonym}"))).item()


def names(*hashed: tuple[str, str], ids: pl.DataFrame | None = None) -> Names:
    none = pl.DataFrame(schema={"old": pl.String, "new": pl.String})
    return Names(rename, none if ids is None else ids, {name: frozenset({channel}) for name, channel in hashed})


def test_every_column_that_names_people_is_renamed_in_one_way():
    """A column that is declared as a pseudonym and that nobody told this code of would keep its old names."""
    declared = {name for name, column in VOCABULARY.items() if column.pii == "pseudonym"}
    assert {*HEX, *IDS, *KEYS} == declared
    assert len(HEX) + len(IDS) + len(KEYS) == len(declared)


@given(
    head=st.sampled_from(["phone::", "member:complete_journey:", "user_id:a:b:"]),
    old=hexes,
    tail=st.sampled_from(["", "#2", "#17"]),
)
def test_a_printed_key_keeps_type_scope_and_epoch(head: str, old: str, tail: str):
    frame = pl.DataFrame({"key": [f"{head}{old}{tail}", None, "anonymous"]})
    told = frame.select(printed(pl.col("key"), names()))["key"].to_list()
    assert told == [f"{head}{again(old)}{tail}", None, "anonymous"]


def test_an_old_id_leads_to_the_id_of_the_renamed_key():
    keys = pl.DataFrame({"key_type": ["phone"], "key_scope": [""], "pseudonym": [OLD], "epochs": [2]})
    ids = dict(new_ids(keys, rename).iter_rows())
    assert ids == {
        one_id("phone", "", OLD): one_id("phone", "", again(OLD)),
        one_id("phone", "", f"{OLD}#2"): one_id("phone", "", f"{again(OLD)}#2"),
    }


def test_ids_that_no_key_gives_any_more_are_renamed_all_the_same():
    rows = pl.DataFrame({"one_id": ["c_" + "a" * 16]})
    (new,) = renamed(rows, "customers", names())["one_id"]
    assert new.startswith("c_")
    assert new != "c_" + "a" * 16


def test_records_and_numbers_are_renamed_where_they_are_hashes_of_content():
    records = [f"member:youzan:{OLD}", f"event:ga4:{OLD}", f"event:jd:{OLD}", f"order:jd:shop:{OLD}", "order:jd:s:1"]
    rows = pl.DataFrame({"record": records})
    told = renamed(rows.with_columns(key=None, pseudonym=None).cast(pl.String), "sightings", names(("event_id", "ga4")))
    assert told["record"].to_list() == [
        f"member:youzan:{again(OLD)}", f"event:ga4:{again(OLD)}", f"event:jd:{OLD}", f"order:jd:shop:{OLD}",
        "order:jd:s:1",
    ]  # fmt: skip


def test_a_reason_that_names_another_customer_names_them_anew():
    keys = pl.DataFrame({"key_type": ["phone"], "key_scope": [""], "pseudonym": [OLD], "epochs": [1]})
    ids = new_ids(keys, rename)
    row = dict.fromkeys(TABLES["audience_members"].columns) | {
        "evidence": f"the contact is also that of {ids['old'][0]}"
    }
    rows = pl.DataFrame([row], TABLES["audience_members"].schema)
    assert (
        renamed(rows, "audience_members", names(ids=ids))["evidence"].item()
        == f"the contact is also that of {ids['new'][0]}"
    )


@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_what_an_ingest_names_after_a_re_key_is_what_the_re_key_renamed(value: str):
    """The chain: pseudonym under both keys = the old pseudonym under the new key."""
    first = Key(id="acme-1.old", secret=bytes(range(7, 39)).hex())
    frame = pl.DataFrame({"value": [value]}, {"value": pl.String})
    before = frame.select(Pseudonymiser(first.id, (first.secret,))("phone", "", pl.col("value"))).item()
    after = frame.select(Pseudonymiser(NEW.id, (first.secret, NEW.secret))("phone", "", pl.col("value"))).item()
    assert after == again(before)


def test_a_new_key_is_random_and_has_a_fingerprint():
    keys = [new_key("acme-1", date(2026, 11, 1)) for _ in range(3)]
    assert len({key.secret for key in keys}) == len({key.id for key in keys}) == 3
    assert all(key.id.startswith("acme-1.") for key in keys)
