"""Rows in ascending ranges of their key: nothing is lost, versions stay together, the digest stays."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.tables import TABLES
from tasks.refs import Run
from tasks.stores.digests import digest_rows
from tasks.stores.ranges import Spread, cut, leading_text
from tasks.stores.scratch import stage, stage_pieces
from tests.support.examples import examples
from tests.support.strategies import rows_of

RUN = Run(
    run_id="r", flow="test", lake="l", base_seq=0, policy_digest="p", code_version="c", inputs_digest="i", scratch=""
)


def ranges_of(rows: pl.DataFrame, table: str, range_rows: int, folder: Path) -> list[pl.DataFrame]:
    halves = [rows.lazy().head(rows.height // 2), rows.lazy().slice(rows.height // 2)]
    spread = Spread(halves, table, cut(rows.lazy(), table, range_rows=range_rows), folder / "spread")
    return [spread[number] for number in range(len(spread))]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("orders", ["channel", "shop_id", "order_id"]),
        ("consents", ["channel", "subject", "touch_channel", "purpose", "decision"]),
        ("sightings", ["key", "record"]),
        ("cutoffs", []),
    ],
)
def test_ranges_follow_the_text_that_leads_the_key(table: str, columns: list[str]):
    assert leading_text(table) == columns


@settings(max_examples=examples(15))
@given(st.sampled_from(["orders", "sightings", "consents", "cutoffs"]), st.integers(1, 4), st.data())
def test_ranges_hold_every_row_once_in_ascending_order(table: str, range_rows: int, data: st.DataObject):
    rows, key = data.draw(rows_of(table, max_rows=9)), leading_text(table)
    with TemporaryDirectory() as folder:
        pieces = ranges_of(rows, table, range_rows, Path(folder))
    assert_frame_equal(pl.concat(pieces), rows, check_row_order=False)
    seen = [sorted(set(piece.select(key).rows())) for piece in pieces if key and piece.height]
    assert all(before[-1] < after[0] for before, after in itertools.pairwise(seen))


@settings(max_examples=examples(15))
@given(st.sampled_from(["orders", "contacts"]), st.data())
def test_what_is_staged_in_ranges_is_what_is_staged_at_once(table: str, data: st.DataObject):
    rows = data.draw(rows_of(table, min_rows=1, max_rows=9))
    with TemporaryDirectory() as folder:
        run = RUN.model_copy(update={"scratch": folder})
        whole = stage(run, table, rows, mode="append")
        before = pl.read_parquet(whole.path)
        ranged = stage_pieces(run, table, ranges_of(rows, table, 2, Path(folder)), mode="append")
        assert (ranged.digest, ranged.rows) == (whole.digest, whole.rows)
        assert whole.digest == digest_rows(rows, table)
        assert_frame_equal(pl.read_parquet(ranged.path), before)


def test_a_key_that_comes_twice_is_ordered_by_the_rest(tmp_path: Path):
    run = RUN.model_copy(update={"scratch": str(tmp_path)})
    row = dict.fromkeys(TABLES["quarantine"].columns) | {"file_sha256": "f", "row_number": 1, "rule": "r"}
    rows = pl.DataFrame([row | {"column": name} for name in "ba"], TABLES["quarantine"].schema)
    paths = [stage(run, "quarantine", each, mode="append").path for each in (rows, rows.reverse())]
    assert pl.read_parquet(paths[1])["column"].to_list() == ["a", "b"]


def test_a_thousand_rows_make_even_ranges(tmp_path: Path):
    row = dict.fromkeys(TABLES["sightings"].columns)
    rows = pl.DataFrame([row | {"key": f"phone::{n * 7919 % 1000:04}", "record": "青禾😀"} for n in range(1000)],
                        TABLES["sightings"].schema)  # fmt: skip
    heights = [piece.height for piece in ranges_of(rows, "sightings", 100, tmp_path)]
    assert (len(heights), sum(heights)) == (11, 1000)
    assert max(heights) <= 100
