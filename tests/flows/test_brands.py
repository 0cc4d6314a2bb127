"""Three invented brands, whose policies are YAML alone: each goes through its months and gets a report of its own."""

from pathlib import Path

import polars as pl
import pytest

from flows.month import month
from flows.parameters import MonthParameters
from infra.brands import BRANDS, MONTHS, Brand, write_months
from infra.demo.receipts import day_after
from tasks.policy.load import load_policy
from tasks.steps.house import lake_at

pytestmark = pytest.mark.acceptance

LAST = "2026-06-30"


def lived(brand: Brand, folder: Path) -> str:
    """The root of a lake in which every month of the brand was taken in, refreshed and reported."""
    lake = str(folder / "lake")
    for name, inbox in zip(MONTHS, write_months(folder / "exports", brand), strict=True):
        day = str(day_after(name))
        month(
            MonthParameters(
                month=name, inbox=(str(inbox),), received_at=f"{day}T09:00:00+08:00", known_as_of=day, lake=lake,
                policy=str(brand.policy),
            )
        )  # fmt: skip
    return lake


@pytest.fixture(scope="module", params=BRANDS, ids=lambda brand: brand.code)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Brand, str]:
    request.getfixturevalue("prefect_harness")
    brand: Brand = request.param
    folder = tmp_path_factory.mktemp(brand.code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATA_SCRATCH", str(folder / "scratch"))
        return brand, lived(brand, folder)


def customers(lake: str) -> pl.DataFrame:
    return lake_at(lake).scan("customers", lake_at(lake).snapshot(), partitions=[LAST]).collect()


def test_a_brand_is_a_folder_of_yaml_alone(case: tuple[Brand, str]):
    assert {path.suffix for path in case[0].policy.iterdir()} == {".yaml"}


def test_nothing_was_refused(case: tuple[Brand, str]):
    lake = lake_at(case[1])
    files = lake.scan("files", lake.snapshot()).collect()
    assert set(files["outcome"]) == {"accepted"}
    assert files["rows_quarantined"].sum() == 0


def test_its_people_stand_in_its_own_tiers_and_stages(case: tuple[Brand, str]):
    policy, people = load_policy(case[0].policy), customers(case[1])
    assert people.height > 300
    assert set(people["tier"]) == {tier.code for tier in policy.tiers.tiers}
    assert people["stage"].n_unique() >= 5
    assert people.filter(pl.col("frequency") > 0).select(pl.col("m_score").n_unique()).item() >= 4
    is_priced = policy.value.margin_rate is not None
    assert people["margin_fen"].is_not_null().any() == is_priced


def test_its_report_speaks_its_language(case: tuple[Brand, str]):
    policy = load_policy(case[0].policy)
    page = (Path(case[1]) / "reports" / MONTHS[-1] / "index.html").read_text(encoding="utf-8")
    names = [policy.brand.name, *(tier.label for tier in policy.tiers.tiers), policy.lifecycle.labels["active"]]
    for name in names:
        assert name.zh in page
        assert name.en in page
