"""Behaviour events of Sensors, Segment, GA4 and GrowingIO, and WeCom's lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from expectations.tables import TABLES
from tasks.errors import BadFileError
from tasks.sources.layouts import built_in
from tasks.sources.read import Export, read_export
from tests.unit.sources.reading import SAMPLES, balance, context, read_bytes, read_sample, rules, spill, utc
from tests.unit.sources.sheets import as_if_verified

SENSORS, IMPORTER = "sensors_events.jsonl", "sensors_format_importer_events.csv"
SEGMENT, GA4 = "segment_events.jsonl", "ga4_bigquery_export.jsonl"
GROWING, WECOM_LIST = "growingio_events_UNVERIFIED.jsonl", "wecom_customer_list.xlsx"
USER = "user_id:qinghe_mall:<U101>"


def select(export: Export, table: str, *columns: str) -> list[tuple[object, ...]]:
    return export.frame(table).sort("row_number", maintain_order=True).select(columns).rows()


def lines(*documents: dict[str, Any]) -> str:
    return "\n".join(json.dumps(document, ensure_ascii=False) for document in documents)


def test_sensors_events_keep_their_own_name():
    """A payment is an event that the vocabulary has no word for: its money comes from the orders."""
    export = read_sample(SENSORS)
    assert (export.layout, balance(export)) == ("sensors_events", (0, 0))
    assert select(export, "events", "event", "event_name", "customer_key", "product_id") == [
        ("view", "$pageview", None, None),
        ("login", "$SignUp", USER, None),
        ("view", "ViewProduct", USER, "QH-SJT-01"),
        ("cart_add", "AddToCart", USER, "QH-SJT-01"),
        ("other", "PayOrder", USER, None),
        ("other", "UnsubscribeSms", "user_id:qinghe_mall:<U202>", None),
    ]
    assert select(export, "events", "happened_at")[0] == (utc("2026-05-01T08:00:00.123"),)


def test_what_sensors_tells_of_a_profile_is_no_event():
    """Rows 6 and 8 set properties: they say who somebody is, and that they want no messages."""
    export = read_sample(SENSORS)
    assert {6, 8} & {number for (number,) in select(export, "events", "row_number")} == set()
    assert {6, 8} <= {number for (number,) in select(export, "sightings", "row_number")}


def test_who_is_who_in_sensors():
    """A cookie names nobody; after signing up distinct_id is the user, and one line carries the phone."""
    seen = [(row[0], *row[1:]) for row in select(read_sample(SENSORS), "sightings", "row_number", "key", "key_role")]
    cookie = "anonymous_id:sensors:qinghe_mall:<0f48000000000101>"
    assert seen[:6] == [
        (1, cookie, "contact"), (2, cookie, "contact"), (2, USER, "identity"), (3, cookie, "contact"),
        (3, "phone::<13800000101>", "identity"), (3, USER, "identity"),
    ]  # fmt: skip


def test_refusals_in_events_and_in_tags_are_consents():
    assert select(
        read_sample(SENSORS), "consents", "subject", "touch_channel", "decision", "decided_at", "evidence"
    ) == [
        ("user_id:qinghe_mall:<U202>", "sms", "withdrawn", utc("2026-05-02T05:33:20"), "sensors_events.refusal"),
        ("user_id:qinghe_mall:<U202>", "sms", "withdrawn", utc("2026-05-02T05:33:21"), "sensors_events.tagged"),
    ]


def test_an_event_sent_twice_has_one_number_and_an_unknown_one_is_drift(tmp_path: Path):
    line = {"distinct_id": "U1", "login_id": "U1", "time": 1777622500000, "type": "track", "event": "SpinTheWheel"}
    export = read_bytes(tmp_path, lines(line, line, line | {"time": 1777622500001}), "events.jsonl")
    numbers = [number for (number,) in select(export, "events", "event_id")]
    assert (numbers[0] == numbers[1], numbers[0] == numbers[2]) == (True, False)
    assert select(export, "events", "event", "event_name")[0] == ("other", "SpinTheWheel")
    assert export.drift["unknown_codes"] == {"event": ["SpinTheWheel"]}


def test_a_line_of_an_unknown_type_is_refused(tmp_path: Path):
    line = {"distinct_id": "U1", "login_id": "U1", "time": 1777622500000, "type": "track", "event": "ViewProduct"}
    export = read_bytes(tmp_path, lines(line, line | {"type": "mystery"}, line | {"time": -5}), "events.jsonl")
    refused = rules(export)
    assert (export.rows_refused, refused["happened_at_unreadable"], refused["type_unknown_code"]) == (2, 1, 1)


@pytest.mark.parametrize(("name", "event"), [("SubmitSurvey", "survey"), ("ContactService", "service")])
def test_surveys_and_calls_for_service_are_events(tmp_path: Path, name: str, event: str):
    line = {"distinct_id": "U1", "login_id": "U1", "time": 1777622500000, "type": "track", "event": name}
    assert select(read_bytes(tmp_path, lines(line), "events.jsonl"), "events", "event") == [(event,)]


def test_sensors_importer_events():
    export = read_sample(IMPORTER)
    assert (export.layout, balance(export)) == ("sensors_importer_events", (0, 0))
    assert select(export, "events", "event", "event_name", "customer_key", "product_id", "happened_at")[:2] == [
        ("view", "view", USER, "QH-SJT-01", utc("2026-05-01T05:01:11")),
        ("other", "buy", USER, "QH-SJT-01", utc("2026-05-02T02:01:30")),
    ]


def test_segment_events():
    export = read_sample(SEGMENT)
    assert (export.layout, balance(export)) == ("segment_events", (0, 0))
    assert select(export, "events", "event_id", "event", "event_name", "customer_key") == [
        ("seg-2", "view", "Product Viewed", USER),
        ("seg-3", "other", "Order Completed", USER),
        ("seg-3", "other", "Order Completed", USER),
        ("seg-4", "view", "Home", None),
    ]


def test_segment_identify_tells_who_and_is_no_event():
    keys = [key for number, key in select(read_sample(SEGMENT), "sightings", "row_number", "key") if number == 1]
    assert sorted(map(str, keys)) == [
        "anonymous_id:segment:qinghe_mall:<a-101>", "email::<lin.xt@example.com>", "phone::<13800000101>", USER,
    ]  # fmt: skip


def test_ga4_events():
    """1777611600000000 microseconds are 05:00 UTC; the file's own date is in the zone of the property."""
    export = read_sample(GA4)
    assert (export.layout, balance(export), export.drift["unknown_codes"]) == ("ga4_events", (0, 0), {})
    assert select(export, "events", "event", "event_name", "customer_key", "product_id", "happened_at") == [
        ("view", "page_view", None, None, utc("2026-05-01T05:00:00")),
        ("view", "view_item", USER, None, utc("2026-05-01T05:01:00")),
        ("cart_add", "add_to_cart", USER, None, utc("2026-05-01T05:01:40")),
        ("other", "purchase", USER, "QH-SJT-01", utc("2026-05-14T03:23:45")),
        ("other", "session_start", None, None, utc("2026-05-14T23:06:40")),
    ]
    assert export.frame("events")["event_id"].n_unique() == 5


def test_ga4_parameters_are_looked_up_by_their_key(tmp_path: Path):
    line = {"event_timestamp": "1777611600000000", "event_name": "view_item", "user_pseudo_id": "1.2",
            "event_params": [{"key": "source", "value": {"string_value": "sms"}},
                             {"key": "campaign", "value": {"string_value": "may_sale"}}],
            "items": [{"item_id": "A"}, {"item_id": "B"}]}  # fmt: skip
    export = read_bytes(tmp_path, lines(line), "events.jsonl")
    assert select(export, "events", "campaign", "product_id") == [("may_sale", "A")]


def test_growingio_is_a_template_until_its_user_has_checked_it():
    with pytest.raises(BadFileError, match=r"growingio_events.*nobody has seen a real file"):
        read_sample(GROWING)
    path = SAMPLES / GROWING
    export = read_export(path, context(path), spill(), as_if_verified("growingio_events"))
    assert [event for (event,) in select(export, "events", "event")] == ["view", "cart_add", "other", "view", "view"]


def test_every_mapped_event_is_one_of_the_vocabulary():
    codes = {code for one in built_in() if one.grain == "event" for name in ("event", "named") if name in one.columns
             for code in one.columns[name].codes.values()}  # fmt: skip
    assert codes <= {*TABLES["events"].codes_of("event")}


def test_wecom_list():
    """One column per tag group; without an external_userid nothing names the customer, and staff typed the phones."""
    export = read_sample(WECOM_LIST)
    assert (export.layout, balance(export)) == ("wecom_customer_list", (0, 0))
    assert select(export, "follows", "adviser_id", "followed_at", "add_way", "source_tags") == [
        ("wangdg", utc("2025-11-02T02:10:10"), "扫描二维码", "客户等级:VIP|来源:门店"),
        ("wangdg", utc("2026-01-05T04:00:00"), "搜索手机号", "客户等级:普通|来源:门店"),
        ("likf", utc("2026-03-05T04:00:00"), "名片分享", "客户等级:VIP;沉默|来源:公众号"),
        ("likf", utc("2026-04-01T01:00:00"), "群聊", None),
        ("wangdg", utc("2026-04-02T01:00:00"), "获客链接", "客户等级:企业客户"),
    ]
    assert select(export, "sightings", "row_number", "key", "key_role") == [
        (1, "phone::<13800000101>", "contact"), (2, "phone::<13900000202>", "contact"),
        (2, "phone::<15000000222>", "contact"), (5, "phone::<13300000909>", "contact"),
    ]  # fmt: skip


def test_a_refusal_that_staff_noted_is_shown_to_a_person():
    flagged = read_sample(WECOM_LIST).drift["flagged"]
    assert flagged == {"a remark of staff that may be a refusal; record it as a consent": [4]}


def test_wecom_list_under_a_title(tmp_path: Path):
    title = "企业微信客户列表,,,,,,,\n导出时间,2026-06-01,,,,,,\n"
    header = "客户名称,描述,添加人,添加人账号,添加时间,来源,手机,标签组9（品类偏好）\n"
    row = "小鹿,,王,wangdg,2026-05-01 10:00:00,群聊,138****0101,床品\n"
    export = read_bytes(tmp_path, title + header + row)
    assert (export.layout, export.rows_refused) == ("wecom_customer_list", 0)
    assert select(export, "follows", "source_tags") == [("品类偏好:床品",)]
    assert export.drift["unusable"] == {"phones": {"masked": 1}}
