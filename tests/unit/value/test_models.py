"""The table models: what is fitted, what is carried on, what is too little; and that scores come from its rows."""

from datetime import date, timedelta

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.policy.value import Value
from tasks.transforms.value.models import fit_models, models_of
from tests.unit.value.builders import AS_OF, POLICY, cdnow_sample, customers

LATER = AS_OF + timedelta(days=31)
NOBODY = customers()


def fitted(
    rows: pl.LazyFrame, previous: pl.LazyFrame | None = None, as_of: date = AS_OF, policy: Value = POLICY
) -> pl.LazyFrame:  # fmt: skip
    return fit_models(rows, previous, policy, as_of)


@pytest.fixture(scope="module")
def cdnow() -> pl.LazyFrame:
    return fitted(cdnow_sample().lazy()).collect().lazy()


def test_the_rows_are_those_of_the_table(cdnow: pl.LazyFrame):
    frame = cdnow.collect()
    assert frame.schema == TABLES["models"].schema
    assert frame.equals(frame.sort(TABLES["models"].key))
    assert frame.select(TABLES["models"].key).is_unique().all()


def test_what_a_fit_tells(cdnow: pl.LazyFrame):
    told = {(row[0], row[1]): row[2] for row in cdnow.select("model", "parameter", "estimate").collect().iter_rows()}
    assert told["bg_nbd", "alpha_days"] == pytest.approx(7 * 4.4136, abs=1e-3)
    assert told["bg_nbd", "one_time_share"] == round(1411 / 2357, 4)
    assert told["bg_nbd", "gradient"] == 0
    assert told["bg_nbd", "customers_fitted"] == 2357
    assert told["gamma_gamma", "population_mean_fen"] == pytest.approx(3517, abs=1)
    assert told["gamma_gamma", "correlation"] == 0.1139
    assert cdnow.collect()["fit_status"].unique().to_list() == ["accepted"]


def test_parameters_come_back_from_the_rows(cdnow: pl.LazyFrame):
    models = models_of(cdnow, POLICY)
    assert models.law.model == "bg_nbd"
    assert models.buying
    assert models.spending
    assert models.buying.r == pytest.approx(0.2426, abs=1e-4)


def test_too_few_customers_are_not_fitted():
    rows = fitted(customers(*[(3, 90, 10, 900, 300)] * 20)).collect()
    assert set(rows["fit_status"]) == {"too_few"}
    assert rows.filter(parameter="r")["estimate"].to_list() == [None]
    models = models_of(rows.lazy(), POLICY)
    assert (models.buying, models.spending) == (None, None)


def test_what_was_accepted_last_is_carried_as_long_as_nothing_better_comes(cdnow: pl.LazyFrame):
    once = fitted(NOBODY, cdnow, LATER).collect().lazy()
    twice = fitted(NOBODY, once, LATER + timedelta(days=30)).collect()
    carried = twice.filter(pl.col("parameter").is_in(["r", "alpha_days", "a", "b", "p", "q", "v_fen"]))
    assert set(carried["fit_status"]) == {"carried"}
    assert models_of(twice.lazy(), POLICY) == models_of(cdnow, POLICY)
    again = fitted(cdnow_sample().lazy(), twice.lazy()).collect()
    assert again.equals(cdnow.collect())


def test_a_model_that_does_not_converge_falls_back_and_says_so(cdnow: pl.LazyFrame, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tasks.transforms.value.fit.ACCEPTED", 0.0)
    alone, after = (fitted(cdnow_sample().lazy(), before).collect() for before in (None, cdnow))
    assert set(alone["fit_status"]) == {"not_converged"}
    assert set(after.filter(parameter="r")["fit_status"]) == {"carried"}
    assert set(after.filter(parameter="customers_fitted")["fit_status"]) == {"not_converged"}
    assert models_of(after.lazy(), POLICY) == models_of(cdnow, POLICY)


def test_another_model_of_the_policy_starts_anew(cdnow: pl.LazyFrame):
    modified = Value(model="mbg_nbd")
    assert models_of(fitted(NOBODY, cdnow, LATER, modified), modified).buying is None
