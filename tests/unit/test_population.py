"""The invented population is what it says, and the scorer counts pairs as one would by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from expectations.tables import TABLES
from infra.population import write as writing
from infra.population.score import score
from infra.population.shares import Shares
from infra.population.write import Population, pieces, write

PEOPLE = 4000
DAY = datetime(2026, 3, 1, tzinfo=UTC)
TRUTH = pl.Schema({"key": pl.String(), "person": pl.Int64(), "told": pl.Int64(), "at": pl.Datetime("us", "UTC")})


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    return write(tmp_path_factory.mktemp("population"), PEOPLE)


@pytest.fixture(scope="module")
def seen() -> pl.DataFrame:
    return next(pieces(PEOPLE, Shares(), "population"))


def test_sightings_have_the_columns_of_their_table(population: Population):
    sightings = pl.scan_parquet(population.sightings)
    assert sightings.collect_schema() == TABLES["sightings"].schema
    assert sightings.select(pl.struct(TABLES["sightings"].key).is_duplicated().any()).collect().item() is False


def test_it_has_the_size_that_the_shares_give(population: Population):
    """Three and a half keys a person, ten sightings."""
    sightings, truth = pl.read_parquet(population.sightings), pl.read_parquet(population.truth)
    assert 9 < sightings.height / PEOPLE < 12
    assert 3 < truth.height / PEOPLE < 4
    assert truth.select(pl.struct("key", "person").is_unique().all()).item()


def test_the_size_of_a_piece_changes_nothing(seen: pl.DataFrame, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writing, "_PIECE", 2224)
    other = pl.concat(pieces(PEOPLE, Shares(), "population"))
    assert other.sort("key", "record").equals(seen.sort("key", "record"))


def test_every_case_is_there(seen: pl.DataFrame):
    phones = seen.filter(key_type="phone", key_role="identity")
    owners = phones.group_by("key").agg(pl.col("owner").n_unique())["owner"]
    strangers = phones.filter(pl.col("actor") != pl.col("owner")).group_by("key").agg(pl.col("actor").n_unique())
    assert (owners == 2).sum() > 5  # recycled
    assert (strangers["actor"] > 20).sum() >= 2  # the tills
    assert strangers["actor"].is_between(1, 2).sum() > 8  # families, wrong digits


def test_a_recycled_number_was_silent_between_its_owners(seen: pl.DataFrame):
    phones = seen.filter(pl.col("actor") == pl.col("owner"), key_type="phone")
    spans = phones.group_by("key", "owner").agg(first=pl.col("seen_at").min(), last=pl.col("seen_at").max())
    twice = spans.filter(pl.len().over("key") == 2).sort("key", "first")
    gap = twice.select(pl.col("first").shift(-1).over("key") - pl.col("last")).to_series().drop_nulls()
    assert gap.min() > timedelta(days=90)
    assert (gap > timedelta(days=180)).mean() > 0.6


def items(*rows: tuple[str, int, int]) -> pl.LazyFrame:
    """A truth of keys, persons and ties, all shown on one day."""
    return pl.LazyFrame([(*row, DAY) for row in rows], schema=TRUTH, orient="row")


def answer(*rows: tuple[str, str] | tuple[str, str, datetime | None, datetime | None]) -> pl.LazyFrame:
    """Keys and their customers, for all time or for a stretch of it."""
    full = [row if len(row) == 4 else (*row, None, None) for row in rows]
    instant = pl.Datetime("us", "UTC")
    schema = {"key": pl.String(), "one_id": pl.String(), "valid_from": instant, "valid_to": instant}
    return pl.LazyFrame(full, schema=schema, orient="row")


def test_a_perfect_answer():
    found = score(answer(("a", "x"), ("b", "x"), ("c", "y")), items(("a", 1, 0), ("b", 1, 0), ("c", 2, 2)))
    assert (found.precision, found.recall, found.recall_of_all, found.largest) == (1.0, 1.0, 1.0, 2)


def test_a_wrong_merge_costs_precision_and_a_missed_one_recall():
    truth = items(("a", 1, 0), ("b", 1, 0), ("c", 1, 0), ("d", 2, 3))
    found = score(answer(("a", "x"), ("b", "x"), ("c", "y"), ("d", "x")), truth)
    assert (found.said_pairs, found.right_pairs, found.true_pairs) == (3, 1, 3)
    assert (found.precision, found.recall) == (1 / 3, 1 / 3)


def test_what_was_never_told_is_counted_apart():
    found = score(answer(("a", "x"), ("b", "x"), ("c", "y")), items(("a", 1, 0), ("b", 1, 0), ("c", 1, 2)))
    assert (found.recall, found.recall_of_all) == (1.0, 1 / 3)


def test_a_key_that_the_answer_leaves_out_is_missed_if_it_is_somebody_s():
    truth = items(("a", 1, 0), ("b", 1, 0), ("hub", 1, 0), ("till", -1, 3))
    found = score(answer(("a", "x"), ("b", "x")), truth)
    assert (found.precision, found.recall) == (1.0, 1 / 3)


def test_a_number_of_two_owners_is_two_items():
    truth = items(("a", 1, 0), ("p", 1, 0)), items(("p", 2, 2), ("b", 2, 2)).with_columns(at=DAY + timedelta(days=300))
    change = DAY + timedelta(days=200)
    split = answer(("a", "x"), ("p", "x", None, change), ("p", "y", change, None), ("b", "y"))
    joined = answer(("a", "x"), ("p", "x"), ("b", "x"))
    assert score(split, pl.concat(truth)).precision == 1.0
    assert score(split, pl.concat(truth)).recall == 1.0
    assert score(joined, pl.concat(truth)).precision == 2 / 6
