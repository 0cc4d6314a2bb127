"""Whose row is it, in every stretch of a number's life."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.transforms.identity import with_owner


def day(number: int | None) -> datetime | None:
    return None if number is None else datetime(2026, 1, number, tzinfo=UTC)


def identities(*stretches: tuple[str, str, int | None, int | None]) -> pl.LazyFrame:
    made = [
        {"key": key, "one_id": one_id, "valid_from": day(since), "valid_to": day(until)}
        for key, one_id, since, until in stretches
    ]
    return pl.DataFrame(made, schema=TABLES["identities"].schema, orient="row").lazy()


def owners(names: pl.LazyFrame, *rows: tuple[str | None, int | None]) -> list[str | None]:
    seen = pl.LazyFrame(
        [(place, key, day(at)) for place, (key, at) in enumerate(rows)],
        schema={"place": pl.Int64, "buyer": pl.String, "at": TABLES["identities"].schema["valid_from"]}, orient="row",
    )  # fmt: skip
    return with_owner(seen, names, key="buyer", at="at").sort("place").collect()["one_id"].to_list()


def test_a_number_is_its_owner_s_of_that_time_and_nobody_s_between():
    names = identities(
        ("phone::a", "first", None, 5), ("phone::a", "second", 9, None), ("member:m", "other", None, None)
    )
    rows = [("phone::a", 4), ("phone::a", 5), ("phone::a", 9), ("member:m", 5), ("member:x", 5), (None, 5)]
    assert owners(names, *rows) == ["first", None, "second", "other", None, None]


def test_a_row_without_a_time_takes_the_earliest_stretch():
    names = identities(("phone::a", "first", None, 5), ("phone::a", "second", 5, None), ("phone::b", "late", 3, None))
    assert owners(names, ("phone::a", None), ("phone::b", None), ("phone::b", 2)) == ["first", None, None]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 28), min_size=1, max_size=5, unique=True).map(sorted),
    st.sets(st.integers(0, 4), max_size=3),
    st.lists(st.tuples(st.sampled_from(["phone::a", "none"]), st.integers(1, 28)), max_size=8),
)
def test_every_row_stays_and_has_at_most_one_owner(bounds, missing, rows):
    spans = list(zip([None, *bounds], [*bounds, None], strict=True))
    held = [(f"owner {n}", since, until) for n, (since, until) in enumerate(spans) if n not in missing]
    told = [
        next((name for name, a, b in held if key != "none" and (a is None or a <= at) and (b is None or at < b)), None)
        for key, at in rows
    ]
    assert owners(identities(*(("phone::a", *stretch) for stretch in held)), *rows) == told
