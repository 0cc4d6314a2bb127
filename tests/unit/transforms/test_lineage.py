"""Old ids lead to whom they are now, and of several who became one exactly one goes on."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.lineage import aliases, follow, heirs, inherit, under_old_ids
from tasks.transforms.migration import DIMENSIONS, MERGED_INTO, SPLIT_FROM, trace_moves
from tests.support.examples import examples

FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)
NAMES = pl.LazyFrame({"one_id": ["a", "a", "c", "x"], "old_id": ["a", "b", "c", "y"]})
"""b was merged into a, c is who c was, y and z are x; nobody knows g any more."""


def names_of(now: Mapping[str, str]) -> pl.LazyFrame:
    return pl.LazyFrame(list(now.items()), {"old_id": pl.String, "one_id": pl.String}, orient="row")


def before(*seen: tuple[str, int]) -> pl.LazyFrame:
    """Customers of the date before, first seen on these days of January, all of one tier."""
    rows = [(one_id, datetime(2026, 1, day, tzinfo=UTC)) for one_id, day in seen]
    frame = pl.LazyFrame(rows, {"one_id": pl.String, "first_seen_at": pl.Datetime("us", "UTC")}, orient="row")
    return frame.with_columns(tier=pl.lit("gold"), segment=pl.lit("s"), stage=pl.lit("t"), monetary_fen=pl.lit(70))


def test_every_own_id_of_a_key_leads_to_its_customer():
    identities = pl.LazyFrame({"one_id": ["a", "a", "c"], "own_id": ["a", "b", "c"]})
    assert sorted(aliases(identities).select("old_id", "one_id").collect().rows()) == [
        ("a", "a"), ("b", "a"), ("c", "c"),
    ]  # fmt: skip


def test_a_stored_id_is_read_as_the_customer_of_today():
    rows = pl.LazyFrame({"n": [1, 2, 3, 4], "one_id": ["b", "a", "unheard", None]})
    assert follow(rows, NAMES).collect()["one_id"].to_list() == ["a", "a", "unheard", None]


def test_what_is_known_of_a_customer_is_told_under_the_old_ids_asked_for_too():
    known = pl.LazyFrame({"one_id": ["a", "c"], "n": [1, 2]})
    asked = pl.LazyFrame({"one_id": ["b", "c"]})
    assert sorted(under_old_ids(known, NAMES, asked).collect().rows()) == [("a", 1), ("b", 1), ("c", 2)]


def test_who_kept_the_id_goes_on_else_who_was_seen_first():
    names = names_of({"a": "a", "b": "a", "y": "x", "z": "x", "w": "x"})
    told = heirs(before(("a", 9), ("b", 1), ("y", 3), ("z", 3), ("w", 5), ("g", 1)), names).collect()
    assert dict(told.select("one_id", "is_heir").iter_rows()) == {
        "a": True, "b": False, "y": True, "z": False, "w": False, "g": False,
    }  # fmt: skip


def test_a_state_is_inherited_under_the_present_id():
    assert inherit(before(("y", 3), ("z", 4)), names_of({"y": "x", "z": "x"})).collect()["one_id"].to_list() == ["x"]


def test_moves_tell_merged_from_gone_and_split_from_new():
    now = before(("a", 1), ("new", 1), ("part", 1)).with_columns(tier=pl.lit("base"))
    changes = pl.LazyFrame({"old_id": ["b", "a"], "new_id": ["a", "part"], "change": ["merged_into", "split_from"]})
    names = names_of({"a": "a", "b": "a", "new": "new", "part": "part"})
    moves = trace_moves(
        before(("a", 1), ("b", 1), ("gone", 1)), now, FEBRUARY, MARCH, names=names, changes=changes
    ).collect()
    assert moves.filter(dimension="tier").select("one_id", "from_code", "to_code").rows() == [
        ("a", "gold", "base"), ("b", "gold", MERGED_INTO), ("gone", "gold", "LEFT"),
        ("new", "ENTERED", "base"), ("part", SPLIT_FROM, "base"),
    ]  # fmt: skip


ID = st.sampled_from("abcdef")


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(ID, st.integers(1, 9), min_size=1), st.dictionaries(ID, ID), st.sets(ID))
def test_whatever_merges_every_customer_of_both_dates_is_in_the_matrix_once(
    first: Mapping[str, int], chosen: Mapping[str, str], fresh: set[str]
):
    """An id that is somebody's today is its own alias, so every target of `chosen` keeps its id."""
    now = {old: new for old, new in chosen.items() if old not in chosen.values()}
    now |= {new: new for new in {*now.values(), *fresh} if new not in now}
    people = sorted(set(now.values()))
    after = before(*((one_id, 1) for one_id in people))
    moves = trace_moves(before(*first.items()), after, FEBRUARY, MARCH, names=names_of(now)).collect()
    for dimension in DIMENSIONS:
        one = moves.filter(dimension=dimension)
        assert one.filter(pl.col("from_code") != "ENTERED").height == len(first)
        assert sorted(one.filter(~pl.col("to_code").is_in(["LEFT", MERGED_INTO]))["one_id"]) == people
