"""Scores by each method, with levels of their own, capped purchases, and cut-offs that stand for a quarter."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.policy.rfm import DIMENSIONS, Rfm
from tasks.transforms.cutoffs import coarse_scores, cutoffs_of, ladders, revision_due, standing_cutoffs
from tasks.transforms.rfm import score_rfm
from tasks.transforms.rfm_values import percentile_of, with_scored_values
from tests.support.examples import examples

SCHEMA = {"one_id": pl.Int64, "recency_days": pl.Int64, "frequency": pl.Int64, "monetary_fen": pl.Int64}
JANUARY, FEBRUARY, MARCH, APRIL = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)
PUBLISHED = [1] * 700 + [2] * 200 + [3] * 70 + [8] * 30
EDGES = {"r": {"edges": [30, 60, 90, 180]}, "f": {"edges": [2, 3, 5, 8]}, "m": {"edges": [100, 200, 300]}}
POLICIES = [
    Rfm(), Rfm(levels=10), Rfm(method="quantile_mid_rank"), Rfm(method="clusters", levels=4),
    Rfm.model_validate({"method": "fixed_edges", **EDGES}),
    Rfm.model_validate({"f": {"method": "clusters", "levels": 3}, "m": {"levels": 7}}),
]  # fmt: skip


def facts(frequencies: list[int]) -> pl.LazyFrame:
    rows = [(n, 400 - f if f else None, f, 10 * f) for n, f in enumerate(frequencies)]
    return pl.LazyFrame(rows, SCHEMA, orient="row")


def by_value(rfm: Rfm, frequencies: list[int]) -> dict[int, int]:
    rows = score_rfm(facts(frequencies), rfm).select("frequency", "f_score").unique().collect()
    return dict(sorted(rows.iter_rows()))


def test_mid_rank_by_the_published_numbers():
    rfm = Rfm(method="quantile_mid_rank")
    assert by_value(rfm, PUBLISHED) == {1: 2, 2: 5, 3: 5, 8: 5}
    assert by_value(rfm, [7, 7, 7]) == {7: 3}


def test_edges_are_inside_on_their_better_side():
    days = [0, 30, 31, 60, 61, 90, 91, 180, 181]
    rows = [(n, day, f, 100 * n) for n, (day, f) in enumerate(zip(days, [1, 2, 3, 4, 5, 7, 8, 9, 1], strict=True))]
    got = score_rfm(pl.LazyFrame(rows, SCHEMA, orient="row"), POLICIES[4]).collect()
    assert got["r_score"].to_list() == [5, 5, 4, 4, 3, 3, 2, 2, 1]
    assert got["f_score"].to_list() == [1, 2, 3, 3, 4, 4, 5, 5, 1]
    assert got["m_score"].to_list() == [1, 2, 3, 4, 4, 4, 4, 4, 4]


def test_clusters_and_levels_of_one_dimension():
    assert by_value(POLICIES[5], PUBLISHED) == {1: 1, 2: 2, 3: 2, 8: 3}
    assert POLICIES[5].levels_of("m") == 7


def test_high_is_above_the_policy_s_own_score():
    got = score_rfm(facts([1, 2, 3]), Rfm(high_above={"r": 1, "f": 3, "m": 0})).collect()
    assert got["rfm_cell"].to_list() == ["LLH", "HLH", "HHH"]


@pytest.mark.parametrize("wrong", [
    {"method": "fixed_edges"}, {"f": {"edges": [3, 2]}}, {"levels": 2}, {"levels": 11},
    {"f": {"method": "fixed_edges", "edges": [2, 3, 5], "levels": 5}}, {"f": {"method": "fixed_edges", "edges": [2]}},
    {"f": {"method": "clusters", "edges": [2, 3, 5]}},
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Rfm.model_validate(wrong)


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.sampled_from(POLICIES))
def test_scores_rise_with_values_and_stand_when_cut_again(frequencies: list[int], rfm: Rfm):
    scored = score_rfm(facts(frequencies), rfm)
    base = scored.filter(pl.col("frequency") > 0).sort("frequency").collect()
    for name in DIMENSIONS:
        column = base[f"{name}_score"]
        assert column.is_sorted()
        assert column.is_between(1, rfm.levels_of(name)).all()
    stored = cutoffs_of(scored, rfm, as_of=JANUARY).collect()
    again = score_rfm(facts(frequencies), rfm, ladders(stored))
    assert again.collect().equals(scored.collect())


def test_cut_offs_stand_until_the_next_quarter():
    rfm, computed = Rfm(revise="quarterly"), []
    previous = None
    for as_of, bought in ((JANUARY, [1, 2, 3, 4, 5]), (FEBRUARY, [9, 9, 9, 9, 1]), (MARCH, [5] * 5), (APRIL, [5, 6])):
        standing = standing_cutoffs(previous, rfm, as_of)
        scored = score_rfm(facts(bought), rfm, ladders(standing))
        rows = cutoffs_of(scored, rfm, as_of=as_of, standing=standing).collect()
        computed.append((rows["computed_on"].unique().to_list(), rows.filter(dimension="f")["cutoff"].to_list()))
        previous = rows.lazy()
        if as_of == FEBRUARY:
            assert scored.collect()["f_score"].to_list() == [5, 5, 5, 5, 1]
    assert computed[:3] == [([JANUARY], [1, 2, 3, 4, 5])] * 3
    assert computed[3] == ([APRIL], [5, None, 6, None, None])
    assert revision_due(JANUARY, rfm) == date(2026, 4, 1)


def test_another_method_or_measure_is_revised_at_once():
    rfm = Rfm(revise="quarterly")
    rows = cutoffs_of(score_rfm(facts([1, 2, 3]), rfm), rfm, as_of=JANUARY).collect()
    assert standing_cutoffs(rows.lazy(), rfm, FEBRUARY).height == 15
    mixed = rfm.model_copy(update={"m": rfm.m.model_copy(update={"method": "clusters"}), "frequency": "purchase_days"})
    assert standing_cutoffs(rows.lazy(), mixed, FEBRUARY)["dimension"].unique().to_list() == ["r"]
    assert standing_cutoffs(rows.lazy(), Rfm(), FEBRUARY).is_empty()


def test_nearest_rank():
    values = pl.LazyFrame({"v": range(1, 201)}).select(percentile_of(pl.col("v"), Decimal("99.5"))).collect().item()
    assert values == 199
    assert pl.select(v=pl.lit([7])).explode("v").select(percentile_of(pl.col("v"), Decimal("99.5"))).item() == 7


def test_single_huge_orders_are_capped_and_the_raw_sum_stands_beside():
    days = [date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 9), date(2026, 1, 9)]
    orders = pl.LazyFrame({
        "one_id": [0, 0, 0, 1], "paid_on": days, "net_fen": [100, 9000, 200, 300], "is_qualifying": [True] * 4,
    })  # fmt: skip
    given_ = pl.LazyFrame([(0, 22, 3, 9300), (1, 22, 1, 300), (2, None, 0, 0)], SCHEMA, orient="row")

    def valued(**rules: object) -> list[tuple[object, ...]]:
        rfm = Rfm.model_validate(rules)
        return with_scored_values(given_, orders, rfm, as_of=JANUARY).sort("one_id").collect().select(
            "monetary_fen", "monetary_scored_fen", "frequency_scored"
        ).rows()  # fmt: skip

    assert valued() == [(9300, None, None), (300, None, None), (0, None, None)]
    assert valued(winsorise={"percentile": "75"}) == [(9300, 600, None), (300, 300, None), (0, None, None)]
    assert valued(monetary="spend_per_order", winsorise={"percentile": "75"})[0] == (9300, 200, None)
    assert valued(winsorise={"percentile": "51", "of": "customers"}) == [
        (9300, 9300, None),
        (300, 300, None),
        (0, None, None),
    ]
    assert valued(frequency="purchase_days") == [(9300, None, 2), (300, None, 1), (0, None, None)]


def test_coarse_scores_are_told_of():
    rfm = Rfm(warn_base_below=4)
    coarse = cutoffs_of(score_rfm(facts([1, 1, 1, 2]), rfm), rfm, as_of=JANUARY).collect()
    told = coarse_scores(coarse, rfm)
    assert [entry["dimension"] for entry in told] == ["f", "m", "r"]
    assert told[0]["warning"] == "4 customers, 75.00% share one value, 2 of 5 scores in use; consider fixed edges"
    fine = cutoffs_of(score_rfm(facts([1, 2, 3, 4]), rfm), rfm, as_of=JANUARY).collect()
    assert coarse_scores(fine, rfm) == []
