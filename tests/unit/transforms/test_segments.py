"""The segment map: complete, every rule reached, first match wins, zero kinds by history."""

import polars as pl
import pytest

from tasks.errors import BadPolicyError
from tasks.policy.base import Label
from tasks.policy.rfm import Rfm
from tasks.policy.segments import SegmentRule, Segments
from tasks.transforms.segments import expand, name_segments, on_scale
from tests.unit.transforms import builders

LABEL = Label(zh="层", en="layer")


def rules(*given: tuple[str, tuple[int, int], tuple[int, int]]) -> Segments:
    """Rules of (code, r, f); m is free."""
    made = tuple(SegmentRule(code=code, label=LABEL, r=r, f=f, m=(1, 5)) for code, r, f in given)
    return Segments(rules=made, outside={}, cells={})


def test_the_default_map_names_all_125_cells_and_reaches_every_rule():
    policy = builders.demo_policy()
    expanded = expand(policy.segments)
    assert len(expanded.cells) == 125
    assert (expanded.unmatched, expanded.unreached) == ((), ())
    assert set(expanded.cells.values()) == {rule.code for rule in policy.segments.rules}


def test_the_first_rule_wins_and_one_behind_it_is_never_reached():
    expanded = expand(rules(("all", (1, 5), (1, 5)), ("best", (5, 5), (5, 5))))
    assert expanded.cells[5, 5, 5] == "all"
    assert expanded.unreached == ("best",)


def test_a_hole_in_the_map_is_named_and_refused():
    holed = rules(("recent", (2, 5), (1, 5)))
    assert expand(holed).unmatched[0] == (1, 1, 1)
    with pytest.raises(BadPolicyError, match=r"\(1, 1, 1\) and 24 other cells"):
        name_segments(pl.LazyFrame(), holed, Rfm())


def test_customers_without_scores_are_named_by_their_history():
    customers = pl.LazyFrame({
        "gross_orders": [0, 1, 3, 3], "life_orders": [0, 0, 2, 3], "frequency": [0, 0, 0, 1],
        "r_score": [0, 0, 0, 5], "f_score": [0, 0, 0, 4], "m_score": [0, 0, 0, 4],
    })  # fmt: skip
    named = name_segments(customers, builders.demo_policy().segments, Rfm()).collect()
    assert named["segment"].to_list() == ["prospect", "refunded_only", "lapsed_out_of_window", "champions"]


def test_scores_of_any_number_of_levels_are_put_on_the_scale_of_the_rules():
    placed = {
        levels: pl.select(on_scale(pl.Series(range(1, levels + 1)), levels, 5)).to_series().to_list()
        for levels in range(3, 11)
    }
    assert placed[3] == [1, 3, 5]
    assert placed[4] == [1, 2, 4, 5]
    assert placed[10] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert all(scores == sorted(scores) and (scores[0], scores[-1]) == (1, 5) for scores in placed.values())


def test_every_cell_of_other_levels_has_a_name():
    cells = pl.LazyFrame({"r_score": range(1, 4)}).join(pl.LazyFrame({"f_score": range(1, 11)}), how="cross")
    cells = cells.join(pl.LazyFrame({"m_score": range(1, 8)}), how="cross").with_columns(frequency=pl.lit(1))
    cells = cells.with_columns(gross_orders=pl.lit(1), life_orders=pl.lit(1))
    rfm = Rfm.model_validate({"r": {"levels": 3}, "f": {"levels": 10}, "m": {"levels": 7}})
    named = name_segments(cells, builders.demo_policy().segments, rfm).collect()
    assert named.height == 210
    assert named["segment"].null_count() == 0
