"""What WeCom, Huawei and Tencent answer about messages: touches of our sends, refusals, and who has not confirmed."""

import json
from pathlib import Path

import pytest

from tasks.errors import BadFileError
from tests.unit.sources.reading import SAMPLES, balance, read_bytes, read_sample, utc
from tests.unit.sources.test_receipts import select


def test_wecoms_results_say_what_was_sent_and_what_waits_for_an_adviser():
    export = read_sample("wecom_mass_results.jsonl")
    assert (export.layout, balance(export), [*export.tables]) == ("wecom_mass_results", (0, 0), ["touches"])
    midnight = utc("2026-05-19T16:00:00")
    assert select(export, "touches", "recipient_key", "kind", "happened_at") == [
        ("external_userid:qinghe:<wmSAMPLEAAAAAAAAAAAAAAAAAAAA0101>", "delivered", utc("2026-05-20T03:00:00")),
        ("external_userid:qinghe:<wmSAMPLEAAAAAAAAAAAAAAAAAAAA0303>", "failed", midnight),
        ("external_userid:qinghe:<wmSAMPLEAAAAAAAAAAAAAAAAAAAA0404>", "failed", midnight),
        ("external_userid:qinghe:<woSAMPLEAAAAAAAAAAAAAAAAAAAA0909>", "waiting", midnight),
    ]
    assert set(select(export, "touches", "send_id", "vendor", "campaign", "touch_channel")) == {
        ("wecom/spring/2026-05-20", "wecom", "spring", "wecom")
    }


def test_wecoms_answer_without_our_send_is_refused_with_what_it_lacks(tmp_path: Path):
    one = {"external_userid": "wm1", "userid": "li", "status": 0}
    with pytest.raises(BadFileError, match="lacks send_id"):
        read_bytes(tmp_path, json.dumps({"errcode": 0, "errmsg": "ok", "send_list": [one, one]}), "answer.json")
    export = read_bytes(
        tmp_path, json.dumps([one | {"send_id": "spring"}, one | {"send_id": "w/c/2026-05-20"}]), "a.json"
    )
    assert export.rows_refused == 1


def test_huaweis_reports_are_touches_complaints_and_dead_numbers():
    """Whatever is neither delivered nor open has failed; a report that names no send of ours is of the vendor's own."""
    export = read_sample("huawei_sms_reports.jsonl")
    assert (export.layout, balance(export)) == ("huawei_sms_reports", (0, 0))
    assert select(export, "touches", "recipient_key", "kind", "happened_at") == [
        ("phone::<13800000101>", "delivered", utc("2026-05-20T02:00:03")),
        ("phone::<13900000202>", "failed", utc("2026-05-20T00:00:00")),
        ("phone::<13700000303>", "failed", utc("2026-05-20T02:00:09")),
        ("phone::<13600000404>", "accepted", utc("2026-05-20T02:01:00")),
        ("phone::<15000000606>", "delivered", utc("2026-05-20T02:01:00")),
    ]
    assert select(export, "touches", "send_id")[-1] == ("huawei/b9d9b4fe-sample_5/2026-05-20",)
    assert select(export, "consents", "subject", "touch_channel", "decision") == [
        ("phone::<13900000202>", "sms", "withdrawn"), ("phone::<13700000303>", "*", "unreachable"),
    ]  # fmt: skip


def test_tencents_replies_are_heard_whatever_their_width():
    export = read_sample("tencent_sms_replies.json")
    assert (export.layout, balance(export)) == ("tencent_sms_replies", (0, 0))
    assert select(export, "touches", "send_id", "kind", "happened_at") == [
        ("tencent/replies/2026-05-20", "replied", utc("2026-05-20T02:05:00")),
        ("tencent/replies/2026-05-20", "replied", utc("2026-05-20T02:06:00")),
    ]
    assert select(export, "consents", "subject", "decision", "decided_at") == [
        ("phone::<13900000202>", "withdrawn", utc("2026-05-20T02:05:00"))
    ]
    assert "什么时候发货" not in str([export.frame(name).rows() for name in ("touches", "consents")])


def test_a_complaint_of_a_message_from_huaweis_console_has_no_extend_and_is_heard(tmp_path: Path):
    lines = (SAMPLES / "huawei_sms_reports.jsonl").read_text("utf-8").splitlines()
    told = [{k: v for k, v in json.loads(line).items() if k != "extend"} for line in lines]
    export = read_bytes(tmp_path, "\n".join(map(json.dumps, told)), "console.jsonl")
    assert (export.layout, balance(export), export.rows_refused) == ("huawei_sms_reports", (0, 0), 1)
    assert sorted(select(export, "consents", "subject", "decision")) == [
        ("phone::<13700000303>", "unreachable"), ("phone::<13900000202>", "withdrawn"),
    ]  # fmt: skip
