"""The bench of a campaign runs: files at both vendors hold whom they should, and the reader would see if not."""

from pathlib import Path

import polars as pl
import pytest

from tests.bench import campaign
from tests.bench.campaign_lake import PROMISED, VENDORS, write_lake

PEOPLE, MILLION = 2_000, 1_000_000


@pytest.mark.acceptance
@pytest.mark.slow
def test_a_campaign_tells_its_stages_and_reaches_whom_it_should(tmp_path: Path):
    write_lake(tmp_path / "lake", PEOPLE)
    for vendor in VENDORS:
        _, stages = campaign.send(tmp_path / "lake", vendor, tmp_path / "sent")
        assert {stage.name: stage.rows for stage in stages}["files published"] == PEOPLE
        assert not campaign.verdict(tmp_path / "sent", vendor, PEOPLE)
    one_less = pl.read_parquet(tmp_path / PROMISED).head(-1)
    one_less.write_parquet(tmp_path / PROMISED)
    assert campaign.verdict(tmp_path / "sent", vendor, PEOPLE).endswith("1 not promised")


@pytest.mark.proof
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_million_people_take_less_than_two_gigabytes(tmp_path: Path, vendor: str):
    """Memory alone is asked: the time is the bench's to tell."""
    write_lake(tmp_path / "lake", MILLION)
    _, stages = campaign.send(tmp_path / "lake", vendor, tmp_path / "sent")
    assert not campaign.verdict(tmp_path / "sent", vendor, MILLION)
    assert max(stage.peak_gib for stage in stages) * 2**30 < campaign.GOAL_GB * 1e9
