"""A refresh is judged as a whole: planted losses, gaps and drifts are found and named; a quiet month passes."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from expectations.results import FIGURES, RESULTS, excesses
from tasks.errors import GateRefusedError
from tasks.gate import judge, require_steady
from tasks.policy.drift import Drift
from tasks.refs import Candidate
from tasks.transforms.results import result_figures

LIMITS = Drift(least_customers=4, max_lost_share=0.1, max_tier_shift=0.2, max_spend_factor=3)
DIMENSIONS = ("tier", "segment", "stage")


AS_OF = date(2026, 6, 30)


def customers(tiers: str, fen: int = 100, since: date = date(2025, 1, 1)) -> pl.LazyFrame:
    """One customer for each letter, which is their tier; segment and stage are the same for all."""
    first_seen_at = datetime(since.year, since.month, since.day, tzinfo=UTC)
    ids = [f"c{number:02}" for number in range(len(tiers))]
    return pl.LazyFrame({"one_id": ids, "tier": list(tiers)}).with_columns(
        segment=pl.lit("loyal"), stage=pl.lit("active"), monetary_fen=pl.lit(fen, pl.Int64),
        as_of=pl.lit(AS_OF), first_seen_at=pl.lit(first_seen_at),
    )  # fmt: skip


def moves(before: pl.LazyFrame, now: pl.LazyFrame) -> pl.LazyFrame:
    both = before.join(now, on="one_id", how="full", coalesce=True, suffix="_now")
    return pl.concat([
        both.select(
            "one_id", dimension=pl.lit(name), from_code=pl.col(name).fill_null("ENTERED"),
            to_code=pl.col(f"{name}_now").fill_null("LEFT"),
            monetary_fen=pl.coalesce("monetary_fen_now", "monetary_fen"),
        )
        for name in DIMENSIONS
    ]).with_columns(cause=pl.when(pl.col("from_code") != pl.col("to_code")).then(pl.lit("time")))  # fmt: skip


def found(before: pl.LazyFrame | None, now: pl.LazyFrame, **changed: pl.LazyFrame) -> list[str]:
    """Names of the figures beyond their limits."""
    made = {"customers": now, "tags": now, "traits": now, "migrations": moves(now if before is None else before, now)}
    results = result_figures(made | changed, before, LIMITS)
    return [text.split(" ")[0] for text in excesses(results)]


def test_a_quiet_month_and_a_first_month_pass():
    assert found(customers("aaaabb"), customers("aaaaab")) == []
    assert found(None, customers("ab")) == []


def test_a_brand_in_its_first_months_may_shift_and_may_not_lose_anybody():
    young = date(2026, 5, 1)
    assert found(customers("aaaa", since=young), customers("bbbb", fen=9_000, since=young)) == []
    assert found(customers("aaaaaaaa", since=young), customers("bbbbbb", since=young)) == ["lost_share"]
    assert found(customers("aaaa"), customers("bbbb", fen=9_000)) == ["tier_shift", "spend_factor"]


def test_lost_customers_are_found():
    assert found(customers("aaaaaaaa"), customers("aaaaaa")) == ["lost_share"]


def test_a_shift_of_tiers_is_half_the_sum_of_the_differences():
    results = result_figures(
        {"customers": customers("bbba"), "tags": customers("bbba"), "traits": customers("bbba"),
         "migrations": moves(customers("aaab"), customers("bbba"))},
        customers("aaab"), LIMITS,
    )  # fmt: skip
    assert results["tier_shift"].item() == 0.5
    assert "tier_shift is 0.5, at most 0.2" in excesses(results)[0]
    assert "max_tier_shift" in excesses(results)[0]


@pytest.mark.parametrize("fen", [10, 1000])
def test_spend_that_collapses_or_explodes_is_found(fen: int):
    assert found(customers("aaaa"), customers("aaaa", fen)) == ["spend_factor"]


def test_few_customers_drift_by_chance():
    assert found(customers("aab"), customers("bba", 5000)) == []


def test_a_matrix_that_lacks_somebody_or_some_money_is_found():
    now = customers("aaaa")
    whole = moves(now, now)
    assert found(now, now, migrations=whole.filter(pl.col("one_id") != "c00")) == ["moves_missing", "matrix_gap_fen"]
    assert found(now, now, migrations=whole.with_columns(pl.col("monetary_fen") + 1)) == ["matrix_gap_fen"]
    assert found(now, now, migrations=whole.with_columns(cause=pl.lit("time"))) == ["moves_without_cause"]


@pytest.mark.parametrize("table", ["tags", "traits"])
def test_a_customer_without_tags_or_traits_is_found(table: str):
    now = customers("aaaa")
    assert found(now, now, **{table: customers("aaa")}) == [f"{table}_missing"]


def test_the_refusal_names_figure_limit_and_knob():
    before, now = customers("a" * 8), customers("a" * 6)
    made = {"customers": now, "tags": now, "traits": now, "migrations": moves(before, now)}
    results = result_figures(made, before, LIMITS)
    with pytest.raises(GateRefusedError, match=r"lost_share is 0\.25, at most 0\.1 .*drift\.yaml: max_lost_share"):
        require_steady(results)


def test_great_expectations_judges_the_same(tmp_path: Path):
    for lost, is_good in ((0.0, True), (0.5, False)):
        row = {figure.name: 0.0 for figure in FIGURES} | {figure.most: 0.1 for figure in FIGURES} | {"lost_share": lost}
        path = tmp_path / f"{is_good}.parquet"
        pl.DataFrame([row]).write_parquet(path)
        candidate = Candidate(table=RESULTS, path=str(path), rows=1, digest="", mode="append")
        (verdict,) = judge([candidate], {}, tmp_path)
        assert (verdict.is_good, verdict.checked) == (is_good, 2 * len(FIGURES))
