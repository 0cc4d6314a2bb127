"""How well persons are found in a population whose truth is known, whatever order its sightings come in.

The generator and the scorer know nothing of the resolver (infra/population). Here a few thousand people on every
run; a million with `make proof`. What counts as a pair is said in infra/population/score.py.
"""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from expectations.tables import TABLES
from infra.population.score import Score, score
from infra.population.write import Population, write
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.transforms.identity import resolve

POLICY = Path(__file__).parents[3] / "infra/demo/demo_cn/policy"
AS_OF, ZONE = date(2026, 10, 31), "Asia/Shanghai"
LARGEST = 12
SHUFFLES = 100
USED = ("key_type", "key_scope", "key", "key_role", "record", "evidence_rank", "seen_at")
"""What a resolver may look at: the other columns say where a row came from."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(POLICY)


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    return write(tmp_path_factory.mktemp("population"), 3000)


@pytest.fixture(scope="module")
def answer(population: Population, policy: Policy) -> pl.DataFrame:
    return persons_of(pl.read_parquet(population.sightings), policy)


def persons_of(sightings: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    links = TABLES["identity_links"].empty()
    return resolve(sightings.lazy(), links, policy.identity, as_of=AS_OF, zone=ZONE).identities.collect()


def judged(answer: pl.DataFrame, population: Population) -> Score:
    return score(answer.lazy(), pl.scan_parquet(population.truth))


def test_persons_are_found_and_kept_apart(answer: pl.DataFrame, population: Population):
    """At this size one mixed-up family is a thousandth of all pairs."""
    found = judged(answer, population)
    assert found.precision >= 0.997
    assert found.recall >= 0.97
    assert found.largest <= LARGEST


def test_every_key_that_is_no_hub_has_an_owner(answer: pl.DataFrame, population: Population):
    known = pl.read_parquet(population.truth)["key"].unique()
    assert known.len() - answer["key"].n_unique() <= 4  # two tills, a hotline, an agent
    assert answer.select("key", "epoch").is_unique().all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_sightings_changes_nothing(
    answer: pl.DataFrame, population: Population, policy: Policy, seed: int
):
    shuffled = pl.read_parquet(population.sightings).sample(fraction=1.0, shuffle=True, seed=seed)
    assert persons_of(shuffled, policy).equals(answer)


@pytest.mark.parametrize("parts", [2, 7])
def test_how_sightings_are_cut_into_files_changes_nothing(
    answer: pl.DataFrame, population: Population, policy: Policy, tmp_path: Path, parts: int
):
    numbered = pl.read_parquet(population.sightings).with_row_index("row")
    for part in range(parts):
        numbered.filter(pl.col("row") % parts == part).drop("row").write_parquet(tmp_path / f"{9 - part}.parquet")
    links = TABLES["identity_links"].empty()
    cut = resolve(pl.scan_parquet(tmp_path), links, policy.identity, as_of=AS_OF, zone=ZONE)
    assert cut.identities.collect().equals(answer)


@pytest.mark.proof
@pytest.mark.timeout(4 * 3600)
def test_as_many_people_as_a_large_brand_has_in_any_order(tmp_path: Path, policy: Policy):
    """Ten million sightings in a hundred orders: on two cores that takes an hour."""
    population = write(tmp_path, 1_000_000)
    sightings = pl.read_parquet(population.sightings, columns=list(USED))
    answer = persons_of(sightings, policy)
    found = judged(answer, population)
    assert found.precision >= 0.999
    assert found.recall >= 0.95
    assert found.largest <= LARGEST
    for seed in range(SHUFFLES):
        shuffled = sightings.sample(fraction=1.0, shuffle=True, seed=seed)
        assert persons_of(shuffled, policy).equals(answer)
