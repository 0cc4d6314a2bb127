"""The bench compares like with like: on a small file all three sides write the same rows."""

from pathlib import Path

import polars as pl
import pytest

from infra.population.write import write
from tasks.policy.load import load_policy
from tests.bench import duckdb_sql, identities, in_pandas, intake, ours, run
from tests.bench.child import POLICY
from tests.bench.orders import write_orders


@pytest.mark.slow
def test_all_sides_write_the_same(tmp_path: Path):
    write_orders(tmp_path / "orders.parquet", 60_000)
    policy = load_policy(POLICY)
    for name, side in (("ours", ours), ("duckdb", duckdb_sql), ("pandas", in_pandas)):
        side.run(tmp_path / "orders.parquet", tmp_path / f"{name}.parquet", policy)
    mine, sql, pandas = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("ours", "duckdb", "pandas"))
    assert mine["one_id"].is_sorted()
    assert mine["tier_level"].n_unique() == 4
    assert mine.equals(sql)
    assert mine.equals(pandas.cast(dict(mine.schema)))


def test_the_same_seed_gives_the_same_orders(tmp_path: Path):
    for name in ("one", "two"):
        write_orders(tmp_path / name, 1000)
    assert pl.read_parquet(tmp_path / "one").equals(pl.read_parquet(tmp_path / "two"))
    assert pl.read_parquet(tmp_path / "one").height == 1000


@pytest.mark.proof
def test_twenty_million_orders_stay_within_the_goal(tmp_path: Path):
    write_orders(tmp_path / "orders.parquet", 20_000_000)
    best = run.best_of(["strata", "duckdb"], tmp_path / "orders.parquet", tmp_path, rounds=3)
    assert run.is_same(tmp_path, "duckdb")
    assert best["strata"].peak_gib <= run.GOAL_GIB
    assert best["strata"].seconds <= run.GOAL_RATIO * best["duckdb"].seconds


@pytest.mark.acceptance
@pytest.mark.slow
def test_an_ingest_has_every_order_and_all_the_money(tmp_path: Path):
    assert intake.write_files(tmp_path, 8) == 50_000
    best = intake.best_of(tmp_path, rounds=1)
    assert intake.is_same(tmp_path, "strata")
    assert intake.is_same(tmp_path, "strata gb18030")
    assert max(one.peak_gib for one in best.values()) < intake.GOAL_GIB


@pytest.mark.proof
def test_two_gigabytes_of_export_stay_within_the_goal(tmp_path: Path):
    intake.write_files(tmp_path, 2048)
    best = intake.best_of(tmp_path, rounds=2)
    theirs = best["duckdb"].seconds
    assert intake.is_same(tmp_path, "strata")
    assert intake.is_same(tmp_path, "strata gb18030")
    assert best["strata"].seconds <= intake.GOAL_RATIO * theirs
    assert best["strata gb18030"].seconds <= intake.GOAL_GB18030_RATIO * theirs
    assert max(best["strata"].peak_gib, best["strata gb18030"].peak_gib) <= intake.GOAL_GIB


@pytest.mark.acceptance
@pytest.mark.slow
def test_who_is_who_joins_nothing_that_plain_components_do_not(tmp_path: Path):
    best = identities.best_of(write(tmp_path, 3000), tmp_path, rounds=1)
    assert identities.is_within(tmp_path)
    assert max(one.peak_gib for one in best.values()) < identities.GOAL_GIB


@pytest.mark.proof
def test_ten_million_sightings_stay_within_the_goal(tmp_path: Path):
    best = identities.best_of(write(tmp_path, 1_000_000), tmp_path, rounds=3)
    assert identities.is_within(tmp_path)
    assert best["strata"].peak_gib <= identities.GOAL_GIB
    assert best["strata"].seconds <= identities.GOAL_RATIO * best["scipy"].seconds
