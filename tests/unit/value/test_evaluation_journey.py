"""A real retailer's year: what algorithms §16 says that a good model reaches, from the raw baskets."""

from datetime import date

import polars as pl
import pytest

from flows.evaluate import promises
from tasks.policy.value import Value
from tasks.transforms.value.evaluation import NAIVE, Past, evaluate
from tests.support.journey import baskets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> dict:
    schema = {"one_id": pl.Int64, "paid_on": pl.Date, "net_fen": pl.Int64}
    rows = pl.DataFrame(baskets(), schema=schema, orient="row").lazy()
    orders = rows.with_columns(pl.col("one_id").cast(pl.String), is_qualifying=pl.col("net_fen") > 0)
    return evaluate(Past(orders, orders, date(2017, 6, 30), date(2017, 12, 31), {}), Value())


def test_value_ahead(found: dict):
    value = {row["predictor"]: row for row in found["value_ahead"]}
    assert value["bg_nbd"]["accuracy_by_decile"] == pytest.approx(0.958, abs=0.001)
    assert value["bg_nbd"]["accuracy_by_customer"] == pytest.approx(0.631, abs=0.001)
    assert value[NAIVE]["accuracy_by_decile"] == pytest.approx(0.890, abs=0.001)
    assert value[NAIVE]["accuracy_by_customer"] == pytest.approx(0.629, abs=0.001)


def test_buying_in_90_days(found: dict):
    buys = found["buys_in_90_days"][0]
    assert buys["calibration_error_points"] == pytest.approx(2.05, abs=0.05)
    assert buys["auc"] == pytest.approx(0.897, abs=0.001)
    assert (buys["brier"], buys["brier_of_base_rate"]) == (0.0468, 0.0506)


def test_every_promise_is_kept(found: dict):
    assert {row["kept"] for row in promises(found)} == {"yes"}
    assert found["pareto_20"] == 0.5451
    assert found["one_time_buyers"] < 0.05
