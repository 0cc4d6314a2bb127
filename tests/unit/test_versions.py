"""The current rows are the same whatever the order of arrival; twice is once; nothing is lost."""

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.versions import append_new, supersede
from tests.support.examples import examples

DAY = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = ("order_id",)
SCHEMA = {
    "order_id": pl.String, "status": pl.String, "exported_at": pl.Datetime("us", "UTC"),
    "known_from": pl.Datetime("us", "UTC"), "known_to": pl.Datetime("us", "UTC"),
    "file_sha256": pl.String, "content_hash": pl.String, "row_number": pl.Int64,
}  # fmt: skip


def at(day: int) -> datetime:
    return DAY + timedelta(days=day)


def rows(received: int, *versions: tuple[str, str, int]) -> pl.DataFrame:
    """Rows of one file: (order, status, exported day); the status is the whole content."""
    return pl.DataFrame(
        [
            (order, status, at(exported), at(received), None, f"file{received}", f"h-{status}", number)
            for number, (order, status, exported) in enumerate(versions, 1)
        ],
        SCHEMA,
        orient="row",
    )


def apply(table: pl.DataFrame, incoming: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """What the ingest step does with the result."""
    result = supersede(table, incoming, RECORD)
    version = [*RECORD, "content_hash", "known_from"]
    kept = table.join(result.changed.select(version), on=version, how="anti")
    return pl.concat(
        [kept, result.changed.select(kept.columns), result.added.select(kept.columns)]
    ), result.duplicates.height


EMPTY = pl.DataFrame(schema=SCHEMA).drop("row_number")


def current(table: pl.DataFrame) -> set[tuple[str, str, datetime]]:
    return set(table.filter(pl.col("known_to").is_null()).select("order_id", "status", "exported_at").iter_rows())


def test_a_newer_export_closes_the_older_version():
    table, _ = apply(EMPTY, rows(1, ("a", "paid", 1)))
    table, _ = apply(table, rows(2, ("a", "finished", 2)))
    assert table.select("status", "known_from", "known_to").sort("known_from").rows() == [
        ("paid", at(1), at(2)),
        ("finished", at(2), None),
    ]


def test_a_late_old_export_is_kept_but_never_current():
    table, _ = apply(EMPTY, rows(1, ("a", "finished", 2)))
    table, duplicates = apply(table, rows(5, ("a", "paid", 1)))
    assert duplicates == 0
    assert current(table) == {("a", "finished", at(2))}
    assert table.filter(status="paid").select("known_from", "known_to").row(0) == (at(5), at(5))


def test_the_same_content_again_is_a_duplicate_and_moves_the_export_forward():
    table, _ = apply(EMPTY, rows(1, ("a", "paid", 1)))
    table, duplicates = apply(table, rows(3, ("a", "paid", 3)))
    assert duplicates == 1
    assert current(table) == {("a", "paid", at(3))}
    assert table.height == 1


def test_equal_exports_are_decided_by_status():
    table, _ = apply(EMPTY, rows(1, ("a", "shipped", 1), ("a", "paid", 1)))
    assert current(table) == {("a", "shipped", at(1))}


def test_rows_that_never_change_are_added_once():
    first = append_new(EMPTY, rows(1, ("a", "paid", 1), ("a", "paid", 1)), RECORD)
    assert (first.added.height, first.duplicates.rows()) == (1, [("file1", 2)])
    again = append_new(first.added, rows(2, ("a", "paid", 1)), RECORD)
    assert (again.added.height, again.duplicates.height) == (0, 1)


version = st.tuples(st.sampled_from("ab"), st.sampled_from(["paid", "shipped", "closed"]), st.integers(1, 4))


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(st.lists(version, min_size=1, max_size=3), min_size=1, max_size=4))
def test_any_order_of_arrival_ends_in_the_same_current_rows_and_loses_nothing(files):
    ends = set()
    for order in itertools.permutations(files):
        table, seen = EMPTY, 0
        for received, content in enumerate(order, 10):
            before = table.height
            table, duplicates = apply(table, rows(received, *content))
            assert table.height - before + duplicates == len(content)
            seen += len(content)
        ends.add(frozenset(current(table)))
        assert table.filter(pl.col("known_to").is_null()).get_column("order_id").is_unique().all()
    assert len(ends) == 1


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(version, min_size=1, max_size=5))
def test_twice_is_once(content):
    once, _ = apply(EMPTY, rows(1, *content))
    twice, duplicates = apply(once, rows(2, *content))
    assert (twice.height, duplicates) == (once.height, len(content))
    assert current(twice) == current(once)


def refunds(received: int, *versions: tuple[str, str, int]) -> pl.DataFrame:
    """The same rows as refunds: each is dated by the export that shows it."""
    shown = pl.col("exported_at")
    return rows(received, *versions).with_columns(refunded_at=shown, refunded_on=shown.dt.date())


REFUNDS = refunds(1).drop("row_number")


def dated(table: pl.DataFrame) -> set[tuple[str, str, datetime]]:
    now = table.filter(pl.col("known_to").is_null())
    assert (now["refunded_at"].dt.date() == now["refunded_on"]).all()
    return set(now.select("order_id", "status", "refunded_at").iter_rows())


def test_a_refund_is_dated_by_the_first_export_that_shows_it_even_when_that_one_comes_last():
    table, _ = apply(REFUNDS, refunds(5, ("a", "paid", 3)))
    table, duplicates = apply(table, refunds(6, ("a", "paid", 1)))
    assert (dated(table), current(table), duplicates) == ({("a", "paid", at(1))}, {("a", "paid", at(3))}, 0)
    assert table.sort("known_from").select("refunded_at", "known_from", "known_to").rows() == [
        (at(3), at(5), at(6)),
        (at(1), at(6), None),
    ]


def test_two_exports_in_one_batch_date_a_refund_by_the_older():
    table, _ = apply(REFUNDS, refunds(5, ("a", "paid", 3), ("a", "paid", 1)))
    assert (dated(table), table.height) == ({("a", "paid", at(1))}, 1)


def test_two_batches_of_one_instant_leave_one_version():
    table, _ = apply(REFUNDS, refunds(5, ("a", "paid", 3)))
    table, _ = apply(table, refunds(5, ("a", "paid", 1)))
    assert (dated(table), table.height) == ({("a", "paid", at(1))}, 1)


def test_a_refund_without_a_date_is_known_when_it_comes_again():
    asked = refunds(5, ("a", "paid", 3)).with_columns(refunded_at=pl.lit(None, pl.Datetime("us", "UTC")))
    table, _ = apply(REFUNDS, asked)
    table, duplicates = apply(table, asked.with_columns(known_from=pl.lit(at(6))))
    assert (table.height, duplicates) == (1, 1)


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(st.lists(version, min_size=1, max_size=3), min_size=1, max_size=4))
def test_any_order_of_arrival_ends_in_the_same_dates(files):
    ends = set()
    for order in itertools.permutations(files):
        table = REFUNDS
        for received, content in enumerate(order, 10):
            table, _ = apply(table, refunds(received, *content))
        ends.add(frozenset(dated(table)))
        assert table.select("order_id", "content_hash", "known_from").is_unique().all()
    assert len(ends) == 1
