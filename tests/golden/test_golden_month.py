"""The golden month through the real flows, compared with the reviewed table value by value."""

import csv
from pathlib import Path

import pytest

from expectations.tables import TABLES
from tests.golden.month import EXPECTED, golden_brand, table_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def expected() -> list[list[str]]:
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.usefixtures("prefect_harness")
def test_every_column_of_every_household(expected: list[list[str]], tmp_path: Path):
    """How the file is written anew, and what each household is for, stands in month.py."""
    assert table_of(golden_brand(tmp_path)) == expected


def test_the_reviewed_table_has_every_column(expected: list[list[str]]):
    assert [row[0] for row in expected[1:]] == list(TABLES["customers"].columns)
