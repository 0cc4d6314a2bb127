"""A vendor who gives back what our files gave it: the receipts find their send, and the funnel counts them."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.stores.sends import Send
from tasks.stores.vendor_files import render_parts
from tasks.transforms.funnel import funnel
from tests.support.campaigns import rows
from tests.support.vendor_readers import profile, requests
from tests.unit.sources.reading import read_bytes

SEND = Send("my_sms", "winback", date(2026, 7, 1))
PHONES = ("13800000101", "13900000202", "13700000303")
LONGEST = Send("v" * 40, "c" * 40, date(2026, 7, 1))


def bodies(name: str, send: Send = SEND) -> list[dict[str, Any]]:
    """The requests of the profile's file, as the vendor's client reads them."""
    people = pl.DataFrame({"contact": PHONES, "name": ["a", "b", "a"]})
    vendor = profile(name)
    told = {"send_id": send.id, "seq": "1", "template": "T1"}
    return [body for part in render_parts(people, vendor, told) for body in requests(part, vendor)]


def reported_by_tencent() -> list[dict[str, Any]]:
    """One callback per message, on the day after: the last number is out of order."""
    return [
        {"mobile": number[-11:], "nationcode": "86", "sid": f"8:{number}", "ext": body["SessionContext"],
         "report_status": "FAIL" if number.endswith("303") else "SUCCESS", "errmsg": "DELIVRD",
         "description": "", "user_receive_time": "2026-07-02 10:00:03"}
        for body in bodies("tencent_sms") for number in body["PhoneNumberSet"]
    ]  # fmt: skip


def reported_by_aliyun(name: str) -> list[dict[str, Any]]:
    numbers = [
        (number, body["OutId"]) for body in bodies(name)
        for number in body.get("PhoneNumberJson") or body["PhoneNumbers"].split(",")
    ]  # fmt: skip
    return [
        {"phone_number": number, "send_time": "2026-07-02 10:00:00", "report_time": "2026-07-02 10:00:03",
         "success": not number.endswith("303"), "err_code": "DELIVERED", "sms_size": "1", "biz_id": "9001^0",
         "out_id": out_id}
        for number, out_id in numbers
    ]  # fmt: skip


def handed_over() -> pl.LazyFrame:
    """What our ledger says of the send: each number planned and handed over."""
    at = datetime(2026, 7, 1, 2, tzinfo=UTC)
    return rows("touches", [
        {"send_id": SEND.id, "campaign": SEND.campaign, "vendor": SEND.vendor, "touch_channel": "sms", "kind": kind,
         "recipient_key": f"phone::<{number}>", "one_id": f"c_{number}", "happened_at": at, "send_on": SEND.send_on}
        for number in PHONES for kind in ("planned", "handed_over")
    ])  # fmt: skip


@pytest.mark.parametrize("name", ["tencent_sms", "aliyun_sms", "aliyun_sms_same"])
def test_a_receipt_comes_back_to_the_send_of_its_file(name: str, tmp_path: Path):
    told = reported_by_tencent() if name == "tencent_sms" else reported_by_aliyun(name)
    export = read_bytes(tmp_path, json.dumps(told), "report.json")
    assert export.frame("touches").height == len(PHONES)
    ours = handed_over()
    came = export.frame("touches").lazy().select(
        pl.col(one).cast(dtype) if one in export.frame("touches").columns else pl.lit(None, dtype).alias(one)
        for one, dtype in ours.collect_schema().items()
    )  # fmt: skip
    orders = pl.LazyFrame(schema={"one_id": pl.String, "paid_on": pl.Date})
    names = pl.LazyFrame(schema={"old_id": pl.String, "one_id": pl.String})
    (row,) = funnel(pl.concat([ours, came]), orders, names, "Asia/Shanghai").collect().to_dicts()
    assert (row["send_id"], row["handed_over"], row["delivered"], row["failed"]) == (SEND.id, 3, 2, 1)


def test_the_longest_number_of_a_send_is_within_the_vendors_limits():
    assert all(len(body["SessionContext"].encode()) < 512 for body in bodies("tencent_sms", LONGEST))
    assert all(len(body["OutId"].encode()) < 256 for body in bodies("aliyun_sms", LONGEST))
