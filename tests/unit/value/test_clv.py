"""The columns of value: against the formulas customer by customer, and each case by its status."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.value import Value
from tasks.transforms.value import clv
from tasks.transforms.value.buying import Histories
from tasks.transforms.value.clv import value_customers
from tasks.transforms.value.models import fit_models, models_of
from tasks.transforms.value.spending import expected_means
from tests.support.examples import examples
from tests.unit.value.builders import AS_OF, POLICY, cdnow_sample, customers

MODIFIED = Value(model="mbg_nbd")
NONE = pl.LazyFrame(
    schema={"model": pl.String, "parameter": pl.String, "estimate": pl.Float64, "fit_status": pl.String}
)


@cache
def fitted() -> pl.LazyFrame:
    return fit_models(cdnow_sample().lazy(), None, POLICY, AS_OF).collect().lazy()


@pytest.fixture
def models() -> pl.LazyFrame:
    return fitted()


def valued(rows: pl.LazyFrame, models: pl.LazyFrame, policy: Value = POLICY, as_of: date = AS_OF) -> list[dict]:
    return value_customers(rows, models, policy, as_of).collect().to_dicts()


def test_every_customer_of_cdnow_equals_the_formulas_one_by_one(models: pl.LazyFrame):
    """Straight from algorithms §8 and §9, without the shortcuts of many customers at once."""
    m = models_of(models, POLICY)
    rows = valued(cdnow_sample().head(150).lazy(), models)
    for row in rows:
        x = row["purchase_days"] - 1
        t_x, age = ((day - row["first_order_on"]).days for day in (row["last_order_on"], AS_OF))
        one = Histories(*(np.array([float(value)]) for value in (x, t_x, age, 1)))
        mean = (row["life_net_fen"] - row["first_day_fen"]) / max(x, 1)
        worth = expected_means(m.spending, np.array([float(x)]), np.array([mean]))[0]
        sums = [0.0, *(m.law.expected(m.buying, one, 30 * month)[0] for month in range(1, 13))]
        total = sum((b - a) * worth / 1.01**month for month, (a, b) in enumerate(pairwise(sums), 1))
        assert row["clv_fen"] == pytest.approx(total, abs=0.51)
        assert row["expected_orders_90d"] == pytest.approx(sums[3], abs=5.1e-5)
        assert row["expected_value_fen"] == pytest.approx(worth, abs=0.51)
        assert row["p_buy_90d"] == pytest.approx(m.law.p_buys(m.buying, one, 90)[0], abs=5.1e-5)
        assert row["p_alive"] is None if x == 0 else row["p_alive"] == round(m.law.p_alive(m.buying, one)[0], 4)
        assert row["clv_status"] == ("model" if x else "population_mean")


def test_parts_of_any_size_give_the_same(models: pl.LazyFrame, monkeypatch: pytest.MonkeyPatch):
    whole = valued(cdnow_sample().lazy(), models)
    monkeypatch.setattr(clv, "_PART", 97)
    assert valued(cdnow_sample().lazy(), models) == whole


def test_who_never_bought_has_no_value_and_keeps_the_place(models: pl.LazyFrame):
    rows = valued(customers((0, 0, 0, 0, 0), (2, 90, 10, 900, 300), (0, 0, 0, 0, 0)), models)
    assert [row["clv_status"] for row in rows] == ["none", "model", "none"]
    assert [rows[0][name] for name in ("p_alive", "p_buy_90d", "expected_orders_90d", "clv_fen")] == [None] * 4
    assert valued(customers((0, 0, 0, 0, 0)), models)[0]["clv_status"] == "none"
    assert valued(customers(), models) == []


def test_without_models_the_rate_so_far_stands_in():
    """Three purchases in 180 days, so 2 repeats: 1 in 90 days, 300 fen each; a lost customer brings nothing."""
    rows = customers((3, 180, 10, 900, 300), (3, 180, 10, 900, 300), (2, 10, 5, 500, 200)).with_columns(
        stage=pl.Series(["active", "lost", "active"])
    )
    usual, lost, young = valued(rows, NONE)
    assert (usual["expected_orders_90d"], usual["expected_value_fen"], usual["p_alive"]) == (1, 300, None)
    assert usual["clv_fen"] == round(sum(300 / 3 / 1.01**month for month in range(1, 13)))
    assert (lost["expected_orders_90d"], lost["clv_fen"]) == (0, 0)
    assert young["expected_orders_90d"] == 1, "a customer of ten days is not taken for one who buys every ten days"
    assert {row["clv_status"] for row in (usual, lost, young)} == {"heuristic"}


def test_only_the_modified_model_tells_whether_a_one_time_buyer_is_alive(models: pl.LazyFrame):
    rows = customers((1, 20, 20, 300, 300), (1, 260, 260, 300, 300))
    modified = fit_models(cdnow_sample().lazy(), None, MODIFIED, AS_OF).collect().lazy()
    assert [row["p_alive"] for row in valued(rows, models)] == [None, None]
    young, old = (row["p_alive"] for row in valued(rows, modified, MODIFIED))
    assert 1 > young > old > 0


def test_margins_scale_the_value_and_the_history(models: pl.LazyFrame):
    policy = Value(margin_rate=Decimal("0.2"), margin_by_category={"Tea": Decimal("0.5")})
    rows = customers(*[(3, 180, 10, 905, 300)] * 3).with_columns(preferred_category=pl.Series(["CDs", "Tea", None]))
    full = [row["clv_fen"] for row in valued(rows, models)]
    parts = valued(rows, models, policy)
    assert [row["margin_fen"] for row in parts] == [181, 453, 181]
    assert [row["clv_fen"] for row in parts] == pytest.approx([0.2 * full[0], 0.5 * full[1], 0.2 * full[2]], abs=1)
    assert [row["margin_fen"] for row in valued(rows, models)] == [None] * 3


def test_margins_by_category_need_one_for_the_rest():
    with pytest.raises(ValueError, match="needs margin_rate"):
        Value(margin_by_category={"Tea": Decimal("0.5")})
    with pytest.raises(ValueError, match="between 0 and 1"):
        Value(margin_rate=Decimal("0.2"), margin_by_category={"Tea": Decimal(5)})


@settings(max_examples=examples(15))
@given(days=st.integers(2, 40), age=st.integers(60, 900), silent=st.integers(0, 50), longer=st.integers(1, 9))
def test_longer_silence_never_makes_a_customer_likelier_to_be_alive(days: int, age: int, silent: int, longer: int):
    near, far = valued(customers((days, age, silent, 900, 100), (days, age, silent + longer, 900, 100)), fitted())
    assert near["p_alive"] >= far["p_alive"]
    assert near["clv_fen"] >= far["clv_fen"] >= 0


@settings(max_examples=examples(15))
@given(days=st.integers(1, 40), age=st.integers(60, 900), months=st.integers(1, 24))
def test_a_longer_horizon_is_worth_no_less(days: int, age: int, months: int):
    last = age if days == 1 else 5
    rows = customers((days, age, last, 100 * days, 100))
    less, more = (valued(rows, fitted(), Value(horizon_months=n))[0]["clv_fen"] for n in (months, months + 6))
    assert less <= more


def test_a_day_later_the_same_customer_is_older(models: pl.LazyFrame):
    rows = customers((4, 200, 20, 900, 100))
    today, later = (valued(rows, models, as_of=AS_OF + timedelta(days=ahead))[0] for ahead in (0, 60))
    assert later["p_alive"] < today["p_alive"]


def test_parameters_at_a_bound_never_give_a_number_that_is_none():
    """What a shop of one month was fitted to: a and b so large that the hypergeometric form overflows."""
    bound = {"r": 1.83628, "alpha_days": 88.7827, "a": 12_537.9, "b": 156_130.0}
    rows = [
        {"model": "mbg_nbd", "parameter": name, "estimate": value, "fit_status": "accepted"}
        for name, value in bound.items()
    ]
    models = pl.LazyFrame(rows, schema=NONE.collect_schema())
    young = customers((1, 29, 29, 5_000, 5_000), (2, 20, 3, 9_000, 4_000), (4, 29, 1, 20_000, 6_000))
    for row in valued(young, models, MODIFIED):
        assert 0 <= row["expected_orders_90d"] < 90
        assert 0 <= row["clv_fen"] < 10**7
