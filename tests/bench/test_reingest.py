"""A changed month that is read again touches its own partitions alone."""

from pathlib import Path

import pytest

from tests.bench import reingest


@pytest.mark.acceptance
@pytest.mark.usefixtures("prefect_harness")
def test_a_changed_month_rewrites_its_own_partitions(tmp_path: Path):
    rewritten = reingest.measure_again(tmp_path, orders_a_month=300, months=3)
    assert rewritten.partitions == {
        "orders": {"2024-02", reingest.UNPAID}, "refunds": {"2024-02"},
    }  # fmt: skip
    assert (rewritten.standing["orders"], rewritten.standing["sightings"]) == (4, 3)
    assert reingest.is_within(rewritten)
