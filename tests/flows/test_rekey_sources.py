"""After a re-key every sort of export meets its own rows: names, numbers made of content, hashes of versions."""

from pathlib import Path

import pytest

from flows.rekeying import rekey
from tests.support.quarter import QINGHE, Brand

pytestmark = pytest.mark.acceptance

SAMPLES = Path(__file__).parents[1] / "samples"
NAMES = (
    "taobao_ExportOrderList202603211200.csv", "taobao_ExportOrderDetailList202603211200.csv",
    "youzan_customers_20260601.csv", "wecom_external_contacts.jsonl", "ga4_bigquery_export.jsonl",
    "sensors_events.jsonl", "aliyun_sms_up.json",
)  # fmt: skip
TABLES = ("orders", "order_lines", "refunds", "members", "follows", "events", "consents", "sightings", "contacts")
TIMES = {"received_at": "2026-06-02T09:00:00+08:00", "exported_at": "2026-06-02T08:00:00+08:00", "shop": "main"}
LATER = TIMES | {"received_at": "2026-06-03T09:00:00+08:00"}


def copies(folder: Path, end: bytes = b"") -> list[Path]:
    """The samples; with other bytes at their end, the same rows in another file."""
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes((SAMPLES / name).read_bytes().rstrip(b"\n") + b"\n" + end)
    return sorted(folder.iterdir())


def counts(brand: Brand) -> dict[str, int]:
    return {table: brand.rows(table).height for table in TABLES}


def test_the_same_rows_say_nothing_new(prefect_harness: str, tmp_path: Path):
    assert prefect_harness
    brand = Brand(str(tmp_path / "house" / "lake"), QINGHE)
    first = brand.ingest(*copies(tmp_path / "first"), **TIMES)
    assert [file["name"] for file in first["files"] if file["outcome"] != "accepted"] == []
    before, names = counts(brand), set(brand.rows("sightings")["key"])
    assert 0 not in before.values()
    rekey(brand.lake)
    assert counts(brand) == before
    assert not names & set(brand.rows("sightings")["key"])
    again = brand.ingest(*copies(tmp_path / "again", b"\n"), **LATER)
    new = {file["name"]: file["rows_accepted"] for file in again["files"] if file["rows_accepted"]}
    assert new == {"sensors_events.jsonl": 2}, "profiles among events leave no event that could be a duplicate"
    assert counts(brand) == before
