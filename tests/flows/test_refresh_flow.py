"""Refresh, month and backfill as flows: twice is once, the past as it was known, and what restating does."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.sorting import FlowRunSort

from tasks.errors import MissingDataError
from tasks.steps.house import objects_at
from tests.support.quarter import Brand, day_after, key_of, received, write_export, write_quarter

pytestmark = pytest.mark.slow

LATE = "2017-04-20"
"""A file of February arrives on this day."""
HOUSEHOLD, LATE_FEN = 1, 12_345
UNCHANGED = pl.exclude("policy_digest")


def late_file(folder: Path) -> Path:
    """One basket that household 1 bought on 20 February, and that nobody heard of until April."""
    row = {
        "household_id": HOUSEHOLD, "store_id": 9, "basket_id": 77_001, "product_id": 77, "quantity": 1,
        "sales_value": LATE_FEN / 100, "retail_disc": 0.0, "coupon_disc": 0.0, "coupon_match_disc": 0.0, "week": 8,
        "transaction_timestamp": "2017-02-20 12:00:00",
    }  # fmt: skip
    return write_export(folder / "transactions-late.csv", pl.DataFrame([row]))


def money_of(brand: Brand, as_of: str) -> dict[str, int]:
    """Customer to spend in the window, as readers see it."""
    return dict(brand.rows("customers", as_of).select("one_id", "monetary_fen").iter_rows())


def one_id_of(brand: Brand, household: int, as_of: str) -> str:
    key = key_of("member", "complete_journey", str(household))
    return str(brand.rows("identities", as_of).filter(key=key)["one_id"].item())


def test_twice_is_once(brand: Brand):
    before = brand.seq, brand.content(), brand.runs().height
    again = brand.refresh("2017-02-28", day_after("2017-02"))
    assert (again["outcome"], again["rows"]) == ("already done", {})
    assert (brand.seq, brand.content(), brand.runs().height) == before


def test_each_date_shows_only_what_had_happened_by_then(brand: Brand):
    """The lake holds March, and February is as it was: nobody's last order lies after the date."""
    brand.refresh("2017-03-31", day_after("2017-03"))
    for as_of in ("2017-01-31", "2017-02-28", "2017-03-31"):
        customers = brand.rows("customers", as_of)
        assert customers["last_order_on"].max() <= date.fromisoformat(as_of)
        assert brand.standing(as_of) == brand.recorded(as_of)[0]


def test_the_end_of_a_date_is_known_when_a_date_is_given(brand: Brand):
    """The files came at six in the morning of 1 April: known on that date, unknown five hours earlier."""
    known = brand.refresh("2017-03-31", "2017-04-01")
    assert known["known_as_of"] == "2017-04-02 03:59:59.999999+00:00"
    assert brand.rows("customers", "2017-03-31")["last_order_on"].max() == date(2017, 3, 31)
    brand.refresh("2017-03-31", "2017-04-01T05:00:00-04:00")
    assert brand.rows("customers", "2017-03-31")["last_order_on"].max() == date(2017, 2, 28)


@pytest.fixture
def late(brand: Brand, tmp_path: Path) -> Brand:
    """The small lake after a file of February came late."""
    brand.ingest(late_file(tmp_path), received_at=LATE, exported_at=LATE)
    return brand


def test_a_late_file_changes_nothing_that_was_known_before(late: Brand):
    assert late.refresh("2017-02-28", day_after("2017-02"))["outcome"] == "already done"
    assert late.standing("2017-02-28") == late.recorded("2017-02-28")[0]


def test_with_what_is_known_now_the_late_basket_counts_and_nothing_else_moves(late: Brand):
    before = money_of(late, "2017-02-28")
    assert late.refresh("2017-02-28", LATE)["outcome"] == "done"
    after = money_of(late, "2017-02-28")
    changed = {one_id: after[one_id] - fen for one_id, fen in before.items() if after[one_id] != fen}
    assert changed == {one_id_of(late, HOUSEHOLD, "2017-02-28"): LATE_FEN}


@pytest.mark.acceptance
def test_what_was_known_then_can_be_asked_for_again_after_a_restatement(late: Brand):
    """Asked as of then, restated, asked as of then once more: readers see each time what was asked for."""
    then = late.recorded("2017-02-28")[0]
    late.refresh("2017-02-28", LATE)
    assert late.standing("2017-02-28")["customers"] != then["customers"]
    late.refresh("2017-02-28", day_after("2017-02"))
    assert late.standing("2017-02-28") == then
    assert late.recorded("2017-02-28")[-1] == then


@pytest.mark.acceptance
def test_backfill_restates_what_a_late_file_touches_and_delivers_nothing(late: Brand):
    """What came since touches nobody in January; in February household 1 has more."""
    outbox = Path(late.lake, "outbox")
    summary = late.backfill("2017-01", "2017-02", "now")
    assert [(month["month"], month["outcome"]) for month in summary["months"]] == [
        ("2017-01", "done"), ("2017-02", "done"),
    ]  # fmt: skip
    assert (summary["delivered"], outbox.exists(), late.rows("deliveries").height) == (0, False, 0)
    assert late.standing("2017-01-31")["customers"] == late.recorded("2017-01-31")[0]["customers"]
    assert late.standing("2017-02-28")["customers"] != late.recorded("2017-02-28")[0]["customers"]


@pytest.mark.acceptance
def test_backfill_with_the_knowledge_of_then_gives_the_recorded_digests(late: Brand):
    recorded = {as_of: late.recorded(as_of)[0] for as_of in ("2017-01-31", "2017-02-28")}
    late.backfill("2017-01", "2017-02", "now")
    late.backfill("2017-01", "2017-02", "then")
    assert {as_of: late.standing(as_of) for as_of in recorded} == recorded


@pytest.mark.acceptance
def test_a_backfill_under_another_policy_restates_every_month(brand: Brand, tmp_path: Path):
    """The threshold of the first tier is halved; facts and scores stay what they were."""
    tiers = (Path(brand.policy) / "tiers.yaml").read_text(encoding="utf-8")
    generous = brand.with_policy(
        tmp_path / "policy", "tiers.yaml", tiers.replace("50000", "25000").replace("40000", "20000")
    )
    before = brand.rows("customers", "2017-02-28")
    generous.backfill("2017-01", "2017-02", "then")
    after = brand.rows("customers", "2017-02-28")
    tier = pl.col("^tier.*$")
    assert_frame_equal(after.select(UNCHANGED).drop(tier), before.select(UNCHANGED).drop(tier))
    assert after.filter(tier="silver").height > before.filter(tier="silver").height


@pytest.mark.acceptance
def test_a_month_goes_from_inbox_to_report(brand: Brand, tmp_path: Path):
    """April: ingest, refresh and report in one flow run, which leaves its summary beside it."""
    write_quarter(tmp_path / "inbox", months=["2017-04"])
    summary = brand.month("2017-04", tmp_path / "inbox", known_as_of=day_after("2017-04"), **received("2017-04"))
    assert {file["outcome"] for file in summary["ingest"]["files"]} == {"accepted"}
    assert summary["refresh"]["outcome"] == "done"
    page = objects_at(brand.lake).read("reports/2017-04/index.html").decode()
    assert "2017-04" in page
    assert artifact_keys("month of 2017-04") == ["strata-month"]


def artifact_keys(name: str) -> list[str | None]:
    """Keys of the artifacts that the newest flow run of that name left."""
    named = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
    with get_client(sync_client=True) as client:
        newest: Any = client.read_flow_runs(flow_run_filter=named, sort=FlowRunSort.START_TIME_DESC, limit=1)[0]
        return [artifact.key for artifact in client.read_artifacts() if artifact.flow_run_id == newest.id]


@pytest.mark.acceptance
def test_the_same_month_again_changes_nothing(brand: Brand, tmp_path: Path):
    write_quarter(tmp_path / "inbox", months=["2017-04"])
    times = {"known_as_of": day_after("2017-04"), **received("2017-04")}
    brand.month("2017-04", tmp_path / "inbox", **times)
    before = brand.seq, brand.content(), objects_at(brand.lake).read("reports/2017-04/index.html")
    brand.month("2017-04", tmp_path / "inbox", **times)
    assert (brand.seq, brand.content(), objects_at(brand.lake).read("reports/2017-04/index.html")) == before


def test_a_lake_without_a_policy_asks_for_one(tmp_path: Path):
    with pytest.raises(MissingDataError, match="--policy DIR"):
        Brand(str(tmp_path / "lake"), "").refresh("2017-01-31")
