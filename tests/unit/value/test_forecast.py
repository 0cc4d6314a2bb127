"""The forecast of a month: its days, its sums, and that tiers add up to all."""

from datetime import date

import polars as pl
import pytest

from tasks.transforms.value.forecast import forecast, forecast_figures, next_month
from tasks.transforms.value.models import fit_models, models_of
from tests.unit.value.builders import AS_OF, POLICY, cdnow_sample


def tiered() -> pl.LazyFrame:
    """CDNOW's sample in two tiers, three orders on every two purchase days."""
    return cdnow_sample().lazy().with_columns(
        tier=pl.when(pl.col("life_net_fen") > 10_000).then(pl.lit("gold")).otherwise(pl.lit("base")),
        life_orders=pl.col("purchase_days") * 3 // 2 + pl.col("purchase_days") % 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 31)),
        (date(2026, 3, 9), date(2026, 3, 10), date(2026, 4, 9)),
    ],
)
def test_the_month_that_a_forecast_is_about(day: date, first: date, last: date):
    assert next_month(day) == (first, last)


def test_a_forecast_is_the_sum_of_what_each_is_expected_to_do():
    models = models_of(fit_models(tiered(), None, POLICY, AS_OF), POLICY)
    rows = {row["group"]: row for row in forecast(tiered(), models, AS_OF).to_dicts()}
    customers = tiered().collect()
    history = pl.DataFrame(customers).select(x=pl.col("purchase_days") - 1)
    assert rows["all"]["customers"] == history.height
    assert rows["all"]["revenue_fen"] == rows["base"]["revenue_fen"] + rows["gold"]["revenue_fen"]
    assert rows["all"]["orders"] == pytest.approx(rows["base"]["orders"] + rows["gold"]["orders"], abs=1)
    per_day = customers["life_orders"].sum() / customers["purchase_days"].sum()
    of_october = sum(models.law.expected(models.buying, _history(row), 31)[0] for row in customers.head(60).to_dicts())
    few = forecast(tiered().head(60), models, AS_OF).filter(group="all")["orders"].item()
    own = customers.head(60)
    assert few == pytest.approx(of_october * own["life_orders"].sum() / own["purchase_days"].sum(), abs=0.51)
    assert 1.4 < per_day < 1.8


def _history(row: dict):
    import numpy as np

    from tasks.transforms.value.buying import Histories

    t_x, age = (row["last_order_on"] - row["first_order_on"]).days, (AS_OF - row["first_order_on"]).days
    return Histories(*(np.array([float(value)]) for value in (row["purchase_days"] - 1, t_x, age, 1)))


def test_the_figures_are_rows_of_metrics():
    models = models_of(fit_models(tiered(), None, POLICY, AS_OF), POLICY)
    figures = forecast_figures(tiered(), models, AS_OF).collect()
    assert figures.columns == ["as_of", "metric", "segment_code", "value"]
    assert set(figures["metric"]) == {"next_month_orders", "next_month_revenue_fen"}
    assert set(figures["segment_code"]) == {"all", "base", "gold"}


def test_a_base_of_nobody_has_no_forecast():
    models = models_of(fit_models(tiered(), None, POLICY, AS_OF), POLICY)
    assert forecast_figures(tiered().filter(pl.lit(value=False)), models, AS_OF).collect().is_empty()
