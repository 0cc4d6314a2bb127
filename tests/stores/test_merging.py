"""Merging into a real lake: range by range, in the fewest partitions, with the current rows of brute force."""

import random
from pathlib import Path

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.settings import Settings
from tasks.sources.spill import lay
from tasks.steps.merging import merge_table
from tasks.stores.objects import open_objects
from tests.support.exports import Desk, Seen, current, expected
from tests.support.lakes import RECEIVED, run_on

MONTHS = [f"{year}-{month:02}" for year in (2026, 2027) for month in range(1, 13)]


def desk(folder: Path, range_rows: int = 250_000) -> Desk:
    return Desk(open_objects(str(folder / "lake"), Settings()), folder, range_rows=range_rows)


def month_of(name: str, exported: int, status: str = "paid", orders: int = 6) -> list[Seen]:
    """The orders of one month."""
    first = MONTHS.index(name) * 100
    return [Seen(first + n, status, exported, month=name) for n in range(orders)]


def history(at: Desk, exported: int = 1) -> Desk:
    at.take_in(*(month_of(name, exported) for name in MONTHS), names=MONTHS)
    return at


def files_of(at: Desk) -> set[str]:
    return {file.path for file in at.lake.manifest(at.lake.snapshot())["orders"]}


@pytest.mark.parametrize("range_rows", [250_000, 20], ids=["at once", "in ranges"])
def test_a_changed_month_of_two_years_rewrites_its_own_partition_alone(tmp_path: Path, range_rows: int):
    at = history(desk(tmp_path, range_rows))
    before = files_of(at)
    assert len(before) == len(MONTHS)
    merged = at.take_in(month_of("2026-05", 2, "finished"))
    assert merged.candidate.replaces == ("2026-05",)
    gone, new = before - files_of(at), files_of(at) - before
    assert [path.split("/")[2] for path in (*gone, *new)] == ["paid_month=2026-05"] * 2
    assert at.orders.height == 24 * 6 + 6


def test_an_order_that_is_paid_late_touches_the_month_and_the_unpaid_ones(tmp_path: Path):
    at = history(desk(tmp_path))
    at.take_in([Seen(9_001, "created", 1, month=None)])
    merged = at.take_in([Seen(9_001, "paid", 2, month="2027-03")])
    assert merged.candidate.replaces == ("2027-03", None)


def test_the_same_rows_again_make_no_candidate(tmp_path: Path):
    at = history(desk(tmp_path))
    merged = at.take_in(month_of("2026-07", 1), names=["again"])
    assert merged.candidate is None
    assert merged.duplicates.rows() == [("again", 6, 600)]


@pytest.mark.parametrize("seed", range(3))
def test_ranges_end_in_the_current_rows_of_brute_force(tmp_path: Path, seed: int):
    """Sixty orders over eight exports in random calls, ranges of seven rows: many ranges, all sorts of changes."""
    chance = random.Random(seed)  # noqa: S311
    files = [
        [Seen(chance.randrange(60), chance.choice(["paid", "shipped", "finished"]), exported, chance.choice([None, 1]),
              month=chance.choice(["2026-01", "2026-02", None])) for _ in range(25)]
        for exported in (1, 1, 2, 2, 3, 3, 4, 4)
    ]  # fmt: skip
    chance.shuffle(files)
    at, ranged = desk(tmp_path / "once"), desk(tmp_path / "ranges", 7)
    for folder in ("once", "ranges"):
        (tmp_path / folder).mkdir(exist_ok=True)
    at.take_in(*files)
    counts = [ranged.take_in(*files[start : start + 2]).duplicates["rows"].sum() for start in range(0, 8, 2)]
    assert current(at.orders) == current(ranged.orders) == expected(files)
    assert ranged.orders.height + sum(counts) == sum(map(len, files))


def test_a_source_row_that_fills_several_rows_is_a_duplicate_when_each_of_them_is(tmp_path: Path):
    """A contact card with a phone and an e-mail: known as a whole, or news."""
    at = desk(tmp_path)
    row = dict.fromkeys(TABLES["sightings"].columns) | {"record": "r", "seen_at": RECEIVED, "seen_month": "2026-07"}
    cards = (("phone::1", 1), ("email::1", 1), ("phone::1", 2), ("phone::9", 3), ("phone::1", 3))
    told = row | {"file_sha256": "f", "row_money_fen": None}
    rows = [told | {"key": key, "row_number": number} for key, number in cards]
    schema = TABLES["sightings"].schema | {"row_number": pl.Int64, "row_money_fen": pl.Int64}
    path = lay(pl.DataFrame(rows, schema, orient="row"), tmp_path / "rows.arrow")
    run = run_on(open_objects(str(tmp_path / "lake"), Settings()), 0).model_copy(update={"scratch": str(tmp_path)})
    for range_rows in (1, 100):
        merged = merge_table(run, at.lake, at.lake.snapshot(), "sightings", [str(path)], range_rows=range_rows)
        assert merged.candidate.rows == 3
        assert merged.duplicates.select("file_sha256", "rows").rows() == [("f", 1)]
