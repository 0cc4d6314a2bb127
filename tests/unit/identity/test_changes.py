"""What is written down of ids that moved between two dates."""

from datetime import UTC, date, datetime

import polars as pl

from expectations.tables import TABLES
from tasks.transforms.identity import changes_between

AS_OF = date(2026, 3, 31)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def identities(*rows: tuple[str, str, str]) -> pl.LazyFrame:
    """Rows of (key, its own id, its person's id); `key#2` is a second epoch, since March."""
    made = []
    for key, own, one in rows:
        name, _, epoch = key.partition("#")
        since = MARCH if epoch else None
        made.append({"key": name, "epoch": int(epoch or 1), "own_id": own, "one_id": one, "valid_from": since})
    return pl.DataFrame(made, schema=TABLES["identities"].schema, orient="row").lazy()


def changes(before: pl.LazyFrame, after: pl.LazyFrame) -> list[tuple[object, ...]]:
    found = changes_between(before, after, AS_OF).collect()
    assert found.schema == TABLES["identity_changes"].schema
    return found.select("old_id", "new_id", "change", "keys").rows()


def test_nothing_moves_where_ids_stay_and_new_keys_join():
    before = identities(("m", "A", "A"))
    assert changes(before, identities(("m", "A", "A"), ("p", "B", "A"))) == []


def test_a_joined_person_is_merged_into_the_other():
    before = identities(("m", "A", "A"), ("n", "B", "B"), ("p", "C", "B"))
    assert changes(before, identities(("m", "A", "A"), ("n", "B", "A"), ("p", "C", "A"))) == [
        ("B", "A", "merged_into", 2)
    ]


def test_a_divided_person_keeps_its_id_on_one_side():
    before = identities(("m", "A", "A"), ("n", "B", "A"))
    assert changes(before, identities(("m", "A", "A"), ("n", "B", "B"))) == [("A", "B", "split_from", 1)]


def test_a_key_that_changes_sides_has_moved():
    before = identities(("m", "A", "A"), ("p", "C", "A"), ("n", "B", "B"))
    assert changes(before, identities(("m", "A", "A"), ("p", "C", "B"), ("n", "B", "B"))) == [("A", "B", "moved", 1)]


def test_a_number_with_a_new_owner_comes_out_of_the_old_one():
    before = identities(("m", "A", "A"), ("p", "C", "A"))
    after = identities(("m", "A", "A"), ("p", "C", "A"), ("p#2", "D", "D"))
    assert changes(before, after) == [("A", "D", "split_from", 1)]


def test_a_person_whose_keys_are_nobody_s_now_is_dissolved():
    assert changes(identities(("p", "C", "C"), ("m", "A", "A")), identities(("m", "A", "A"))) == [
        ("C", "C", "dissolved", 1)
    ]
