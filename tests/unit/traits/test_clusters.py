"""Clusters: the same whatever the order, found where they were planted, and called the same the month after."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from expectations.tables import TABLES
from tasks.policy.base import Label
from tasks.policy.clusters import Clusters, Dimension, Profile
from tasks.transforms.traits.clusters import (
    CENTRES,
    assign_clusters,
    cells_of,
    find_clusters,
    fit_centres,
    score_dimensions,
)
from tasks.transforms.traits.companions import RULES
from tasks.transforms.traits.fitted import centres_in, fitted_rows, with_fitted
from tests.support.examples import examples
from tests.unit.traits.grounds import AS_OF

LABEL = Label(zh="组", en="group")
THREE = Clusters(
    dimensions=(Dimension(column="f_score"), Dimension(column="discount_rate", edges=(Decimal("0.1"), Decimal("0.3")))),
    profiles=(
        Profile(code="loyal", label=LABEL, high=("f_score",), low=("discount_rate",)),
        Profile(code="deals", label=LABEL, high=("discount_rate",)),
        Profile(code="sleepers", label=LABEL, low=("f_score", "discount_rate")),
    ),
)
NONE = CENTRES.to_frame()
PLANTED = [(5, 0.0)] * 30 + [(1, 0.5)] * 20 + [(1, 0.0)] * 10


def people(scores: list[tuple[int, float | None]]) -> pl.LazyFrame:
    rows = [(n, 1, f, rate) for n, (f, rate) in enumerate(scores)]
    schema = {"one_id": pl.Int64, "r_score": pl.Int64, "f_score": pl.Int64, "discount_rate": pl.Float64}
    return pl.LazyFrame(rows, schema, orient="row")


def grouped(customers: pl.LazyFrame, previous: pl.DataFrame = NONE) -> tuple[dict[int, str], pl.DataFrame]:
    scores = score_dimensions(customers, THREE)
    centres = fit_centres(cells_of(scores, THREE), THREE, previous)
    return dict(assign_clusters(scores, centres, THREE).collect().iter_rows()), centres


def test_planted_groups_are_found_and_named():
    told, centres = grouped(people(PLANTED))
    assert [told[n] for n in range(60)] == ["loyal"] * 30 + ["deals"] * 20 + ["sleepers"] * 10
    assert centres.filter(cluster="deals").rows() == [("deals", "f_score", 0.2), ("deals", "discount_rate", 1.0)]


def test_edges_are_reached_from_below_and_null_is_the_least():
    scores = score_dimensions(people([(9, 0.0999), (2, 0.1), (0, 0.3), (1, None)]), THREE).collect()
    assert scores.rows() == [(0, 5, 0), (1, 2, 1), (2, 0, 2), (3, 1, 0)]


def test_who_is_outside_the_scored_base_has_no_cluster():
    outside = people(PLANTED).with_columns(r_score=pl.when(pl.col("one_id") == 0).then(0).otherwise(1))
    found = find_clusters(outside, THREE, NONE)
    told = dict(found.customers.collect().iter_rows())
    assert told.keys() == set(range(1, 60))
    assert told[1] == "loyal"
    nobody = find_clusters(outside.filter(pl.col("one_id") == 0), THREE, found.centres)
    assert nobody.customers.collect().is_empty()
    assert nobody.centres.equals(found.centres)
    assert not nobody.is_new
    assert find_clusters(outside.clear(), THREE, NONE).centres.is_empty()


def test_centres_are_read_back_from_the_table_models_as_they_were():
    _, centres = grouped(people(PLANTED))
    rules = pl.DataFrame([("Tea", "Cups", 0.6, 0.75, 1.25)], RULES, orient="row")
    rows = fitted_rows(centres, rules, AS_OF, is_new=True)
    assert rows.collect().schema == TABLES["models"].schema
    assert centres_in(rows).equals(centres)
    assert rows.filter(pl.col("model") == "companions").select("parameter", "estimate").collect().rows() == [
        ("Tea > Cups: support", 0.6), ("Tea > Cups: confidence", 0.75), ("Tea > Cups: lift", 1.25),
    ]  # fmt: skip
    other = TABLES["models"].empty().collect().clear(1).with_columns(model=pl.lit("bg_nbd")).lazy()
    twice = with_fitted(with_fitted(other, rows), rows)
    assert twice.collect().height == rows.collect().height + 1
    assert centres_in(other).is_empty()


def test_names_stay_while_groups_drift_even_where_another_name_would_fit_better():
    _, before = grouped(people(PLANTED))
    drifted = [(4, 0.0)] * 10 + [(4, 0.1)] * 20 + [(2, 0.5)] * 20 + [(2, 0.0)] * 10
    told, after = grouped(people(drifted), before)
    assert [told[n] for n in range(60)] == ["loyal"] * 30 + ["deals"] * 20 + ["sleepers"] * 10
    assert after.get_column("cluster").to_list() == before.get_column("cluster").to_list()


def test_other_dimensions_start_anew():
    _, before = grouped(people(PLANTED))
    foreign = before.with_columns(dimension=pl.col("dimension") + "_old", centre=1 - pl.col("centre"))
    assert grouped(people(PLANTED), foreign)[1].equals(before)


def test_a_group_that_everybody_left_keeps_its_place_and_its_name():
    _, before = grouped(people(PLANTED))
    told, after = grouped(people(PLANTED[:50]), before)
    assert {*told.values()} == {"loyal", "deals"}
    assert after.filter(cluster="sleepers").equals(before.filter(cluster="sleepers"))


SCORES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.1, 0.3, None])), min_size=1, max_size=25)


@settings(max_examples=examples(30), deadline=None)
@given(SCORES, st.randoms(use_true_random=False))
def test_laws(scores, random):
    customers = people(scores)
    told, centres = grouped(customers)
    rows = customers.collect()
    shuffled = rows[random.sample(range(rows.height), rows.height)].lazy()
    assert grouped(shuffled)[1].equals(centres), "the order of rows means nothing"
    assert grouped(customers, centres)[1].equals(centres), "groups that stand stay"
    assert told == _nearest_plainly(customers, centres)
    assert told.keys() == set(range(len(scores)))


def _nearest_plainly(customers: pl.LazyFrame, centres: pl.DataFrame) -> dict[int, str]:
    place = {(cluster, dimension): centre for cluster, dimension, centre in centres.iter_rows()}
    found = {}
    for one_id, frequency, rate in score_dimensions(customers, THREE).collect().iter_rows():
        distances = {
            profile.code: round(
                (frequency / 5 - place[profile.code, "f_score"]) ** 2
                + (rate / 2 - place[profile.code, "discount_rate"]) ** 2, 9,
            )
            for profile in THREE.profiles
        }  # fmt: skip
        found[one_id] = min(distances, key=lambda code: distances[code])
    return found


def test_no_split_of_all_cells_into_two_is_much_better():
    """Against every split of five cells: the groups found are within a tenth of the best there is."""
    two = THREE.model_copy(update={"profiles": THREE.profiles[:2]})
    customers = people([(0, 0.0)] * 4 + [(1, 0.0)] * 3 + [(4, 0.3)] * 5 + [(5, 0.1)] * 2 + [(3, 0.3)])
    cells = cells_of(score_dimensions(customers, two), two)
    points, weights = cells.placed(two.dimensions), cells.customers
    centres = fit_centres(cells, two, NONE).get_column("centre").to_numpy().reshape(2, 2)
    found = float((((points[:, None] - centres) ** 2).sum(axis=2).min(axis=1) * weights).sum())
    assert found <= 1.1 * min(_inertia(points, weights, mask) for mask in range(1, 2 ** len(points) - 1))


def _inertia(points: np.ndarray, weights: np.ndarray, mask: int) -> float:
    total = 0.0
    for side in (0, 1):
        is_in = (mask >> np.arange(len(points)) & 1) == side
        centre = (points[is_in] * weights[is_in, None]).sum(axis=0) / weights[is_in].sum()
        total += float((((points[is_in] - centre) ** 2).sum(axis=1) * weights[is_in]).sum())
    return total


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"profiles": [{"code": "a", "label": LABEL, "high": ["height"]}]}, "height is none of the dimensions"),
        ({"dimensions": [{"column": "f_score"}, {"column": "f_score"}]}, "f_score stands twice"),
        ({"dimensions": [{"column": "f_score", "edges": [2, 1]}]}, "must rise"),
        ({"dimensions": [{"column": "f_scor"}]}, "f_scor is no column of numbers"),
        ({"dimensions": [{"column": "segment"}]}, "segment is no column of numbers"),
    ],
)
def test_groups_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        Clusters.model_validate({"dimensions": [], "profiles": [], **change})
