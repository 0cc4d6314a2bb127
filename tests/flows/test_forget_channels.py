"""Somebody of a brand of many channels is forgotten: GB 18030, JSON lines, documents, follows, events, refunds."""

from pathlib import Path

import polars as pl
import pytest

from flows.verify import verify
from tasks.stores.ring import demo_ring
from tests.support.forgetting import forgotten, money_of, tables_of, tokens_of
from tests.support.leaks import leaks_in
from tests.support.quarter import QINGHE, Brand
from tests.support.source import ROOT

pytestmark = pytest.mark.acceptance

FILES = (
    "taobao_ExportOrderList202603211200.csv", "taobao_ExportOrderDetailList202603211200.csv",
    "youzan_orders_20260601.csv", "youzan_customers_20260601.csv", "wecom_external_contacts.jsonl",
    "sensors_events.jsonl", "shopify_orders_export_1.csv", "shopify_customers_export.csv",
)  # fmt: skip
KINDS = (
    "phone",
    *(pytest.param(kind, marks=pytest.mark.proof) for kind in ("nick", "external_userid", "user_id", "email")),
)


@pytest.fixture(scope="module")
def brand(prefect_harness: str, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The samples of five channels, refreshed."""
    assert prefect_harness
    brand = Brand(str(tmp_path_factory.mktemp("channels") / "lake"), QINGHE)
    times = {"received_at": "2026-06-02T10:00:00+08:00", "exported_at": "2026-06-02T08:00:00+08:00"}
    brand.ingest(*(ROOT / "tests/samples" / name for name in FILES), **times)
    brand.refresh("2026-06-01", "2026-06-02")
    return brand


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_and_nobody_else_moves(kind: str, brand: Brand, tmp_path: Path):
    here = brand.copied(tmp_path)
    identities = here.rows("identities")
    one_id = identities.filter(key_type=kind).sort("first_seen_at", "key")["one_id"][0]
    keys = identities.filter(one_id=one_id)["key"].to_list()
    before = tables_of(here.tables)
    assert leaks_in(Path(here.lake), tokens_of(keys), ring=demo_ring()) != {}
    forgotten(here.told, one_id)
    after = tables_of(here.tables)
    assert leaks_in(Path(here.lake), tokens_of(keys), ring=demo_ring()) == {}
    kept = {name: after[name] for name in before if name not in {"runs", "erasures", "tombstones"}}
    assert money_of(kept) == money_of({name: before[name] for name in kept})
    others = pl.col("one_id") != one_id
    stays = after["customers"].filter(pl.col("one_id").is_in(before["customers"]["one_id"].to_list()))
    assert stays.sort("one_id").equals(before["customers"].filter(others).sort("one_id"))
    found = verify(here.lake)
    assert (found.damaged, found.mismatches, found.unrepeatable) == ([], [], [])
