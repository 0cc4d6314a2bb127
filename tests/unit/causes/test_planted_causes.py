"""One person for each cause, planted so that nothing else can have moved them; and all of them replayed in full."""

from datetime import date

import polars as pl
import pytest

from tasks.policy.tiers import Tier
from tests.unit.causes.oracle import causes_by_hand
from tests.unit.causes.world import FEBRUARY, MARCH, World, policy
from tests.unit.transforms.builders import ladder

Order = tuple[str, str, date, int, date]


def bought(who: str, day: date, fen: int, known: date | None = None) -> Order:
    return (f"{who}-{day}", who, day, fen, known or day)


def world() -> World:
    """Who spends 500 reaches silver; what differs is when they did, when that was known, and what was paid back."""
    return World(
        orders=(
            bought("buys", date(2026, 2, 1), 100), bought("buys", date(2026, 3, 9), 500),
            bought("ages", date(2025, 3, 20), 600),
            bought("stays", date(2026, 2, 27), 600),
            bought("late", date(2026, 2, 1), 100), bought("late", date(2026, 2, 9), 500, known=MARCH),
            bought("unheard", date(2026, 2, 9), 500, known=MARCH),
            bought("fresh", date(2026, 3, 9), 500),
            bought("returns", date(2026, 2, 20), 600),
            bought("slow", date(2026, 2, 1), 600),
            bought("one", date(2026, 2, 1), 300), bought("One", date(2026, 2, 9), 300),
        ),
        refunds=(
            ("returns-2026-02-20", date(2026, 3, 5), 600, date(2026, 3, 5)),
            ("slow-2026-02-01", date(2026, 2, 20), 600, MARCH),
        ),
        joined=(("one", "One", date(2026, 3, 20)),),
        members=(("member", date(2026, 1, 5)),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def moves() -> pl.DataFrame:
    return world().moves()


def told(moves: pl.DataFrame, dimension: str) -> dict[str, tuple[str, str, str | None]]:
    rows = moves.filter(dimension=dimension).select("who", "from_code", "to_code", "cause").rows()
    return {who or "merged": tuple(label) for who, *label in rows}


def test_each_tier_moved_for_its_own_reason(moves: pl.DataFrame):
    assert told(moves, "tier") == {
        "buys": ("base", "silver", "new_orders"),
        "ages": ("silver", "base", "time"),
        "stays": ("silver", "silver", None),
        "late": ("base", "silver", "late_data"),
        "unheard": ("ENTERED", "silver", "late_data"),
        "fresh": ("ENTERED", "silver", "new_orders"),
        "returns": ("silver", "base", "refund"),
        "slow": ("silver", "base", "late_data"),
        "One": ("base", "silver", "identity"),
        "merged": ("base", "MERGED_INTO", "identity"),
        "member": ("base", "base", None),
    }


def test_each_stage_moved_for_its_own_reason(moves: pl.DataFrame):
    stages = told(moves, "stage")
    assert stages["returns"] == ("growing", "refunded_only", "refund")
    assert stages["slow"] == ("growing", "refunded_only", "late_data")
    assert stages["stays"] == ("new", "at_risk", "time")
    assert stages["member"] == ("prospect", "prospect", None)


def test_the_labels_on_the_way_are_told(moves: pl.DataFrame):
    paths = dict(moves.filter(dimension="stage").select("who", "label_path").iter_rows())
    assert paths["buys"] is None or paths["buys"].startswith("time=at_risk")
    assert paths["member"] is None
    assert paths["fresh"] is None


def test_causes_sum_to_the_matrix_in_counts_and_in_fen(moves: pl.DataFrame):
    moved = pl.col("from_code") != pl.col("to_code")
    assert moves.filter(moved != pl.col("cause").is_not_null()).is_empty()
    for what in (pl.len(), pl.col("monetary_fen").sum()):
        assert moves.filter(moved).select(what).item() == moves.drop_nulls("cause").select(what).item()


@pytest.mark.proof
def test_a_replay_of_everybody_names_the_same_causes(moves: pl.DataFrame):
    expected = causes_by_hand(world())
    there = moves.filter(pl.col("from_code") != "ENTERED", pl.col("to_code") != "MERGED_INTO")
    for dimension in expected:
        found = dict(there.filter(dimension=dimension).select("one_id", "cause").iter_rows())
        assert found == expected[dimension]


def test_other_thresholds_move_by_configuration_and_the_rest_stays_as_it_is():
    rules = (policy(), policy(tiers=ladder().model_copy(update={"tiers": tuple(map(halved, ladder().tiers))})))
    causes = World((bought("ann", date(2026, 2, 1), 400), bought("bob", FEBRUARY, 100)), rules=rules).causes()
    assert causes == {"ann": ["base", "silver", "config"], "bob": ["base", "base", None]}


def halved(tier: Tier) -> Tier:
    return tier.model_copy(update={"up_fen": tier.up_fen // 2, "keep_fen": tier.keep_fen // 2})


def test_other_rules_under_which_nobody_moves_have_nobody_to_replay():
    nothing_left = World(
        orders=(bought("zoe", date(2025, 12, 1), 100),),
        refunds=(("zoe-2025-12-01", date(2025, 12, 31), 100, date(2025, 12, 31)),),
        rules=(policy(), policy(tiers=ladder(grace_days=20))),
    )
    moves = nothing_left.moves()
    assert moves.height == 3
    assert moves["cause"].null_count() == 3
