"""The bench of a whole refresh runs, names every stage once, and counts everybody."""

from pathlib import Path

import pytest

from tests.bench import refresh
from tests.bench.lake import identities_of, inputs_of, write_lake


@pytest.mark.acceptance
@pytest.mark.slow
def test_a_refresh_tells_its_stages(tmp_path: Path):
    stages = {stage.name: stage for stage in refresh.stages_of(tmp_path, 20_000)}
    assert set(refresh.RFM_AND_TIERS) <= stages.keys()
    assert {stages[f"write {table}"].rows for table in ("customers", "traits", "tags")} == {2000}
    assert stages["net orders"].rows == 20_000
    assert stages["write migrations"].rows == 3 * 2000
    assert stages["write tag_changes"].rows > 0
    assert max(stage.peak_gib for stage in stages.values()) < refresh.GOAL_GIB


def test_the_same_seed_gives_the_same_brand(tmp_path: Path):
    for name in ("one", "two"):
        write_lake(tmp_path / name, 1000)
    one, two = (inputs_of(tmp_path / name) for name in ("one", "two"))
    for table in ("orders", "order_lines", "refunds", "events", "members", "products"):
        assert getattr(one, table).collect().equals(getattr(two, table).collect())
    assert identities_of(tmp_path / "one").collect().height == 100
