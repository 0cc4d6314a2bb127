"""An explanation says the tier with amounts and dates, what is between it and the next, and why somebody moved."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.reports.explain import Stored, explain
from tasks.reports.explain_page import render_explanation
from tasks.reports.standing import next_review
from tasks.reports.telling import sentences
from tests.support.report_data import customers_frame, demo_policy
from tests.unit.transforms.builders import ladder

DAY = date(2026, 3, 31)
POLICY: Policy = demo_policy().model_copy(update={"tiers": ladder(maturity_days=7)})


def customer(**changes: Any) -> dict[str, Any]:
    """Ann at silver with 450, silent since 41 days."""
    known = {
        "one_id": "c_ann", "as_of": DAY, "policy_digest": "ab" * 32, "tier": "silver", "tier_level": 1,
        "tier_cause": "in_validity", "tier_since": date(2026, 2, 18), "tier_valid_until": date(2026, 4, 30),
        "tier_spend_fen": 390, "tier_gap_fen": 1610, "tier_granted_by": "up", "segment": "loyal", "stage": "at_risk",
        "rfm_cell": "HHL", "r_score": 3, "f_score": 4, "m_score": 2, "recency_days": 41, "frequency": 3,
        "monetary_fen": 390, "days_since_order": 41, "last_order_on": date(2026, 2, 18),
        "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC), "gross_orders": 3, "life_orders": 3, "life_net_fen": 390,
        "purchase_days": 3, "spend_3m_fen": 390,
    }  # fmt: skip
    row = customers_frame({name: [value] for name, value in (known | changes).items()}).row(0, named=True)
    return dict.fromkeys(TABLES["traits"].columns) | row


def told(*moves: tuple[str, str, str, str, str], **changes: Any) -> dict[str, Any]:
    cutoffs = [("r", 3, -60), ("r", 4, -30), ("r", 5, -9), ("f", 4, 3), ("f", 5, 6), ("m", 2, 200), ("m", 3, 800)]
    frame = pl.DataFrame(
        [{"dimension": a, "from_as_of": date(2026, 2, 28), "as_of": DAY, "from_code": b, "to_code": c, "cause": d,
          "label_path": e} for a, b, c, d, e in moves],
        {name: TABLES["migrations"].schema[name] for name in
         ("dimension", "from_as_of", "as_of", "from_code", "to_code", "cause", "label_path")},
    )  # fmt: skip
    ladder_rows = pl.DataFrame(cutoffs, ["dimension", "score", "cutoff"], orient="row")
    return explain(Stored(customer(**changes), ladder_rows, {"is_repeat_buyer": True}, frame), POLICY)


def test_the_words_say_tier_gap_scores_stage_and_cause():
    moved = ("stage", "active", "at_risk", "time", "time=at_risk")
    lines = sentences(told(moved), "en", POLICY)
    assert lines == [
        "On 2026-03-31: tier layer, still valid, since 2026-02-18; $3.90 of net spend count in the last 365 days.",
        "The tier is safe until 2026-04-30; keeping it asks for $4.00, which is $0.10 more.",
        "Why not layer: it asks for $20.00, which is $16.10 more.",
        "R = 3: the value is 41 days, this score asks for at most 60 days; one score more for at most 30 days.",
        "F = 4: the value is 3 orders, this score asks for at least 3 orders; one score more for at least 6 orders.",
        "M = 2: the value is $3.90, this score asks for at least $2.00; one score more for at least $8.00.",
        "Segment: Loyal (R 3–5, F 4–5, M 1–5); Raise the basket and ask for referrals.",
        "Stage: At risk, 41 days without an order; without a new one it is Silent from 2026-04-20.",
        "Tags: Repeat buyer.",
        "2026-03-31, stage: Active → At risk, because of: time passing.",
    ]


def test_both_languages_say_the_same_number_of_things():
    assert len(sentences(told(), "zh", POLICY)) == len(sentences(told(), "en", POLICY))


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ["spend"]),
        ({"tier_spend_fen": 2500}, []),
        ({"last_order_on": date(2026, 3, 28)}, ["spend", "maturing"]),
        ({"tier_locked_until": date(2026, 6, 1)}, ["locked", "spend"]),
        ({"tier": "none", "tier_level": -1, "tier_spend_fen": 0}, ["fraud"]),
        ({"tier": "gold", "tier_level": 2}, []),
    ],
)
def test_why_not_the_tier_above(changes: dict[str, Any], codes: list[str]):
    assert [reason["code"] for reason in told(**changes)["tier"]["why_not_above"]] == codes


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({}, date(2026, 4, 30)),
        ({"review": "fixed_dates", "review_on": ("02-29", "06-30")}, date(2026, 6, 30)),
        ({"review": "fixed_dates", "review_on": ("02-29",)}, date(2028, 2, 29)),
        ({"review": "tier_anniversary"}, date(2027, 2, 28)),
    ],
)
def test_the_next_review(changes: dict[str, Any], day: date):
    assert next_review(DAY, ladder(**changes), date(2026, 2, 18)) == day


def test_the_page_holds_every_sentence_in_both_languages_and_loads_nothing():
    page = render_explanation(told(("tier", "base", "silver", "late_data", "late_data=silver")), POLICY)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "Why not layer: it asks for $20.00" in page
    assert "数据迟到" in page
    assert "late_data=silver" in page


def test_the_page_shows_money_and_days_and_folds_tags_that_are_not_set():
    page = render_explanation(told(), POLICY)
    shown, _, folded = page.partition("<details>")
    assert "41 days" in shown
    assert ">$3.90<" in shown
    assert "Repeat buyer" in shown[shown.index("Tags that are set") :]
    assert "Repeat buyer" not in folded
    assert f"Why the other {len(POLICY.tags) - 1} are not" in folded
