"""docs/sources.md is followed to the letter: its files written, its commands run, its till's rows come out right."""

from datetime import UTC, datetime

import polars as pl
import pytest

from tasks.stores.runs import finished_runs
from tests.support.followed import Followed
from tests.support.leaks import leaks_in

pytestmark = pytest.mark.acceptance

PEOPLE = ("13800000101", "C-100", "C-101", "Wang Meiling")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """The whole page, followed once."""
    tills = ("exports/till-2026-05.csv", "exports/till-2026-06.csv")
    return Followed(tmp_path_factory.mktemp("corner_shop"), tills).follow("sources.md")


def test_the_rows_are_those_of_the_till(followed: Followed):
    lines = followed.brand.rows("order_lines").sort("order_id", "product_id")
    assert lines.select("order_id", "product_id", "quantity", "gross_fen", "paid_fen").rows() == [
        ("R-0001", "SKU-1", 2, 3600, 3600),
        ("R-0001", "SKU-2", 1, 1250, 1000),
        ("R-0002", "SKU-1", 1, 1800, 1800),
        ("R-0003", "SKU-3", 1, 3000, 3000),
        ("R-0100", "SKU-3", 1, 3000, 3000),
        ("R-0101", "SKU-1", 1, 1800, 1800),
        ("R-0102", "SKU-1", 1, 1800, 1800),
    ]


def test_the_orders_are_those_of_the_till(followed: Followed):
    orders = followed.brand.rows("orders").sort("order_id")
    assert orders.select("order_id", "status", "paid_fen", "paid_month").rows() == [
        ("R-0001", "finished", 4600, "2026-05"), ("R-0002", "finished", 1800, "2026-05"),
        ("R-0003", "finished", 3000, "2026-05"), ("R-0100", "finished", 3000, "2026-06"),
        ("R-0101", "finished", 1800, "2026-06"), ("R-0102", "finished", 1800, "2026-06"),
    ]  # fmt: skip
    assert orders["ordered_at"][0] == datetime(2026, 5, 3, 2, 15, tzinfo=UTC)
    assert set(orders["shop_id"]) == {"main"}
    assert orders["buyer_key"].str.starts_with("member:corner_till:").to_list() == [True, None, True, True, None, True]


def test_every_file_balances(followed: Followed):
    files = followed.brand.rows("files").sort("received_at")
    columns = ("name", "layout", "rows_read", "rows_accepted", "rows_quarantined", "money_read_fen",
               "money_quarantined_fen")  # fmt: skip
    assert files.select(columns).rows() == [
        ("till-2026-05.csv", "till", 4, 4, 0, 9400, 0),
        ("till-2026-06.csv", "till", 3, 2, 1, 6600, 1800),
        ("corrected.csv", "till", 1, 1, 0, 1800, 0),
    ]


def test_a_corrected_row_is_of_the_export_that_it_was_taken_from(followed: Followed):
    orders = followed.brand.rows("orders").filter(pl.col("order_id").is_in(["R-0100", "R-0101"]))
    assert orders["exported_at"].n_unique() == 1
    assert followed.answers("quarantine export")[0].count("--exported-at 2026-06-30T16:00:00+0000") == 1


def test_the_draft_was_one_step_from_the_pages_layout(followed: Followed):
    written = (followed.folder / "policy/layouts/till.yaml").read_text(encoding="utf-8")
    drafted = followed.replaced["policy/layouts/till.yaml"]
    columns = [line.split("  #")[0] for line in drafted.splitlines() if ": {" in line and "FILL" not in line]
    missing = [line for line in columns if line not in written]
    assert missing == [
        "  status: {header: State, parse: code, codes: {Done: finished}}",
        "  product_name: {header: Item, parse: text}",
    ]


def test_the_check_shows_what_the_ingest_then_does(followed: Followed):
    said = followed.answers("sources check")[0]
    assert "layout: till (brand), 13 headers known" in said
    assert "till-2026-05.csv: accepted" in said
    assert not [person for person in PEOPLE if person in said]


def test_the_quarantine_says_what_and_why(followed: Followed):
    assert "status_unknown_code" in followed.answers("quarantine list")[0]
    assert (
        "The word in `status` is none that the layout knows." in followed.answers("quarantine explain till-2026-06")[0]
    )
    assert "till-2026-06.csv" in followed.answers("quarantine explain status_unknown_code")[0]


def test_the_export_stands_in_the_record_of_runs(followed: Followed):
    lake = followed.brand.tables
    record = finished_runs(lake, lake.snapshot()).filter(flow="quarantine_export")
    assert record.height == 1
    assert all(text in record["inputs"][0] for text in ('"role": "data_engineer"', '"rows": 1', "till-2026-06.csv"))


def test_drift_names_the_new_column_and_the_new_word(followed: Followed):
    said = followed.answers("sources drift")[0]
    counts = {text: said.count(text) for text in ("new column", "column came", "unknown word in status")}
    assert counts == {
        "new column": 2,
        "column came": 1,
        "unknown word in status": 1,
    }  # corrected.csv has the column too
    assert "Tip" in said
    assert "Comp" in said


def test_the_correction_is_told_in_the_receipt(followed: Followed):
    drift = followed.brand.rows("files").filter(name="till-2026-06.csv")["drift"].item()
    assert '"corrected": {"cake_times_hundred": 1}' in drift


def test_nobody_can_be_read_in_the_lake(followed: Followed):
    assert leaks_in(followed.folder / "lake", ("13800000101", "Wang Meiling")) == {}
