"""The evaluation on CDNOW's sample: the fit knows nothing of the later period, and the promises are counted."""

from datetime import date

import polars as pl
import pytest

from flows.evaluate import promises
from infra.demo import cdnow
from tasks.policy.value import Value
from tasks.transforms.value.evaluation import HINDSIGHT, NAIVE, Past, evaluate, pareto_of, with_hindsight

FIT_ON, UNTIL = date(1998, 1, 1), date(1998, 6, 30)


def orders(of: pl.DataFrame) -> pl.LazyFrame:
    return of.lazy().select(
        one_id=pl.col("customer").cast(pl.String), paid_on="bought_on", net_fen="paid_fen",
        is_qualifying=pl.col("paid_fen") > 0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found() -> dict:
    everything = orders(cdnow.sample())
    tiers = everything.select("one_id", tier=pl.lit("base")).unique()
    return evaluate(Past(everything, everything, FIT_ON, UNTIL, {FIT_ON: tiers}), Value())


def test_the_outcome_is_what_the_file_says(found: dict):
    sample = cdnow.sample().filter(pl.col("paid_fen") > 0)
    known = sample.filter(pl.col("bought_on") <= FIT_ON)["customer"].unique()
    later = sample.filter(pl.col("bought_on") > FIT_ON, pl.col("customer").is_in(known.implode()))
    assert found["customers"] == known.len()
    assert sum(row["actual_fen"] for row in found["by_decile"]) == later["paid_fen"].sum()
    assert found["by_tier"][0]["actual_fen"] == later["paid_fen"].sum()
    soon = later.filter(pl.col("bought_on") <= date(1998, 4, 1))["customer"].n_unique()
    assert found["buys_in_90_days"][0]["base_rate"] == round(soon / known.len(), 4)


def test_the_fit_sees_nothing_of_what_it_is_held_against(found: dict):
    past = orders(cdnow.sample().filter(pl.col("bought_on") <= FIT_ON))
    blind = evaluate(Past(past, past, FIT_ON, UNTIL, {}), Value())
    assert blind["parameters"] == found["parameters"]
    assert [row["predicted_fen"] for row in blind["by_decile"]] == [row["predicted_fen"] for row in found["by_decile"]]


def test_forecasts_are_made_at_each_month_s_end(found: dict):
    assert [row["month"] for row in found["forecast"]] == [f"1998-0{month}" for month in (2, 3, 4, 5, 6)]
    sample = cdnow.sample().filter(pl.col("bought_on").is_between(date(1998, 6, 1), UNTIL), pl.col("paid_fen") > 0)
    assert found["forecast"][-1]["actual_fen"] == sample["paid_fen"].sum()


def test_promises_are_counted_for_the_policy_s_model(found: dict):
    kept = {row["promise"]: row["kept"] for row in promises(found)}
    value = {row["predictor"]: row for row in found["value_ahead"]}
    assert value["bg_nbd"]["accuracy_by_decile"] > value[NAIVE]["accuracy_by_decile"]
    assert kept["the same above the spend rate so far"] == "yes"
    assert kept["Brier score below the base rate's"] == "yes"
    assert len(kept) == 5


def test_the_published_share_of_the_top_fifth():
    everything = orders(cdnow.master())
    assert pareto_of(Past(everything, everything, FIT_ON, UNTIL, {})) == pytest.approx(0.6778, abs=5e-5)


def test_hindsight_is_the_share_who_came_back_of_each_history(found: dict):
    """No function of the same cells can rank better: any other order of the cells has a smaller area."""
    rows = {row["predictor"]: row for row in found["buys_in_90_days"]}
    assert rows[HINDSIGHT]["calibration_error_points"] == 0
    assert rows[HINDSIGHT]["auc"] > rows["bg_nbd"]["auc"]
    assert rows[HINDSIGHT]["brier"] < rows["bg_nbd"]["brier"]
    known = pl.DataFrame({
        "purchase_days": [1, 1, 1, 9, 12], "bought": [True, False, False, True, True],
        "last_order_on": [FIT_ON, FIT_ON, date(1997, 6, 1), FIT_ON, FIT_ON], "first_order_on": [date(1997, 6, 1)] * 5,
    })  # fmt: skip
    assert with_hindsight(known, FIT_ON)["chance"].to_list() == [0.5, 0.5, 0.0, 1.0, 1.0]
