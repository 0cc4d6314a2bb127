"""Single steps of the tier machine that a month of orders does not reach: flags, locks, validity, changed ladders."""

from datetime import date

import polars as pl

from tasks.policy.tiers import Tiers
from tasks.transforms.tier_replay import advance
from tasks.transforms.tier_spend import with_counting_days
from tasks.transforms.tiers import STATE
from tests.unit.transforms import builders
from tests.unit.transforms.builders import ladder

JANUARY, FEBRUARY, MARCH = date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)
NO_MOVES = pl.LazyFrame(schema={"one_id": pl.String, "counted_on": pl.Date, "moved_on": pl.Date, "back_fen": pl.Int64})


def after_february(spend: int, tiers: Tiers, *, flagged: bool = False, **state: object) -> dict[str, object]:
    """One customer without new orders, reviewed at the end of February."""
    before = {"one_id": "ann", "tier": "base", "tier_level": 0, **state}
    previous = pl.LazyFrame([before], {"one_id": pl.String, "tier": pl.String, **STATE})
    people = pl.LazyFrame({"one_id": ["ann"], "tier_spend_fen": [spend], "is_fraud": [flagged]})
    orders = builders.orders().with_columns(one_id="buyer_key", net_fen="paid_fen")
    counted = with_counting_days(orders, NO_MOVES, as_of=FEBRUARY, tiers=tiers)
    return advance(people, previous, counted, NO_MOVES, after=JANUARY, as_of=FEBRUARY, tiers=tiers).collect().row(
        0, named=True
    )  # fmt: skip


GOLD = {"tier": "gold", "tier_level": 2, "tier_since": JANUARY, "tier_valid_until": FEBRUARY, "tier_granted_by": "up",
        "tier_window_end": JANUARY}  # fmt: skip


def test_a_flag_takes_the_tier_even_from_under_a_lock():
    got = after_february(9000, ladder(), flagged=True, **GOLD, tier_locked_until=MARCH, tier_lock_reason="appeal")
    assert (got["tier"], got["tier_level"], got["tier_cause"], got["tier_since"]) == ("none", -1, "fraud", FEBRUARY)
    assert (got["tier_valid_until"], got["tier_gap_fen"], got["tier_locked_until"]) == (None, None, MARCH)


def test_after_the_flag_a_customer_starts_from_the_base_and_may_rise_at_once():
    out = {"tier": "none", "tier_level": -1, "tier_since": JANUARY}
    assert after_february(100, ladder(), **out)["tier_cause"] == "reinstated"
    assert after_february(100, ladder(), **out)["tier_since"] == FEBRUARY
    risen = after_february(600, ladder(), **out)
    assert (risen["tier"], risen["tier_cause"]) == ("silver", "upgrade")


def test_a_lock_holds_to_its_last_day_and_is_then_forgotten():
    held = after_february(0, ladder(), **GOLD, tier_locked_until=FEBRUARY, tier_lock_reason="promised")
    assert (held["tier"], held["tier_cause"], held["tier_lock_reason"]) == ("gold", "manual", "promised")
    ended = after_february(0, ladder(), **GOLD, tier_locked_until=JANUARY, tier_lock_reason="promised")
    assert (ended["tier"], ended["tier_cause"], ended["tier_lock_reason"]) == ("base", "downgrade", None)


def test_a_renewed_tier_lasts_to_the_end_of_the_month_that_is_valid_months_away():
    assert after_february(1600, ladder(), **GOLD)["tier_valid_until"] == MARCH
    silver_year = [tier.model_copy(update={"valid_months": 12}) for tier in ladder().tiers]
    assert after_february(1600, ladder(tiers=silver_year), **GOLD)["tier_valid_until"] == date(2025, 2, 28)


def test_what_is_left_to_the_next_tier():
    gaps = [after_february(spend, ladder())["tier_gap_fen"] for spend in (0, 499, 500, 1999, 2000)]
    assert gaps == [500, 1, 1500, 1, None]


def test_a_ladder_with_new_steps_keeps_people_by_code_and_one_without_theirs_by_rank():
    taller = [*ladder().tiers, ladder().tiers[2].model_copy(update={"code": "ruby", "up_fen": 9000, "keep_fen": 9000})]
    shifted = [taller[0], taller[1].model_copy(update={"code": "bronze", "up_fen": 100, "keep_fen": 100}), *taller[1:]]
    valid = GOLD | {"tier_valid_until": MARCH}
    assert after_february(0, ladder(tiers=shifted), **valid)["tier_level"] == 3
    assert after_february(0, ladder(tiers=ladder().tiers[:2]), **valid)["tier"] == "silver"
