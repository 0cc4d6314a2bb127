"""What may not be published is not: poisoned exports, candidates that break their suite, and what stops after them."""

from pathlib import Path

import polars as pl
import pytest
from prefect import flow

from expectations.tables import TABLES
from flows.begin import begin, open_house, scratch_of
from flows.parameters import IngestParameters
from tasks.errors import BadFileError, GateRefusedError
from tasks.steps.house import objects_at
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.stores.scratch import stage
from tests.support.leaks import leaks_in
from tests.support.quarter import Brand, day_after, received

pytestmark = pytest.mark.slow

HEADER = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,"
    "transaction_timestamp"
)
CARELESS = "max_quarantine_share: 0.2\n"
"""Under this policy a poisoned file is not refused whole: its bad rows are quarantined."""
STRICT = "max_volume_drop: 0\n"
"""Under this policy the customers of a month may not be fewer than those of the month before."""


def poisoned(folder: Path) -> Path:
    """A till's export of April: of 100 lines 10 lack their order id, one is dated 30 February, one is negative."""
    rows = [[str(n % 60 + 1), "9", f"4{n:04d}", "77", "1", "2.50", "0.00", "0.00", "0.00", "14"] for n in range(100)]
    dates = ["2017-04-05 12:00:00"] * 100
    for number in range(0, 100, 10):
        rows[number][2] = ""
    rows[1][5], dates[2] = "-2.50", "2017-02-30 12:00:00"
    path = folder / "transactions-2017-04.csv"
    path.write_text("\n".join([HEADER, *(",".join([*row, at]) for row, at in zip(rows, dates, strict=True))]) + "\n")
    return path


def allow(brand: Brand, folder: Path, words: str) -> Brand:
    policy = (Path(brand.policy) / "brand.yaml").read_text(encoding="utf-8")
    return brand.with_policy(folder / "policy", "brand.yaml", policy + words)


def pages(brand: Brand) -> dict[str, str]:
    """Every Data Docs page by its key."""
    objects = objects_at(brand.lake)
    return {meta.key: objects.read(meta.key).decode() for meta in objects.list("validations/")}


def test_a_poisoned_export_is_refused_whole_and_nothing_rests_on_it(brand: Brand, tmp_path: Path):
    """The month stops before refresh and report; customers and orders are what they were."""
    before = brand.rows("customers"), brand.rows("orders")
    with pytest.raises(BadFileError) as refused:
        brand.month("2017-04", poisoned(tmp_path), **received("2017-04"))
    for part in (
        "transactions-2017-04.csv",
        "12 of 100 rows",
        "order_id_missing (10)",
        "expected at most 2.0%",
        "next:",
    ):
        assert part in str(refused.value)
    assert brand.rows("customers").equals(before[0])
    assert brand.rows("orders").equals(before[1])
    assert list(objects_at(brand.lake).list("reports/")) == []
    assert brand.rows("files").filter(outcome="refused").select("name", "rows_accepted").rows() == [
        ("transactions-2017-04.csv", 0)
    ]


@pytest.mark.acceptance
def test_the_same_month_stops_again_until_the_file_is_corrected(brand: Brand, tmp_path: Path):
    for _ in range(2):
        with pytest.raises(BadFileError):
            brand.month("2017-04", poisoned(tmp_path), **received("2017-04"))
    path = poisoned(tmp_path)
    good = pl.read_csv(path, infer_schema=False).filter(pl.col("basket_id") != "", pl.col("sales_value") == "2.50")
    good.filter(pl.col("transaction_timestamp").str.starts_with("2017-04")).write_csv(path)
    summary = brand.month("2017-04", path, **received("2017-04"))
    assert summary["ingest"]["files"][0]["rows_accepted"] == 88
    assert (summary["refresh"]["outcome"], summary["report"]["month"]) == ("done", "2017-04")


def test_a_brand_that_allows_it_quarantines_the_bad_rows_by_name(brand: Brand, tmp_path: Path):
    careless = allow(brand, tmp_path, CARELESS)
    (file,) = careless.ingest(poisoned(tmp_path), **received("2017-04"))["files"]
    assert (file["rows_read"], file["rows_accepted"], file["rows_quarantined"]) == (100, 88, 12)
    rules = careless.rows("quarantine").group_by("rule").agg(pl.col("row_number").n_unique()).sort("rule").rows()
    assert {"order_id_missing": 10, "paid_fen_too_small": 1, "ordered_at_unreadable": 1}.items() <= dict(rules).items()
    assert careless.rows("orders").filter(paid_month="2017-04").height == 88


@pytest.mark.acceptance
def test_fewer_customers_than_policy_allows_stop_the_month(brand: Brand, tmp_path: Path):
    """March as January knew it has 52 customers, February 55: under a strict policy nothing is published."""
    strict = allow(brand, tmp_path, STRICT)
    before = strict.seq, strict.content()
    with pytest.raises(GateRefusedError, match="customers: expect_table_row_count_to_be_between") as refused:
        strict.month("2017-03", known_as_of=day_after("2017-01"))
    assert "next: nothing was published" in str(refused.value)
    assert (strict.seq, strict.content()) == before
    assert list(objects_at(brand.lake).list("reports/")) == []


def member(member_id: str) -> dict[str, object]:
    """A profile whose free text is a person's: what a careless page would print."""
    known = received("2017-03")["received_at"]
    row = dict.fromkeys(TABLES["members"].columns) | {"channel": "complete_journey", "shop_id": "main"}
    told = {"member_key": member_id, "city": "13800000101", "file_sha256": "f", "content_hash": "c"}
    return row | told | {"exported_at": known, "known_from": known}


@flow(name="publish as it is")
def publish_rows(brand: Brand, rows: list[dict[str, object]]) -> None:
    """The last two steps of every run, with rows of the test's choosing."""
    house = open_house(IngestParameters(paths=("x",), **brand.told))
    run = begin(house, "test", {"rows": len(rows)})
    frame = pl.DataFrame(rows).with_columns(pl.col("exported_at", "known_from").str.to_datetime(time_zone="UTC"))
    with scratch_of(run):
        candidates = (stage(run, "members", frame, mode="append"),)
        gate_candidates(run, candidates)
        publish_candidates(run, candidates, {}, house.started_at)


def test_a_candidate_with_doubled_keys_is_refused_and_its_page_kept_without_a_value(brand: Brand):
    before, standing = pages(brand), (brand.seq, brand.content())
    with pytest.raises(GateRefusedError, match="members: expect_compound_columns_to_be_unique"):
        publish_rows(brand, [member("13800000202"), member("13800000202")])
    assert (brand.seq, brand.content()) == standing
    (key,) = pages(brand).keys() - before.keys()
    assert key.startswith("validations/members/")
    assert "Failed" in pages(brand)[key]
    assert leaks_in(Path(brand.lake, "validations"), ["13800000101", "13800000202"]) == {}


def test_the_same_candidate_without_its_double_is_published(brand: Brand):
    seq = brand.seq
    publish_rows(brand, [member("13800000202")])
    assert (brand.seq, brand.rows("members").filter(city="13800000101").height) == (seq + 1, 1)
