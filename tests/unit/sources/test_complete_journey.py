"""The Complete Journey files: lines become orders, contact points become keys, contacts and consents."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import BadFileError
from tasks.sources.read import Export
from tests.unit.sources.reading import balance, read_bytes, rules, utc

LINES = """\
household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp
900,330,31198570044,1095275,1,0.50,0.00,0.00,0.00,1,2017-01-01 11:53:26
900,330,31198570044,9878513,2,3.99,0.10,1.00,0.40,1,2017-01-01 11:53:26
1228,406,31198655051,1041453,1,1.43,0.15,0.00,0.00,1,2018-01-01 04:01:20
1228,406,31198655099,1041453,0,0.00,0.00,0.00,0.00,1,2017-01-02 12:26:30
"""
HOUSEHOLD = "member:complete_journey:<{}>"


def read(folder: Path, text: str, **changes: Any) -> Export:
    return read_bytes(folder, text, **{"zone": "America/New_York", "currency": "USD"} | changes)


def test_orders_are_the_sums_of_their_lines(tmp_path: Path):
    """Basket 44: paid 0.50 + 3.99; list price 0.50 + (3.99 + 0.10 + 0.40); coupons 1.00 + 0.40."""
    export = read(tmp_path, LINES)
    assert export.layout == "complete_journey_transactions"
    columns = ("order_id", "buyer_key", "gross_fen", "paid_fen", "coupon_fen", "refunded_fen", "currency")
    assert export.frame("orders").select(columns).rows() == [
        ("31198570044", HOUSEHOLD.format(900), 499, 449, 140, 0, "USD"),
        ("31198655051", HOUSEHOLD.format(1228), 158, 143, 0, 0, "USD"),
        ("31198655099", HOUSEHOLD.format(1228), 0, 0, 0, 0, "USD"),
    ]


def test_the_last_basket_of_the_year_belongs_to_december_in_new_york(tmp_path: Path):
    last = read(tmp_path, LINES).frame("orders").filter(order_id="31198655051")
    assert last.select("paid_at", "paid_on", "paid_month").rows() == [
        (utc("2018-01-01T04:01:20"), date(2017, 12, 31), "2017-12")
    ]


def test_lines_are_counted_and_balanced_once(tmp_path: Path):
    export = read(tmp_path, LINES)
    assert (export.primary, export.rows_read, export.money_read_fen) == ("order_lines", 4, 592)
    assert export.frame("orders")["row_money_fen"].to_list() == [None, None, None]
    assert balance(export) == (0, 0)


def test_a_basket_is_seen_once(tmp_path: Path):
    assert read(tmp_path, LINES).frame("sightings").select("key", "record").rows() == [
        (HOUSEHOLD.format(900), "order:complete_journey:main:31198570044"),
        (HOUSEHOLD.format(1228), "order:complete_journey:main:31198655051"),
        (HOUSEHOLD.format(1228), "order:complete_journey:main:31198655099"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("3.99", "x", {"paid_fen_unreadable": 1, "sibling_line_refused": 1}),
        ("3.99", "-3.99", {"gross_fen_too_small": 1, "paid_fen_too_small": 1, "sibling_line_refused": 1}),
        (",2,3.99", ",-2,3.99", {"quantity_too_small": 1, "sibling_line_refused": 1}),
        ("9878513", "9.87E+06", {"line_id_destroyed": 1, "product_id_destroyed": 1, "sibling_line_refused": 1}),
        (
            "900,330,31198570044,9878513",
            "901,330,31198570044,9878513",
            {"lines_disagree": 1, "sibling_line_refused": 1},
        ),
    ],
)
def test_an_order_is_never_silently_smaller(tmp_path: Path, old: str, new: str, expected: dict[str, int]):
    """One bad line takes the whole basket with it; the other baskets stand."""
    export = read(tmp_path, LINES.replace(old, new))
    assert rules(export) == expected
    assert export.frame("orders")["order_id"].to_list() == ["31198655051", "31198655099"]
    assert (export.frame("order_lines").height, export.rows_refused, balance(export)) == (2, 2, (0, 0))


def test_a_ragged_line_is_refused_alone_and_its_money_is_unreadable(tmp_path: Path):
    export = read(tmp_path, LINES + "1228,406,5\n")
    assert rules(export) == {"wrong_field_count": 1}
    assert (export.rows_read, export.rows_refused, export.money_unreadable, balance(export)) == (5, 1, 1, (0, 0))


def test_an_order_of_the_exports_own_future_is_refused(tmp_path: Path):
    export = read(tmp_path, LINES, exported_at=utc("2017-02-01T05:00"))
    assert rules(export) == {"dated_after_export": 1}
    assert export.frame("orders")["order_id"].to_list() == ["31198570044", "31198655099"]


def test_products(tmp_path: Path):
    pl.DataFrame(
        {
            "product_id": [25671, 26081], "manufacturer_id": [2, 2], "department": ["GROCERY", "MISCELLANEOUS"],
            "brand": ["National", "National"], "product_category": ["FRZN ICE", None],
            "product_type": ["ICE - CRUSHED/CUBED", None], "package_size": ["22 LB", None],
        }
    ).write_parquet(tmp_path / "p.parquet")  # fmt: skip
    export = read_bytes(tmp_path, (tmp_path / "p.parquet").read_bytes(), "products.parquet")
    columns = ("product_id", "product_name", "brand", "category", "department")
    assert export.frame("products").select(columns).rows() == [
        ("25671", "ICE - CRUSHED/CUBED", "National", "FRZN ICE", "GROCERY"),
        ("26081", None, "National", None, "MISCELLANEOUS"),
    ]


MEMBERS = """\
household_id,age,income,home_ownership,marital_status,household_size,household_comp,kids_count
1,65+,35-49K,Homeowner,Married,2,2 Adults No Kids,0
1003,35-44,25-34K,,Unmarried,1,1 Adult No Kids,0
"""


def test_members(tmp_path: Path):
    export = read(tmp_path, MEMBERS)
    columns = ("member_key", "age_band", "income_band", "home_ownership", "marital_status", "kids_count")
    assert export.frame("members").select(columns).rows() == [
        (HOUSEHOLD.format(1), "65+", "35-49K", "Homeowner", "Married", "0"),
        (HOUSEHOLD.format(1003), "35-44", "25-34K", None, "Unmarried", "0"),
    ]


CONTACTS = """\
household_id,phone,push_token,sms_consent,push_consent,consent_at,opted_out_at
1,15400000001,aaaa,yes,no,2017-01-07 19:08:39,
2,15400000002,bbbb,,yes,2017-01-08 10:00:00,2017-01-20 08:00:00
3,154****0003,cccc,yes,,2017-01-09 10:00:00,2017-01-21 08:00:00
4,15400000004,dddd,,,,
"""


def test_contacts_are_keys_that_reach_a_household(tmp_path: Path):
    export = read(tmp_path, CONTACTS, exported_at=utc("2017-02-01T11:00"))
    seen = export.frame("sightings").select("key_type", "key_role", "key", "record", "seen_at", "row_number")
    assert seen.filter(row_number=1).drop("row_number").rows() == [
        (kind, role, key, "member:complete_journey:<1>", utc("2017-01-07T19:08:39"))
        for kind, role, key in (
            ("member", "identity", "member:complete_journey:<1>"),
            ("phone", "contact", "phone::<15400000001>"),
            ("push_token", "contact", "push_token:complete_journey:<aaaa>"),
        )
    ]
    assert seen.filter(row_number=3)["key_type"].to_list() == ["member", "push_token"]
    assert seen.filter(row_number=4)["seen_at"].unique().to_list() == [utc("2017-02-01T11:00")]
    assert (export.rows_read, balance(export)) == (4, (0, 0))


def test_contacts_go_to_the_vault_under_their_own_key(tmp_path: Path):
    contacts = read(tmp_path, CONTACTS).frame("contacts")
    assert contacts.filter(row_number=1).select("pseudonym", "contact_type", "value").rows() == [
        ("<15400000001>", "phone", "15400000001"),
        ("<aaaa>", "push_token", "aaaa"),
    ]
    assert contacts.height == 7


def test_consents_are_about_the_contact_and_a_withdrawal_is_never_lost(tmp_path: Path):
    """Blank means never asked. Household 3's phone is masked: its yes allows nothing, its withdrawal stays."""
    consents = read(tmp_path, CONTACTS).frame("consents").sort("row_number", "decided_at", "touch_channel")
    assert consents.select("row_number", "subject", "touch_channel", "decision", "decided_at").rows() == [
        (1, "push_token:complete_journey:<aaaa>", "push", "withdrawn", utc("2017-01-07T19:08:39")),
        (1, "phone::<15400000001>", "sms", "granted", utc("2017-01-07T19:08:39")),
        (2, "push_token:complete_journey:<bbbb>", "push", "granted", utc("2017-01-08T10:00:00")),
        (2, "push_token:complete_journey:<bbbb>", "push", "withdrawn", utc("2017-01-20T08:00:00")),
        (2, "phone::<15400000002>", "sms", "withdrawn", utc("2017-01-20T08:00:00")),
        (3, "push_token:complete_journey:<cccc>", "push", "withdrawn", utc("2017-01-21T08:00:00")),
        (3, "member:complete_journey:<3>", "sms", "withdrawn", utc("2017-01-21T08:00:00")),
    ]


def test_a_consent_without_a_time_refuses_its_row_and_hands_over_no_contact(tmp_path: Path):
    export = read(tmp_path, CONTACTS.replace("2017-01-07 19:08:39", ""))
    assert rules(export) == {"decided_at_missing": 1}
    assert 1 not in export.frame("contacts")["row_number"].to_list() + export.frame("sightings")["row_number"].to_list()
    assert (export.rows_refused, balance(export)) == (1, (0, 0))


def test_a_contact_of_nobody_is_refused(tmp_path: Path):
    export = read(tmp_path, CONTACTS.replace("4,15400000004,dddd", ",,"))
    assert rules(export) == {"no_usable_key": 1}
    assert balance(export) == (0, 0)


def test_mailings_are_touches_and_no_sightings(tmp_path: Path):
    export = read(tmp_path, "campaign_id,household_id,sent_on\n26,1029,2016-12-28\n")
    columns = ("send_id", "campaign", "vendor", "touch_channel", "recipient_key", "kind", "happened_at", "send_month")
    assert export.frame("touches").select(columns).rows() == [
        ("retailer/cj_26/2016-12-28", "cj_26", "retailer", "print", HOUSEHOLD.format(1029), "handed_over",
         utc("2016-12-28T05:00"), "2016-12"),
    ]  # fmt: skip
    assert list(export.tables) == ["touches"]


REDEMPTIONS = """\
household_id,coupon_upc,campaign_id,redeemed_on
1029,51380041013,26,2017-01-01
1029,51380041013,26,2017-01-01
165,53377610033,26,2017-01-03
"""


def test_redemptions_are_events_with_ids_that_the_order_of_rows_does_not_change(tmp_path: Path):
    header, *lines = REDEMPTIONS.splitlines()
    events = read(tmp_path, REDEMPTIONS).frame("events")
    turned = read(tmp_path, "\n".join([header, *reversed(lines)])).frame("events")
    assert events.select("event", "event_name", "campaign", "happened_on").unique().height == 2
    assert sorted(events["event_id"]) == sorted(turned["event_id"])
    assert [event_id.split("-")[1] for event_id in events["event_id"]] == ["1", "2", "1"]


def test_an_empty_month_is_fine_where_the_layout_says_so(tmp_path: Path):
    export = read(tmp_path, REDEMPTIONS.splitlines()[0])
    assert (export.rows_read, export.frame("events").height, balance(export)) == (0, 0, (0, 0))
    with pytest.raises(BadFileError, match="header and no rows"):
        read(tmp_path, LINES.splitlines()[0])


def test_an_encoding_that_the_till_never_writes_is_refused(tmp_path: Path):
    content = LINES.replace("31198655099", "退").encode("gb18030")
    with pytest.raises(BadFileError, match="is gb18030; expected utf-8"):
        read_bytes(tmp_path, content)
