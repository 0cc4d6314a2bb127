"""Overlapping exports of one shop, in any order and split over calls in any way, against brute force in Python."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.sources.spill import waiting
from tasks.transforms.versions import supersede
from tests.support.examples import examples
from tests.support.exports import Seen, current, expected, written

RECORD = ("channel", "shop_id", "order_id")
FORWARD = ("paid", "shipped", "finished", "closed")


def table_after(calls: Sequence[Sequence[Sequence[Seen]]]) -> tuple[pl.DataFrame, int]:
    """The orders after each call took its files in, and the rows that said nothing new."""
    table, repeated = TABLES["orders"].schema.to_frame(), 0
    with TemporaryDirectory() as folder:
        for received, files in enumerate(calls, 1):
            rows = [written(Path(folder), file, f"{received}-{n}", received) for n, file in enumerate(files)]
            incoming = waiting(rows).select(*table.columns, "row_number").collect()
            result = supersede(table, incoming, RECORD)
            version = [*RECORD, "content_hash", "known_from"]
            kept = table.join(result.changed.select(version), on=version, how="anti")
            table = pl.concat([kept, *(rows.select(table.columns) for rows in (result.changed, result.added))])
            repeated += result.duplicates.height
    return table, repeated


@st.composite
def histories(draw: st.DrawFn) -> list[list[Seen]]:
    """Exports of a few orders whose statuses mostly move forward; ties of export, orders twice in a file, old news."""
    files = []
    for _ in range(draw(st.integers(1, 5))):
        exported = draw(st.integers(1, 4))
        rows = draw(
            st.lists(
                st.builds(
                    Seen,
                    order=st.integers(1, 3),
                    status=st.sampled_from([*FORWARD[: exported + 1], "closed"]),
                    exported=st.just(exported),
                    modified=st.sampled_from([None, 1, 2]),
                    paid_fen=st.sampled_from([100, 200]),
                    month=st.sampled_from(["2026-01", "2026-02", None]),
                ),
                min_size=1,
                max_size=4,
            )
        )
        files.append(rows)
    return files


@settings(max_examples=examples(50))
@given(histories(), st.data())
def test_current_rows_are_those_of_brute_force_whatever_arrives_when(files: list[list[Seen]], data: st.DataObject):
    arriving = data.draw(st.permutations(files))
    ends = data.draw(st.sets(st.integers(1, len(files)))) | {len(files)}
    calls = [arriving[start:end] for start, end in zip([0, *sorted(ends)], sorted(ends), strict=False)]
    table, repeated = table_after(calls)
    assert current(table) == expected(files)
    assert table.height + repeated == sum(map(len, files))


@settings(max_examples=examples(20))
@given(histories())
def test_everything_once_more_changes_nothing(files: list[list[Seen]]):
    once, _ = table_after([files])
    twice, repeated = table_after([files, files])
    assert twice.sort(twice.columns).equals(once.sort(once.columns))
    assert repeated == 2 * sum(map(len, files)) - once.height


@settings(max_examples=examples(20))
@given(histories())
def test_versions_of_an_order_never_overlap_in_time(files: list[list[Seen]]):
    table, _ = table_after([[file] for file in files])
    lasting = table.filter(pl.col("known_to").is_null() | (pl.col("known_to") > pl.col("known_from")))
    spans = lasting.sort("order_id", "known_from").with_columns(next=pl.col("known_from").shift(-1).over("order_id"))
    assert spans.filter(pl.col("next").is_not_null() & (pl.col("known_to") != pl.col("next"))).is_empty()
