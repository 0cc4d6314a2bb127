"""A no is heard also from a row, or a whole file, that is refused; the account of rows and money stays what it is."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.sources.feeding import UNCOUNTED
from tasks.sources.read import Export
from tasks.sources.spill import waiting
from tasks.steps.receive import _noes_alone, _rotten
from tests.unit.sources.reading import RECEIVED, balance, read_bytes

ALIYUN_REPORT = {
    "phone_number": "13800000101",
    "send_time": "2026-05-20 10:00:00",
    "out_id": "v/c/2026-05-20",
    "report_time": "2026-05-20 10:00:03",
    "success": True,
    "err_code": "DELIVERED",
    "biz_id": "9",
}
ALIYUN_REPLY = {"phone_number": "13800000101", "send_time": "2026-05-20 10:00:00", "content": "R"}
TENCENT_REPLY = {"mobile": "13800000101", "text": "R", "time": 1779271500, "extend": "01"}
HUAWEI = {"to": "+8613800000101", "status": "SC:0005", "smsMsgId": "m1", "updateTime": "2026-05-20T01:00:00Z"}
BLACK = ALIYUN_REPORT | {"success": False, "err_code": "MOBILE_IN_BLACK"}


def read(folder: Path, *rows: dict[str, Any]) -> Export:
    return read_bytes(folder, "\n".join(json.dumps(row) for row in rows), "receipts.jsonl")


def heard(export: Export) -> list[tuple[Any, ...]]:
    return export.frame("consents").select("subject", "decision", "decided_at").rows()


@pytest.mark.parametrize(
    ("row", "broken"),
    [
        (ALIYUN_REPLY, {"send_time": None}),
        (ALIYUN_REPLY, {"send_time": "1970-01-01 08:00:00"}),
        (TENCENT_REPLY, {"time": None}),
        (BLACK, {"report_time": "garbage"}),
        (BLACK, {"report_time": None}),
        (HUAWEI, {"updateTime": None}),
    ],
)
def test_a_no_without_a_readable_time_holds_from_the_export_on(
    row: dict[str, Any], broken: dict[str, Any], tmp_path: Path
):
    export = read(tmp_path, row, row | broken)
    assert heard(export)[-1] == ("phone::<13800000101>", "withdrawn", RECEIVED)
    assert (export.rows_read, export.rows_refused, balance(export)) == (2, 1, (0, 0))
    assert "1 refused rows say no" in str(export.about)


def test_a_no_keeps_its_time_where_something_else_of_its_row_is_refused(tmp_path: Path):
    good = read(tmp_path, BLACK)
    refused = read(tmp_path, BLACK | {"success": "unknown"})
    assert (good.rows_refused, refused.rows_refused, heard(good)) == (0, 1, heard(refused))
    assert good.about == ()


@pytest.mark.parametrize("row", [ALIYUN_REPLY | {"content": "好", "send_time": "x"}, BLACK | {"phone_number": "1***"}])
def test_a_refused_row_that_says_nothing_or_names_nobody_is_no_consent(row: dict[str, Any], tmp_path: Path):
    assert heard(read(tmp_path, row)) == []


def test_a_yes_of_a_refused_row_is_never_guessed(tmp_path: Path):
    lines = (
        "phone,email,key,touch_channel,purpose,decision,decided_at,evidence,by",
        "13800000101,,,sms,marketing,granted,garbage,form 17,",
        "13800000202,,,sms,marketing,withdrawn,garbage,form 18,",
        "13800000303,,,sms,love,withdrawn,2026-05-01 10:00:00,form 19,",
    )
    export = read_bytes(tmp_path, "\n".join(lines), "consents.csv")
    said = export.frame("consents")
    assert said.select("subject", "purpose", "decision").rows() == [
        ("phone::<13800000202>", "marketing", "withdrawn"), ("phone::<13800000303>", "*", "withdrawn"),
    ]  # fmt: skip
    assert (export.rows_refused, said["row_number"].to_list()) == (3, [UNCOUNTED, UNCOUNTED])


def test_a_file_refused_as_a_whole_gives_its_noes_and_nothing_else(tmp_path: Path):
    """A good no, a no in a refused row, and a delivery: the two noes enter, behind no row of the account."""
    refused, delivered = {"phone_number": "13800000202", "report_time": None}, {"phone_number": "13800000303"}
    export = read(tmp_path, BLACK, BLACK | refused, ALIYUN_REPORT | delivered)
    assert "nothing of it was taken, but for what says no" in str(_rotten(export, "receipts.jsonl", 0.1))
    assert _rotten(export, "receipts.jsonl", 0.4) is None
    staged = _noes_alone(export, tmp_path)
    rows = waiting(staged["consents"]).collect()
    assert rows["subject"].sort().to_list() == ["phone::<13800000101>", "phone::<13800000202>"]
    assert ({*staged}, rows["row_number"].unique().to_list()) == ({"consents"}, [UNCOUNTED])
    assert rows.filter(pl.col("decision") == "granted").is_empty()
