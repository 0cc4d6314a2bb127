"""A year replayed at its end is the year as it went by, and a file that came late counts as if it had been there.

Told by the digests of every table that a refresh writes: states, traits, tags, moves, cut-offs, models, key figures.
"""

from pathlib import Path

import polars as pl
import pytest

from tests.support.quarter import JOURNEY, MONTH_ENDS, MONTHS, Brand, day_after, received, write_export, write_quarter

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

HOUSEHOLD, LATE_FEN = 1, 300_000
LATE_DAY = "2017-04-20"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of three months, and one basket of February in a file of its own."""
    made = tmp_path_factory.mktemp("replay")
    write_quarter(made / "exports")
    basket = {
        "household_id": HOUSEHOLD, "store_id": 9, "basket_id": 77_001, "product_id": 77, "quantity": 1,
        "sales_value": LATE_FEN / 100, "retail_disc": 0.0, "coupon_disc": 0.0, "coupon_match_disc": 0.0, "week": 8,
        "transaction_timestamp": "2017-02-20 12:00:00",
    }  # fmt: skip
    write_export(made / "late/transactions-late.csv", pl.DataFrame([basket]))
    return made


def received_all(folder: Path, name: str) -> Brand:
    """A lake that holds all three months, received when they came, and refreshed at no date yet."""
    brand = Brand(str(folder / name), JOURNEY)
    for month in MONTHS:
        brand.ingest(folder / "exports" / month, **received(month))
    return brand


def refresh_all(brand: Brand) -> None:
    """Every date in turn, with what its own day knew."""
    for month, as_of in zip(MONTHS, MONTH_ENDS, strict=True):
        brand.refresh(as_of, day_after(month))


@pytest.fixture(scope="module")
def gone_by(folder: Path) -> Brand:
    """Month by month: a month's files, its refresh, then the next."""
    brand = Brand(str(folder / "gone-by"), JOURNEY)
    for month, as_of in zip(MONTHS, MONTH_ENDS, strict=True):
        brand.ingest(folder / "exports" / month, **received(month))
        brand.refresh(as_of, day_after(month))
    return brand


def test_replayed_from_january_every_table_is_what_it_was_month_by_month(folder: Path, gone_by: Brand):
    replayed = received_all(folder, "replayed")
    refresh_all(replayed)
    for as_of in MONTH_ENDS:
        assert replayed.standing(as_of) == gone_by.standing(as_of)
    assert {"customers", "traits", "tags", "tag_changes", "migrations", "cutoffs", "models", "metrics"} <= set(
        gone_by.standing(MONTH_ENDS[-1])
    )


def test_a_late_file_ends_as_if_it_had_been_there(folder: Path):
    """Received with February's files, or in April and the months restated: the same digests at every date."""
    there, late = received_all(folder, "there"), received_all(folder, "late-lake")
    there.ingest(folder / "late", **received("2017-02"))
    refresh_all(late)
    late.ingest(folder / "late", received_at=LATE_DAY, exported_at=received("2017-02")["exported_at"])
    for brand in (there, late):
        brand.backfill(MONTHS[0], MONTHS[-1], "now")
    for as_of in MONTH_ENDS:
        assert late.standing(as_of) == there.standing(as_of)


def test_a_move_that_a_late_file_made_says_late_data(gone_by: Brand, folder: Path, tmp_path: Path):
    """February stays as it was known; March knows of February's basket, which lifts the household a tier."""
    brand = gone_by.copied(tmp_path)
    brand.ingest(folder / "late", received_at=LATE_DAY, exported_at=LATE_DAY)
    brand.refresh("2017-03-31", LATE_DAY)
    before = gone_by.rows("migrations", "2017-03-31").filter(dimension="tier")
    after = brand.rows("migrations", "2017-03-31").filter(dimension="tier")
    moved = after.join(before, on=["one_id", "to_code"], how="anti")
    assert moved.height == 1
    assert moved["cause"].item() == "late_data"
