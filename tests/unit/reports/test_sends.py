"""What the page says of a send and of what came back, in both languages, against the frames themselves."""

from dataclasses import replace

import polars as pl
import pytest

from flows.sends import for_people, state_of
from tasks.policy.triggers import Trigger
from tasks.reports.data import FUNNEL, ReportData
from tasks.reports.ledgers import ENDS
from tasks.reports.numbers import money
from tasks.reports.sections.campaigns import campaign_section
from tasks.reports.sections.sends import about_table, funnel_table
from tests.support.report_data import full_month


def with_funnel() -> ReportData:
    month = full_month()
    steps = {"planned": 100, "handed_over": 100, "recalled": 1, "accepted": 97, "delivered": 95, "failed": 2,
             "clicked": 7, "replied": 3, "bought": 12, "waiting": 0}  # fmt: skip
    sends = month.audience_members.select("send_id").unique()
    return replace(month, funnel=sends.with_columns(pl.lit(n).alias(step) for step, n in steps.items()).cast(FUNNEL))


def test_the_funnel_is_told_with_its_shares() -> None:
    month = with_funnel()
    table = funnel_table(month, month.funnel["send_id"][0])
    assert table is not None
    told = {cells[0].en: (cells[1].en, cells[2].en) for cells in table.rows}
    assert told["Handed over"] == ("100", "")
    assert told["Delivered"] == ("95", "95.00%")
    assert told["Bought within 7 days"] == ("12", "12.00%")
    assert funnel_table(month, "nobody/nothing/2017-01-01") is None


def test_each_send_says_what_it_costs_and_how_long_it_may_be_kept() -> None:
    month = with_funnel()
    for send in month.audience_members.unique("send_id").iter_rows(named=True):
        table = about_table(month, send)
        assert table is not None
        told = {cells[0].en: cells[1].en for cells in table.rows}
        going = month.audience_members.filter(pl.col("send_id") == send["send_id"], pl.col("outcome").is_in(ENDS))
        assert told["Messages"] == f"{going.height:,}"
        assert told["Hours"] == "09:00–20:00"
        assert told["To be deleted by"] > str(send["send_on"])


def test_nobody_is_named() -> None:
    month = with_funnel()
    page = str(campaign_section(month))
    people = {*month.audience_members["one_id"], *month.audience_members["recipient_key"].drop_nulls()}
    assert people
    assert not [one for one in people if one in page]


@pytest.mark.parametrize("must_confirm", [True, False])
def test_what_staff_must_confirm_is_not_said_to_be_sent(must_confirm: bool) -> None:  # noqa: FBT001
    month = with_funnel()
    own = [vendor.model_copy(update={"confirmed_by_staff": must_confirm}) for vendor in month.policy.vendors]
    told = replace(month, policy=month.policy.model_copy(update={"vendors": tuple(own)}))
    table = funnel_table(told, month.funnel["send_id"][0])
    assert table is not None
    assert ("Handed over, staff must confirm" in {cells[0].en for cells in table.rows}) is must_confirm
    row = {"handed_over": 3, "recalled": 0, "waiting": 0}
    words = {state_of(row | {"recalled": gone}, is_silent=True, must_confirm=must_confirm) for gone in (0, 3)}
    assert words == {"handed over, staff must confirm" if must_confirm else "handed over", "cancelled"}
    assert state_of(row, is_silent=False, must_confirm=must_confirm) == "reported"
    half = state_of(row | {"waiting": 1}, is_silent=False, must_confirm=must_confirm)
    assert half == "reported, staff must confirm the rest"


def test_a_terminal_shows_the_steps_that_some_send_reached():
    none = dict.fromkeys(("recalled", "accepted", "delivered", "failed", "clicked", "replied", "bought"), 0)
    row = {"send_id": "v/c/2026-07-01", "state": "reported", "planned": 4, "handed_over": 4} | none
    first, second = for_people([row, row | {"delivered": 1, "delivered_percent": 25.0}])
    assert list(first) == ["send", "state", "planned", "handed_over", "delivered"]
    assert (first["delivered"], second["delivered"]) == (0, "1 (25.0 %)")


@pytest.mark.parametrize("is_triggered", [True, False])
def test_only_a_send_for_everybody_is_missing_those_it_did_not_consider(is_triggered: bool) -> None:  # noqa: FBT001
    month = full_month()
    codes = set(month.audience_members["campaign"])
    trigger = Trigger(event="cart_add", within_minutes=60) if is_triggered else None
    own = [one.model_copy(update={"trigger": trigger}) if one.code in codes else one for one in month.policy.campaigns]
    policy = month.policy.model_copy(update={"campaigns": tuple(own)})
    told = str(campaign_section(replace(month, customers=month.customers.head(3), policy=policy)))
    assert ("customers were considered, but the month has 3." in told) is not is_triggered


def test_the_price_is_that_of_the_hand_over_where_there_was_one() -> None:
    month = full_month()
    send = month.audience_members.row(0, named=True)
    priced = replace(month, spent=pl.DataFrame({"send_id": [send["send_id"]], "price_fen": [123456]}))
    without, told = ({cells[0].en: cells[1].en for cells in table.rows} for table in
                     (about_table(month, send), about_table(priced, send)) if table)  # fmt: skip
    assert "Price (one part each)" in without
    assert told["Price, by parts as handed over"] == money(123456, month.currency)
