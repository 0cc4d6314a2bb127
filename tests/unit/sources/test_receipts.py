"""Receipts and replies of Aliyun SMS become touches and refusals; what JPush counts stays a sum."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.tables import TABLES
from tasks.sources.read import Export
from tests.unit.sources.reading import balance, read_bytes, read_sample, rules, utc

REPORT, REPLIES, PUSH = "aliyun_sms_report.json", "aliyun_sms_up.json", "jpush_received_detail.json"
RECEIPT = {"phone_number": "13800000101", "send_time": "2026-05-20 10:00:00", "report_time": "2026-05-20 10:00:03",
           "success": True, "err_code": "DELIVERED", "sms_size": "1", "biz_id": "9001^0"}  # fmt: skip


def select(export: Export, table: str, *columns: str) -> list[tuple[object, ...]]:
    return export.frame(table).sort("row_number", maintain_order=True).select(columns).rows()


def read(tmp_path: Path, *documents: dict[str, Any]) -> Export:
    return read_bytes(tmp_path, json.dumps(documents, ensure_ascii=False), "receipts.json")


def test_receipts_are_touches_of_the_campaign_that_out_id_names():
    export = read_sample(REPORT)
    assert (export.layout, balance(export)) == ("aliyun_sms_reports", (0, 0))
    assert select(export, "touches", "recipient_key", "kind", "happened_at") == [
        ("phone::<13800000101>", "delivered", utc("2026-05-20T02:00:03")),
        ("phone::<13900000202>", "delivered", utc("2026-05-20T02:00:04")),
        ("phone::<13700000303>", "failed", utc("2026-05-20T02:00:09")),
        ("phone::<13600000404>", "failed", utc("2026-05-20T02:01:00")),
        ("phone::<15000000606>", "failed", utc("2026-05-20T04:00:00")),
    ]
    assert set(select(export, "touches", "send_id", "campaign", "vendor", "send_on")) == {
        ("aliyun/CMP20260520/2026-05-20", "CMP20260520", "aliyun", date(2026, 5, 20))
    }


@pytest.mark.parametrize(
    ("out_id", "send"),
    [
        ("demo_sms/winback/2026-05-19", ("demo_sms/winback/2026-05-19", "winback", "demo_sms")),
        ("demo_sms/winback/2026-05-19/17", ("demo_sms/winback/2026-05-19", "winback", "demo_sms")),
        ("spring", ("aliyun/spring/2026-05-20", "spring", "aliyun")),
        ("", ("aliyun/9001^0/2026-05-20", "9001^0", "aliyun")),
    ],
)
def test_a_receipt_belongs_to_our_send_or_to_the_vendors_batch(tmp_path: Path, out_id: str, send: tuple[str, ...]):
    """A message handed over on the 19th and sent on the 20th belongs to the send of the 19th."""
    export = read(tmp_path, RECEIPT | {"out_id": out_id})
    assert select(export, "touches", "send_id", "campaign", "vendor") == [send]


def test_a_receipt_for_nobody_is_refused(tmp_path: Path):
    export = read(tmp_path, RECEIPT, RECEIPT | {"phone_number": "138****0101"}, RECEIPT | {"success": "perhaps"})
    assert rules(export) == {"kind_unknown_code": 1, "recipient_key_missing": 1}
    assert balance(export) == (0, 0)


def test_being_written_to_makes_nobody_a_customer():
    assert "sightings" not in read_sample(REPORT).tables


def test_replies_are_touches_and_stop_words_are_refusals():
    """R, TD, ` 退订 ` and a full-width Ｒ; who asks when the parcel comes refuses nothing."""
    export = read_sample(REPLIES)
    assert (export.layout, balance(export)) == ("aliyun_sms_replies", (0, 0))
    assert {kind for (kind,) in select(export, "touches", "kind")} == {"replied"}
    assert select(export, "consents", "subject", "touch_channel", "purpose", "decision", "decided_at") == [
        ("phone::<13900000202>", "sms", "marketing", "withdrawn", utc("2026-05-20T02:05:00")),
        ("phone::<13600000404>", "sms", "marketing", "withdrawn", utc("2026-05-20T02:06:00")),
        ("phone::<13800000101>", "sms", "marketing", "withdrawn", utc("2026-05-20T02:08:00")),
        ("phone::<13700000303>", "sms", "marketing", "withdrawn", utc("2026-05-20T02:09:00")),
    ]


def test_what_people_write_stays_in_the_file():
    assert "什么时候发货" not in str([read_sample(REPLIES).frame(name).rows() for name in ("touches", "consents")])


def test_push_statistics_are_sums_and_name_nobody():
    export = read_sample(PUSH)
    assert (export.layout, balance(export), [*export.tables]) == ("jpush_received", (0, 0), ["send_statistics"])
    assert select(export, "send_statistics", "message_id", "direct_received_count", "android_sent_count",
                  "android_received_count", "ios_sent_count", "windows_sent_count")[:3] == [
        ("1613113584", 62, 12, 10, 11, None),
        ("1229760629", 56, 12, None, 33, None),
        ("1229760630", None, None, None, None, None),
    ]  # fmt: skip
    assert not [
        name for name in TABLES["send_statistics"].columns if TABLES["send_statistics"].column(name).pii != "none"
    ]


def test_clicks_are_touches_of_the_send_that_they_name(tmp_path: Path):
    told = (
        "send_id,recipient,clicked_at\nsms/spring/2026-05-20,13800000101,2026-05-20 10:01:00\nspring,13800000101,now\n"
    )
    export = read_bytes(tmp_path, told, "clicks.csv")
    assert (export.layout, balance(export)) == ("clicks", (0, 0))
    assert select(export, "touches", "send_id", "vendor", "campaign", "send_on", "kind", "happened_at") == [
        ("sms/spring/2026-05-20", "sms", "spring", date(2026, 5, 20), "clicked", utc("2026-05-20T02:01:00")),
    ]
    assert export.refused


def test_tencents_callbacks_are_touches_and_dead_numbers(tmp_path: Path):
    """In the vendor's own words; `ext` gives back what we gave."""
    one = {"mobile": "13800000101", "nationcode": "86", "report_status": "SUCCESS", "errmsg": "DELIVRD",
           "description": "用户短信送达成功", "sid": "8:abc", "user_receive_time": "2026-05-20 10:00:03",
           "ext": "sms/spring/2026-05-19"}  # fmt: skip
    dead = one | {"mobile": "13900000202", "report_status": "FAIL", "errmsg": "MK:0001", "ext": ""}
    export = read(tmp_path, one, dead)
    assert (export.layout, balance(export)) == ("tencent_sms_reports", (0, 0))
    assert select(export, "touches", "send_id", "kind", "happened_at") == [
        ("sms/spring/2026-05-19", "delivered", utc("2026-05-20T02:00:03")),
        ("tencent/8:abc/2026-05-20", "failed", utc("2026-05-20T02:00:03")),
    ]
    assert select(export, "consents", "subject", "decision") == [("phone::<13900000202>", "unreachable")]


def test_coupon_codes_are_sealed_and_stand_in_no_table(tmp_path: Path):
    told = "pool,code,batch,face_value,valid_until\nspring,SPRING-7Q2X,b1,20,2026-12-31\nspring,SPRING-8R3Y,b1,20,\n"
    export = read_bytes(tmp_path, told, "codes.csv")
    assert (export.layout, balance(export), [*export.tables]) == ("coupon_pool", (0, 0), ["coupons"])
    assert select(export, "coupons", "pool", "code_key", "face_fen", "valid_until") == [
        ("spring", "coupon::<SPRING-7Q2X>", 2000, date(2026, 12, 31)),
        ("spring", "coupon::<SPRING-8R3Y>", 2000, None),
    ]
    assert select(export, "contacts", "contact_type", "value") == [("coupon", "SPRING-7Q2X"), ("coupon", "SPRING-8R3Y")]


def test_a_code_that_a_vendor_s_file_could_not_carry_as_it_is_is_refused(tmp_path: Path):
    """An apostrophe would go before it; a code that comes twice is one code."""
    codes = ("=cmd|' /C calc'!A0", "＝1+1", "+123", "-A", "@B", "A-7", "A-7")
    export = read_bytes(tmp_path, "\n".join(("pool,code", *(f"spring,{code}" for code in codes), "")), "codes.csv")
    assert {row["row_number"] for row in export.frame("quarantine").to_dicts()} == {1, 2, 3, 4, 5}
    assert set(export.frame("coupons")["code_key"]) == {"coupon::<A-7>"}
    assert set(export.frame("contacts")["value"]) == {"A-7"}
