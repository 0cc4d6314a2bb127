"""Pseudonyms equal Python's own HMAC; sealed values open for their person alone; injured ones never open."""

import hashlib
import hmac
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.errors import DamagedError, SecurityRefusedError
from tasks.settings import Settings
from tasks.stores.access_log import Purpose
from tasks.stores.keys import KeyRing, open_key_ring
from tasks.stores.objects import Objects, open_objects
from tasks.stores.opener import Opener
from tasks.stores.vault import Pseudonymiser, Sealer

RING = open_key_ring("demo_cn", "demo-1")
OTHER = open_key_ring("acme", "acme-1", bytes(range(7, 39)).hex())
COLUMNS = ("pseudonym", "contact_type")
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def pseudonym(key_type: str, key_scope: str, value: str | None, ring: KeyRing = RING) -> str | None:
    frame = pl.DataFrame({"value": [value]}, schema={"value": pl.String})
    return frame.select(Pseudonymiser.of(ring)(key_type, key_scope, pl.col("value"))).item()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return open_objects(str(tmp_path_factory.mktemp("lake")), Settings())


def opened(sealed: pl.DataFrame, log: Objects, ring: KeyRing = RING, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    purpose = Purpose(role="delivery", what="send of a test", contact_type="*", most=sealed.height)
    return Opener(ring, log, purpose).contacts(sealed, columns)


def seal(frame: pl.DataFrame, ring: KeyRing) -> pl.DataFrame:
    return Sealer.of(ring).seal(frame)


def contacts(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["pseudonym", "contact_type", "value"], orient="row")


@given(key_type=text, key_scope=text, value=text)
def test_a_pseudonym_is_pythons_hmac(key_type: str, key_scope: str, value: str) -> None:
    named = f"{key_type}\x1f{key_scope}\x1f{value}".encode()
    secret = RING.pseudonym[0].secret.encode()
    assert pseudonym(key_type, key_scope, value) == hmac.digest(secret, named, hashlib.sha256).hex()


def test_a_pseudonym_depends_on_type_scope_value_and_key() -> None:
    seen = {
        pseudonym("phone", "", "13900000000"),
        pseudonym("member", "", "13900000000"),
        pseudonym("phone", "taobao", "13900000000"),
        pseudonym("phone", "", "13900000001"),
        pseudonym("phone", "", "13900000000", OTHER),
    }
    assert len(seen) == 5


def test_no_value_has_no_pseudonym() -> None:
    assert pseudonym("phone", "", None) is None


def test_a_query_plan_does_not_show_the_key() -> None:
    query = pl.LazyFrame({"value": ["x"]}).select(Pseudonymiser.of(RING)("phone", "", pl.col("value")))
    assert RING.pseudonym[0].secret not in query.explain() + repr(query)


def test_sealing_gives_the_columns_of_the_contacts_table() -> None:
    sealed = seal(contacts(("a", "phone", "13900000000"), ("b", "phone", None)), RING)
    assert sealed.columns == ["pseudonym", "contact_type", "nonce", "ciphertext", "key_id"]
    assert sealed.schema.items() <= TABLES["contacts"].schema.items()
    assert sealed["pseudonym"].to_list() == ["a"]
    assert b"13900000000" not in sealed["ciphertext"][0]


def test_the_same_value_is_sealed_differently_each_time() -> None:
    sealed = seal(contacts(("a", "phone", "13900000000"), ("a", "phone", "13900000000")), RING)
    assert sealed["nonce"].n_unique() == 2
    assert sealed["ciphertext"].n_unique() == 2


@given(rows=st.lists(st.tuples(text, st.sampled_from(["phone", "email", "name"]), text), max_size=5))
def test_what_was_sealed_opens_again(rows: list[tuple[str, str, str]], log: Objects) -> None:
    frame = pl.DataFrame(
        rows, schema={"pseudonym": pl.String, "contact_type": pl.String, "value": pl.String}, orient="row"
    )
    assert opened(seal(frame, RING), log).equals(frame)


def test_opening_keeps_the_columns_asked_for_and_those_without_a_contact(log: Objects) -> None:
    sealed = seal(contacts(("a", "phone", "13900000000")), RING)
    people = pl.DataFrame({"pseudonym": ["a", "b"], "one_id": ["c1", "c2"]})
    told = people.join(sealed, on="pseudonym", how="left").pipe(opened, log, columns=("one_id",))
    assert told.rows() == [("c1", "13900000000"), ("c2", None)]


def test_another_key_is_refused(log: Objects) -> None:
    with pytest.raises(SecurityRefusedError, match="sealed with demo-1, not with acme-1"):
        opened(seal(contacts(("a", "phone", "13900000000")), RING), log, OTHER)


@pytest.mark.parametrize(
    "injury",
    [
        pl.lit("b").alias("pseudonym"),
        pl.lit("email").alias("contact_type"),
        pl.lit(b"123456789012").alias("nonce"),
        pl.lit(b"").alias("nonce"),
        pl.lit(b"short").alias("ciphertext"),
        pl.lit(b"x" * 27).alias("ciphertext"),
    ],
)
def test_an_injured_or_moved_value_does_not_open(injury: pl.Expr, log: Objects) -> None:
    sealed = seal(contacts(("a", "phone", "13900000000")), RING).with_columns(injury)
    with pytest.raises(DamagedError) as damage:
        opened(sealed, log)
    assert "13900000000" not in str(damage.value)
