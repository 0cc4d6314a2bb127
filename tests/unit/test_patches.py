"""Exports with different columns: each column has the word of the newest export that says it, whatever arrives when."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.sources.canonical import content_hash_of
from tasks.transforms.versions import supersede
from tests.support.examples import examples

RECORD = ["channel", "shop_id", "order_id"]
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
CHOSEN = ("buyer_key", "coupon_fen", "freight_fen", "modified_at", "refunded_fen")
"""Columns that the exports of this page may leave out."""
HASH = content_hash_of("orders")


class Told(NamedTuple):
    """What one export says of an order; columns that are not in `says` are not in the file."""

    hour: int
    status: str
    says: dict[str, Any]

    def row(self, received: int) -> dict[str, Any]:
        at = NEW_YEAR + timedelta(hours=self.hour)
        missing = sorted({*CHOSEN} - {*self.says})
        return dict.fromkeys(TABLES["orders"].columns) | {
            "channel": "taobao", "shop_id": "main", "order_id": "1", "kind": "purchase", "ordered_at": NEW_YEAR,
            "status": self.status, "currency": "CNY", "gross_fen": 100, "paid_fen": 100, "refunded_fen": 0,
            "exported_at": at, "known_from": NEW_YEAR + timedelta(days=received), "file_sha256": f"file{received}",
            "unsaid": ";".join(missing) or None, **self.says,
        }  # fmt: skip


def rows(received: int, *told: Told) -> pl.DataFrame:
    schema = TABLES["orders"].schema
    frame = pl.DataFrame([one.row(received) for one in told], schema).with_columns(HASH)
    return frame.with_row_index("row_number", 1).with_columns(pl.col("row_number").cast(pl.Int64))


def after(*batches: list[Told]) -> tuple[pl.DataFrame, list[int]]:
    """The table when these batches have arrived, and the rows of each that said nothing new."""
    table, repeated = TABLES["orders"].schema.to_frame(), []
    for received, told in enumerate(batches, 1):
        result = supersede(table, rows(received, *told), RECORD, HASH)
        version = [*RECORD, "content_hash", "known_from"]
        kept = table.join(result.changed.select(version), on=version, how="anti")
        table = pl.concat([kept, *(part.select(table.columns) for part in (result.changed, result.added))])
        repeated.append(result.duplicates.height)
    return table, repeated


def current(table: pl.DataFrame) -> dict[str, Any]:
    return table.filter(pl.col("known_to").is_null()).drop("known_from", "file_sha256").row(0, named=True)


def by_hand(told: list[Told]) -> dict[str, Any]:
    """Brute force: column by column, the word of the newest export that has the column."""
    ordered = sorted(told, key=lambda one: one.hour)
    said = {name: next((one.says[name] for one in reversed(ordered) if name in one.says), None) for name in CHOSEN}
    return said | {"refunded_fen": said["refunded_fen"] or 0, "status": ordered[-1].status}


FULL = {"buyer_key": "nick:taobao:a", "coupon_fen": 5, "freight_fen": 8, "modified_at": NEW_YEAR, "refunded_fen": 0}


def test_a_column_that_the_later_file_lacks_keeps_its_value_and_an_empty_one_is_empty():
    table, _ = after([Told(1, "paid", FULL)], [Told(2, "finished", {"coupon_fen": None})])
    assert table.height == 2
    now = current(table)
    assert (now["status"], now["buyer_key"], now["freight_fen"], now["coupon_fen"]) == (
        "finished", "nick:taobao:a", 8, None,
    )  # fmt: skip
    before = table.filter(pl.col("known_to").is_not_null()).row(0, named=True)
    assert (before["coupon_fen"], before["known_to"]) == (5, now["exported_at"].replace(hour=0) + timedelta(days=2))


def test_fewer_columns_that_say_the_same_are_a_duplicate_and_still_outrank_what_is_older():
    same, old = Told(3, "paid", {"coupon_fen": 5}), Told(2, "shipped", FULL | {"coupon_fen": 7, "freight_fen": 9})
    table, repeated = after([Told(1, "paid", FULL)], [same], [old])
    now = current(table)
    assert repeated == [0, 1, 0]
    assert (now["status"], now["coupon_fen"], now["freight_fen"]) == ("paid", 5, 9)


def test_what_no_export_ever_said_is_as_the_newest_has_it():
    table, _ = after([Told(1, "paid", {})], [Told(2, "finished", {})])
    assert current(table)["refunded_fen"] == 0
    assert current(table)["unsaid"] == ";".join(sorted(CHOSEN))


def test_a_whole_later_export_leaves_no_trace_of_the_others():
    table, _ = after([Told(1, "paid", {"coupon_fen": 1})], [Told(2, "paid", FULL)], [Told(3, "finished", FULL)])
    assert current(table)["unsaid"] is None


values = {
    "buyer_key": st.sampled_from([None, "nick:taobao:a", "nick:taobao:b"]),
    "coupon_fen": st.sampled_from([None, 5]),
    "freight_fen": st.sampled_from([None, 8]),
    "modified_at": st.sampled_from([None, NEW_YEAR]),
    "refunded_fen": st.sampled_from([0, 20]),
}
columns = st.sets(st.sampled_from(CHOSEN)).flatmap(lambda names: st.fixed_dictionaries({n: values[n] for n in names}))
tellings = st.builds(Told, st.integers(1, 4), st.sampled_from(["paid", "finished"]), columns)


@settings(max_examples=examples(8), deadline=None)
@given(st.lists(tellings, min_size=2, max_size=3, unique_by=lambda one: one.hour))
def test_the_current_row_is_that_of_brute_force_in_any_order_of_arrival(told: list[Told]):
    ends = []
    for arriving in itertools.permutations(told):
        table, _ = after(*([one] for one in arriving))
        ends.append(current(table))
        assert table.select(*RECORD, "content_hash", "known_from").is_unique().all()
    assert all(end == ends[0] for end in ends)
    assert {name: ends[0][name] for name in (*CHOSEN, "status")} == by_hand(told)


@settings(max_examples=examples(12), deadline=None)
@given(st.lists(tellings, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_exports_of_one_instant_and_batches_of_several_end_alike(told: list[Told], chance: Any):
    turned = chance.sample(told, len(told))
    cut = chance.randrange(len(told) + 1)
    one, _ = after(*([single] for single in told))
    two, _ = after(*[batch for batch in (turned[:cut], turned[cut:]) if batch])
    assert current(one) == current(two)


@settings(max_examples=examples(8), deadline=None)
@given(st.lists(tellings, min_size=1, max_size=4))
def test_twice_is_once(told: list[Told]):
    once, _ = after(*([one] for one in told))
    twice, repeated = after(*([one] for one in told), told)
    assert current(twice) == current(once)
    assert (twice.height, repeated[-1]) == (once.height, len(told))
