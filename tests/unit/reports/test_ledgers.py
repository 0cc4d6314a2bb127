"""Accounts that must add up: audiences, files, revenue."""

import json
from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.reports.inputs import count_refusals, monthly_revenue
from tasks.reports.ledgers import (
    file_accounts,
    is_published_as,
    outcome_counts,
    published_account,
    revenue_months,
    waterfall,
)
from tasks.reports.reasons import ORDER, OUTCOMES
from tests.support.report_data import full_month

ACCOUNT = {"delivered": 2, "no_consent": 3, "rule_not_met": 4}


def test_waterfall_goes_down_reason_by_reason_in_the_order_of_the_walk() -> None:
    assert [(s.kind, s.code, s.customers, s.start, s.end) for s in waterfall(ACCOUNT, ORDER)] == [
        ("base", "base", 9, 9, 0),
        ("reason", "rule_not_met", 4, 9, 5),
        ("reason", "no_consent", 3, 5, 2),
        ("end", "delivered", 2, 2, 0),
    ]


@given(st.dictionaries(st.sampled_from([*OUTCOMES, "something_new"]), st.integers(1, 10**6)).filter(
    lambda found: "base" not in found and "considered" not in found))  # fmt: skip
def test_every_waterfall_ends_at_those_who_remain(outcomes: dict[str, int]) -> None:
    steps = waterfall(outcomes, ORDER)
    left = [step.end for step in steps if step.kind == "reason"] or [steps[0].start]
    assert left[-1] == sum(step.customers for step in steps if step.kind == "end")
    assert steps[0].customers == sum(step.customers for step in steps[1:])


def test_a_published_account_counts_the_planned_as_delivered() -> None:
    assert is_published_as(ACCOUNT, {"base": 9, "rule_not_met": 4, "no_consent": 3, "delivered": 2, "holdout": 0})
    assert is_published_as({"planned": 2, "no_consent": 3}, {"base": 5, "no_consent": 3, "delivered": 2})
    assert not is_published_as(ACCOUNT, {"base": 9, "rule_not_met": 5, "no_consent": 3, "delivered": 1})
    assert not is_published_as(ACCOUNT, {"base": 9, "rule_not_met": 4, "no_consent": 2, "delivered": 2, "capped": 1})


def test_the_last_revision_holds_the_account() -> None:
    deliveries = pl.DataFrame(
        {"send_id": ["a", "a"], "seq": [2, 1], "waterfall": [json.dumps({"base": 7}), json.dumps({"base": 6})]}
    )
    assert published_account(deliveries, "a") == {"base": 7}
    assert published_account(deliveries, "b") is None


def test_outcomes_of_the_demo_campaigns_sum_to_all_customers() -> None:
    counts = outcome_counts(full_month().audience_members)
    assert counts.group_by("send_id").agg(pl.col("customers").sum())["customers"].to_list() == [2469, 2469]


def test_a_file_that_does_not_add_up_is_marked() -> None:
    numbers = {name: [0] for name in TABLES["files"].columns if name.startswith(("rows_", "money_"))}
    good = numbers | {"rows_read": [3], "rows_accepted": [2], "rows_quarantined": [1]}
    files = pl.DataFrame(good | {"channel": ["taobao"], "layout": ["orders"], "outcome": ["accepted"]})
    assert file_accounts(files)["is_balanced"].to_list() == [True]
    assert file_accounts(files.with_columns(rows_read=4))["is_balanced"].to_list() == [False]
    assert file_accounts(files.with_columns(money_accepted_fen=1))["is_balanced"].to_list() == [False]


def test_revenue_by_month_keeps_the_anonymous_apart() -> None:
    orders = pl.LazyFrame({
        "paid_on": [date(2017, 11, 30), date(2017, 12, 1), date(2017, 12, 2), date(2018, 1, 1)],
        "one_id": ["c_1", "c_1", None, "c_2"],
        "net_fen": [100, 250, 50, 999],
    })  # fmt: skip
    months = revenue_months(monthly_revenue(orders).collect(), last="2017-12")
    columns = months.select("paid_month", "orders", "identified_fen", "anonymous_fen", "net_fen")
    assert columns.rows() == [("2017-11", 1, 100, 0, 100), ("2017-12", 2, 250, 50, 300)]


def test_refusals_count_a_row_under_each_rule_it_broke() -> None:
    quarantine = pl.LazyFrame({"rule": ["b", "a", "b"], "row_money_fen": [5, None, -2]})
    assert count_refusals(quarantine).collect().rows() == [("a", 1, 0), ("b", 2, 3)]
