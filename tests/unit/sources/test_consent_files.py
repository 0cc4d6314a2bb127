"""What files say of consent: the brand's own list, replies with a stop word, receipts that close a contact."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.sources.read import Export
from tests.unit.sources.reading import balance, read_bytes, read_sample, rules, utc

KEY = f"member:youzan:{'ab' * 32}"
HEADER = "phone,email,key,touch_channel,purpose,decision,decided_at,evidence,by"
SAID = ("subject", "touch_channel", "purpose", "decision", "decided_at", "evidence")


def said(export: Export, *columns: str) -> list[tuple[Any, ...]]:
    return export.frame("consents").sort("row_number", maintain_order=True).select(columns or SAID).rows()


def read_list(folder: Path, *lines: str) -> Export:
    return read_bytes(folder, "\n".join((HEADER, *lines)), "consents.csv")


def test_the_brands_own_list_needs_no_shop_and_names_subjects_in_three_ways(tmp_path: Path):
    export = read_list(
        tmp_path,
        "+86 138-0000-0101,,,sms,marketing,granted,2026-05-01 10:00:00,form 17,lin",
        ",Ann@Example.com,,email,marketing,同意,2026-05-01 10:00:00,form 18 of 13900000202,",
        f",,{KEY},push,*,撤回,2026-05-01 10:00:00,,",
        f",,{KEY},*,profiling,withdrawn,,hotline,wu",
    )
    assert (export.layout, export.channel, export.shop_id, balance(export)) == ("consents", "own", "main", (0, 0))
    assert said(export) == [
        ("phone::<13800000101>", "sms", "marketing", "granted", utc("2026-05-01T02:00:00"), "form 17; by lin"),
        ("email::<ann@example.com>", "email", "marketing", "granted", utc("2026-05-01T02:00:00"), "form 18 of ***"),
        (KEY, "push", "*", "withdrawn", utc("2026-05-01T02:00:00"), None),
        (KEY, "*", "profiling", "withdrawn", utc("2026-06-03T00:00:00"), "hotline; by wu"),
    ]
    assert {*export.tables} == {"consents"}
    assert export.contacts == ()


def test_what_cannot_be_proven_or_has_no_subject_is_no_consent(tmp_path: Path):
    export = read_list(
        tmp_path,
        "13800000101,,,sms,marketing,granted,2026-05-01 10:00:00,,",
        "13800000101,,,sms,marketing,granted,,form 17,",
        "138****0101,,,sms,marketing,withdrawn,2026-05-01 10:00:00,form 17,",
        "13800000101,,,sms,marketing,unreachable,2026-05-01 10:00:00,form 17,",
        "13800000101,,,fax,love,maybe,2026-05-01 10:00:00,form 17,",
    )
    assert (balance(export), export.frame("consents").height) == ((0, 0), 0)
    assert rules(export) == {
        "decided_at_missing": 1, "decision_unknown_code": 1, "grant_without_evidence": 1, "purpose_unknown_code": 1,
        "subject_missing": 1, "touch_channel_unknown_code": 1, "unreachable_for_one_purpose": 1,
    }  # fmt: skip


def reply(content: str) -> dict[str, Any]:
    return {"phone_number": "13800000101", "send_time": "2026-05-20 10:05:00", "content": content, "sign_name": "青禾",
            "dest_code": "01", "sequence_id": 1}  # fmt: skip


STOP_WORDS = ("R", "T", "TD", "N", "TDZD", "退订", "拒收", "0000")
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def test_stop_words_are_heard_however_they_are_written(tmp_path: Path):
    ways = [
        way for word in STOP_WORDS for way in (word, word.lower(), f" {word}\n", word.translate(WIDE), f"【{word}】")
    ]
    ways += ["T D", "ｔ ｄ", "我要退订！", "请拒收", "　退　订　"]
    export = read_bytes(tmp_path, json.dumps([reply(way) for way in ways], ensure_ascii=False), "replies.json")
    assert said(export, "subject", "touch_channel", "purpose", "decision") == [
        ("phone::<13800000101>", "sms", "marketing", "withdrawn")
    ] * len(ways)


@pytest.mark.parametrize("text", ["T恤什么时候到", "好的", "Thanks", "RT", "10000", "", "N多人在等"])
def test_other_replies_refuse_nothing(tmp_path: Path, text: str):
    assert "consents" not in read_bytes(tmp_path, json.dumps([reply(text)], ensure_ascii=False), "up.json").tables


def test_receipts_close_dead_numbers_and_hear_complaints():
    """空号 is dead for all who have it; who stands on the black list said no; a telephone turned off says nothing."""
    assert said(read_sample("aliyun_sms_report.json")) == [
        ("phone::<13700000303>", "*", "*", "unreachable", utc("2026-05-20T02:00:09"), "aliyun_sms_reports.dead"),
        ("phone::<13600000404>", "sms", "marketing", "withdrawn", utc("2026-05-20T02:01:00"),
         "aliyun_sms_reports.complaint"),
    ]  # fmt: skip


def test_the_same_receipts_in_another_file_are_the_same_words(tmp_path: Path):
    lines = [
        json.dumps(one)
        for one in json.loads((Path(__file__).parents[2] / "samples/aliyun_sms_report.json").read_text())
    ]
    again = read_bytes(tmp_path, "\n".join(lines[1:]), "later.jsonl")
    first = read_sample("aliyun_sms_report.json")
    assert said(again, "content_hash") == said(first, "content_hash")


def test_mail_events_close_addresses_too(tmp_path: Path):
    common = {
        "type": "track",
        "timestamp": "2026-05-20T02:00:00Z",
        "userId": "U1",
        "context": {"traits": {"email": "a@example.com"}},
    }
    events = [
        common | {"messageId": name, "event": name}
        for name in ("Email Bounced", "Email Marked as Spam", "Unsubscribed")
    ]
    export = read_bytes(tmp_path, "\n".join(map(json.dumps, events)), "events.jsonl")
    assert sorted(said(export, "subject", "touch_channel", "purpose", "decision")) == [
        ("email::<a@example.com>", "*", "*", "unreachable"),
        ("email::<a@example.com>", "email", "marketing", "withdrawn"),
        ("email::<a@example.com>", "email", "marketing", "withdrawn"),
    ]
