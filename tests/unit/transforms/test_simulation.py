"""Another policy on the same customers: who moves, what hangs on it; and the same policy moves nobody."""

from datetime import date
from typing import Any

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.models import Policy
from tasks.policy.tiers import Tiers
from tasks.reports.simulated import why_moved
from tasks.transforms.simulation import Side, audiences, coupon_money, coupons, matrix, movers, totals
from tests.unit.transforms.builders import demo_policy, ladder

POLICY: Policy = demo_policy().model_copy(update={"tiers": ladder()})
PEOPLE = [("ann", "silver", 1, 700), ("bob", "base", 0, 300), ("cat", "base", 0, 90)]


def customers(*rows: tuple[str, str, int, int]) -> pl.LazyFrame:
    """(id, tier, level, spend); segment and stage are the same for all."""
    frame = pl.LazyFrame(list(rows), ["one_id", "tier", "tier_level", "monetary_fen"], orient="row")
    return frame.with_columns(
        segment=pl.lit("loyal"), stage=pl.lit("active"), tier_spend_fen="monetary_fen", r_score=4, f_score=4, m_score=4,
        days_since_order=12, as_of=pl.lit(date(2026, 3, 31)),
    )  # fmt: skip


NOW, THEN = customers(*PEOPLE), customers(PEOPLE[0], ("bob", "silver", 1, 300), PEOPLE[2])


def test_the_same_customers_do_not_move():
    assert movers(NOW, NOW).collect().is_empty()


def test_the_mover_is_counted_with_money_once_in_each_dimension():
    moved = movers(NOW, THEN)
    assert matrix(moved).collect().rows() == [("tier", "base", "silver", 1, 300)]
    nobody = {"customers": 0, "spend_fen": 0}
    one = {"customers": 1, "spend_fen": 300}
    assert totals(moved) == {
        "any": one, "tier": one, "segment": nobody, "stage": nobody, "tier_up": one, "tier_down": nobody,
    }  # fmt: skip


def test_movers_come_with_the_most_valuable_first():
    then = customers(*((one, "gold", 2, fen) for one, _, _, fen in PEOPLE))
    assert movers(NOW, then).collect()["one_id"].to_list() == ["ann", "bob", "cat"]


def campaign(**changes: Any) -> Campaign:
    known: dict[str, Any] = {
        "code": "thanks", "label": {"zh": "谢", "en": "Thanks"}, "touch_channel": "sms", "vendor": "v",
        "audience": "tier = 'silver'", "template": "T", "message_cost_fen": 5,
    }  # fmt: skip
    return Campaign.model_validate(known | changes)


def test_messages_are_counted_under_either_policy():
    now = Side(POLICY.model_copy(update={"campaigns": (campaign(),)}), NOW, NOW)
    then = Side(
        POLICY.model_copy(update={"campaigns": (campaign(), campaign(code="new", audience="1 = 1"))}), THEN, THEN
    )
    assert audiences(now, then).rows() == [("thanks", 1, 5, 0, 2, 10, 0), ("new", 0, 0, 0, 3, 15, 0)]


def test_what_messages_give_away_is_at_stake_by_the_dearest_variant():
    two = [{"code": "a", "incentive_fen": 30}, {"code": "b"}]
    given = campaign(incentive_fen=20, variants=two, holdout={"experiment": "exp:x", "percent": 0})
    now, then = (Side(POLICY.model_copy(update={"campaigns": (one,)}), NOW, NOW) for one in (campaign(), given))
    assert audiences(now, then).select("incentive_fen", "incentive_fen_then").rows() == [(0, 30)]


def test_coupons_go_to_those_who_hold_their_tier():
    tiers = POLICY.tiers.tiers
    given = Tiers.model_validate(
        {"tiers": (tiers[0], tiers[1].model_copy(update={"coupons": ("birthday",)}), tiers[2]), "maturity_days": 0}
    )
    policy = POLICY.model_copy(update={"tiers": given})
    assert coupons(Side(policy, NOW, NOW), Side(policy, THEN, THEN)).rows() == [("birthday", 1, 2)]
    taken = pl.LazyFrame({"one_id": ["bob", "bob", "ann"], "coupon_fen": [20, None, 70]})
    assert coupon_money(movers(NOW, THEN), taken) == 20


def test_the_reason_names_both_thresholds():
    row = movers(NOW, THEN).collect().row(0, named=True)
    cheap = [
        tier.model_copy(update={"up_fen": tier.up_fen // 2, "keep_fen": tier.keep_fen // 2}) for tier in ladder().tiers
    ]
    then = POLICY.model_copy(update={"tiers": ladder().model_copy(update={"tiers": tuple(cheap)})})
    assert [text.en for text in why_moved(row, POLICY, then)] == [
        "Tier layer → layer: $3.00 → $3.00 of spend count; layer is reached and kept with $5.00/$4.00 → $2.50/$2.00."
    ]
