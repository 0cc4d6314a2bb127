"""Ingest as a flow: real files in, canonical rows, accounts, versions and sealed bytes in the lake."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from infra.demo.demo_cn.plan import EXPORTS, RECEIPTS
from tasks.errors import BadFileError
from tasks.steps.house import objects_at
from tasks.stores.sealed_files import decrypt_file
from tests.support.leaks import leaks_in
from tests.support.quarter import QINGHE, Brand, demo_ring, key_of

pytestmark = pytest.mark.slow

TAOBAO = "taobao_ExportOrderList202603211200.csv"
YOUZAN = "youzan_orders_20260601.csv"
JUNE = {"received_at": "2026-06-01T09:00:00+08:00", "exported_at": "2026-06-01T08:00:00+08:00"}
JULY = {"received_at": "2026-07-01T09:00:00+08:00", "exported_at": "2026-07-01T08:00:00+08:00"}
VERSION = ("known_from", "known_to", "file_sha256")
PEOPLE = (
    "13800000101", "13900000202", "13600000404", "15000000606", "15000000222", "13300000909", "15800000111",
    "林小彤", "赵一鸣", "周小满", "孙小样", "张经理", "林间小鹿101", "zhao_yiming_88", "wmSAMPLEAAAA", "oSAMPLEunion",
    "样例街道", "麻烦周末送",
)  # fmt: skip


def new_brand(folder: Path) -> Brand:
    return Brand(str(folder / "lake"), QINGHE)


def take_in(brand: Brand) -> Brand:
    """All samples, on the days on which they came."""
    for receipt in RECEIPTS:
        times = {"received_at": receipt.received_at.isoformat(), "exported_at": receipt.exported_at.isoformat()}
        brand.ingest(*(EXPORTS / name for name in receipt.paths), **times)
    return brand


def edited(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A sample with some text changed, in its own encoding."""
    encoding = "utf-8" if name.startswith("youzan") else "gb18030"
    text = (EXPORTS / name).read_bytes().decode(encoding)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


@pytest.fixture(scope="module")
def qinghe(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The samples taken in; only to be read."""
    return take_in(new_brand(tmp_path_factory.mktemp("qinghe")))


def orders_of(brand: Brand, channel: str, *columns: str) -> list[tuple[object, ...]]:
    orders = brand.rows("orders").filter(pl.col("channel") == channel, pl.col("known_to").is_null())
    return orders.sort("order_id").select(columns).rows()


def test_taobao_orders_as_written_by_hand(qinghe: Brand):
    """GBK, `="…"` ids: freight is no revenue, unpaid is 0, closed with money paid is paid back, `t**y` is nobody."""
    paid = ("order_id", "status", "paid_fen", "refunded_fen", "paid_on", "paid_month")
    march = [datetime(2026, 3, day, tzinfo=UTC).date() for day in (2, 3, 5, 20, 21)]
    assert orders_of(qinghe, "taobao", *paid) == [
        ("2104477610033580101", "finished", 25_800, 0, march[0], "2026-03"),
        ("2104477610033580202", "finished", 9_900, 2_900, march[1], "2026-03"),
        ("2104477610033580303", "closed", 0, 0, None, None),
        ("2104477610033580404", "closed", 39_900, 39_900, march[2], "2026-03"),
        ("2104477610033580505", "shipped", 5_990, 0, march[3], "2026-03"),
        ("2104477610033580606", "paid", 128_800, 0, march[4], "2026-03"),
    ]
    nicks = ["林间小鹿101", "zhao_yiming_88", "陈陈陈303", None, "林间小鹿101", "孙小样606"]
    expected = [nick and key_of("nick", "taobao", nick) for nick in nicks]
    assert [key for (key,) in orders_of(qinghe, "taobao", "buyer_key")] == expected


def test_youzan_orders_as_written_by_hand(qinghe: Brand):
    """The buyer of order 505 is who paid, not the mother who gets the parcel; 303 was never paid and has no phone."""
    assert orders_of(qinghe, "youzan", "order_id", "status", "paid_fen", "refunded_fen", "buyer_key") == [
        ("E20260502100100000000101", "finished", 23_800, 0, key_of("phone", "", "13800000101")),
        ("E20260503100100000000202", "finished", 9_900, 2_900, key_of("phone", "", "13900000202")),
        ("E20260504100100000000303", "closed", 0, 0, None),
        ("E20260505100100000000404", "shipped", 39_900, 0, key_of("phone", "", "13600000404")),
        ("E20260506100100000000505", "paid", 5_990, 0, key_of("phone", "", "13800000101")),
        ("E20260507100100000000606", "closed", 128_800, 128_800, key_of("phone", "", "15000000606")),
    ]


def test_what_the_other_samples_leave(qinghe: Brand):
    counts = {name: qinghe.rows(name).height for name in ("order_lines", "refunds", "members", "follows", "contacts")}
    assert counts == {"order_lines": 7, "refunds": 4, "members": 5, "follows": 6, "contacts": 14}


def test_every_file_balances_in_rows_and_in_fen(qinghe: Brand):
    files = qinghe.rows("files")
    counted = files.select("name", "rows_read", "rows_accepted", "money_read_fen", "money_accepted_fen").sort("name")
    assert counted.rows() == [
        ("taobao_ExportOrderDetailList202603211200.csv", 7, 7, 220_695, 220_695),
        (TAOBAO, 6, 6, 211_790, 211_790),
        ("wecom_external_contacts.jsonl", 5, 5, 0, 0),
        ("youzan_customers_20260601.csv", 5, 5, 0, 0),
        (YOUZAN, 6, 6, 225_190, 225_190),
    ]
    assert_balanced(files)


def assert_balanced(files: pl.DataFrame) -> None:
    rows = pl.col("rows_accepted") + pl.col("rows_duplicate") + pl.col("rows_quarantined") - pl.col("rows_read")
    parts = ("money_accepted_fen", "money_duplicate_fen", "money_quarantined_fen")
    money = pl.sum_horizontal(parts) - pl.col("money_read_fen")
    assert files.select(rows.alias("rows"), money.alias("money")).unique().rows() == [(0, 0)]


def test_the_same_files_again_change_nothing(qinghe: Brand, tmp_path: Path):
    brand = qinghe.copied(tmp_path)
    before = brand.seq, brand.content(), brand.runs("ingest").height
    again = brand.ingest(EXPORTS / TAOBAO, EXPORTS / YOUZAN, **JULY)
    assert (again["outcome"], again["already_ingested"], again["files"]) == ("already done", [TAOBAO, YOUZAN], [])
    assert (brand.seq, brand.content(), brand.runs("ingest").height) == before


def test_the_same_rows_in_another_file_are_duplicates(qinghe: Brand, tmp_path: Path):
    """A second export that says nothing new: six duplicate rows with all their money, and no new version."""
    brand = qinghe.copied(tmp_path)
    again = edited(tmp_path / "again", YOUZAN, ("\n", "\r\n"))
    brand.ingest(again, **JULY)
    row = brand.rows("files").filter(received_at=datetime(2026, 7, 1, 1, tzinfo=UTC))
    assert row.select("rows_read", "rows_accepted", "rows_duplicate", "money_duplicate_fen").rows() == [
        (6, 0, 6, 225_190)
    ]
    assert brand.rows("orders").height == qinghe.rows("orders").height
    assert_balanced(brand.rows("files"))


def test_a_newer_export_supersedes_and_the_past_stays_as_it_was_known(qinghe: Brand, tmp_path: Path):
    brand = qinghe.copied(tmp_path)
    newer = edited(tmp_path / "newer", YOUZAN, ("普通订单,待发货,", "普通订单,交易完成,"))
    summary = brand.ingest(newer, **JULY)
    assert (summary["files"][0]["rows_accepted"], summary["files"][0]["rows_duplicate"]) == (1, 5)
    versions = brand.rows("orders").filter(order_id="E20260506100100000000505").sort("known_from")
    assert versions.select("status", "known_from", "known_to").rows() == [
        ("paid", datetime(2026, 6, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, 1, tzinfo=UTC)),
        ("finished", datetime(2026, 7, 1, 1, tzinfo=UTC), None),
    ]


@pytest.fixture(scope="module")
def arrivals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Brand, Brand, Brand]:
    """An older and a newer export: in that order, the other way round, and both in one call."""
    folder = tmp_path_factory.mktemp("arrivals")
    changes = (("普通订单,待发货,", "普通订单,交易完成,"), (",0.00,送给妈妈", ",9.90,送给妈妈"))
    older, newer = edited(folder / "older", YOUZAN), edited(folder / "newer", YOUZAN, *changes)
    newer = newer.rename(folder / "newer" / YOUZAN.replace("0601", "0701"))
    calls = (((older,), (newer,)), ((newer,), (older,)), ((newer, older),))
    brands = tuple(new_brand(folder / str(number)) for number in range(len(calls)))
    for brand, arriving in zip(brands, calls, strict=True):
        for paths, received_at in zip(arriving, ("2026-07-02", "2026-07-03"), strict=False):
            brand.ingest(*paths, received_at=received_at)
    return brands


@pytest.mark.parametrize("table", ["orders", "refunds", "sightings", "contacts"])
@pytest.mark.parametrize("other", [1, 2], ids=["newer first", "both at once"])
def test_files_in_any_order_of_arrival_end_in_the_same_current_rows(
    arrivals: tuple[Brand, Brand, Brand], table: str, other: int
):
    assert_frame_equal(current(arrivals[other], table), current(arrivals[0], table))


def test_what_is_current_is_what_the_newer_export_says(arrivals: tuple[Brand, Brand, Brand]):
    for brand in arrivals:
        assert ("finished", 990) in current(brand, "orders").select("status", "refunded_fen").rows()


def current(brand: Brand, table: str) -> pl.DataFrame:
    rows = brand.rows(table)
    open_rows = rows.filter(pl.col("known_to").is_null()) if "known_to" in rows.columns else rows
    same = open_rows.select(pl.exclude(*VERSION, "nonce", "ciphertext"))
    return same.sort(same.columns)


def test_a_bad_file_stops_nothing_else_and_says_what_to_do(tmp_path: Path):
    brand, bad = new_brand(tmp_path), tmp_path / "list.csv"
    bad.write_text("颜色,尺寸\n燕麦色,1.5m\n", encoding="utf-8")
    files = {file["name"]: file for file in brand.ingest(bad, EXPORTS / YOUZAN, **JUNE)["files"]}
    assert {name: (file["outcome"], file["rows_accepted"]) for name, file in files.items()} == {
        "list.csv": ("refused", 0), YOUZAN: ("accepted", 6),
    }  # fmt: skip
    assert "next:" in files["list.csv"]["reason"]
    stored = brand.rows("files").filter(outcome="refused")
    assert stored.select("name", "reason").rows() == [("list.csv", files["list.csv"]["reason"])]
    assert brand.rows("orders").height == 6


def test_a_refused_file_is_kept_sealed(tmp_path: Path):
    brand, bad = new_brand(tmp_path), tmp_path / "list.csv"
    bad.write_text("颜色,尺寸\n燕麦色,13800000101\n", encoding="utf-8")
    brand.ingest(bad, **JUNE)
    (key,) = [meta.key for meta in objects_at(brand.lake).list("raw/")]
    assert key == f"raw/unknown/{brand.rows('files')['sha256'][0]}/list.csv"
    sealed = Path(brand.lake, key)
    assert b"13800000101" not in sealed.read_bytes()
    decrypt_file(sealed, tmp_path / "opened.csv", demo_ring())
    assert (tmp_path / "opened.csv").read_bytes() == bad.read_bytes()


def test_a_refused_file_enters_when_it_comes_again_as_it_should(tmp_path: Path):
    """First nobody says whose shop it is, then --shop does: the same bytes, the same row of `files`."""
    shops = "code: demo_cn\nname: {zh: 青禾, en: Qinghe}\nkey_name: demo-1\n"
    brand = new_brand(tmp_path).with_policy(tmp_path / "policy", "brand.yaml", shops)
    assert brand.ingest(EXPORTS / TAOBAO, **JUNE)["files"][0]["outcome"] == "refused"
    assert brand.ingest(EXPORTS / TAOBAO, shop="other", **JULY)["files"][0]["outcome"] == "accepted"
    assert brand.rows("files").select("outcome", "shop_id", "rows_accepted").rows() == [("accepted", "other", 6)]
    assert brand.rows("orders")["shop_id"].unique().to_list() == ["other"]


def test_a_path_that_is_not_there_is_said_before_anything_is_read(tmp_path: Path):
    brand = new_brand(tmp_path)
    with pytest.raises(BadFileError, match="does not exist"):
        brand.ingest(EXPORTS / YOUZAN, tmp_path / "missing.csv", **JUNE)
    assert brand.seq == 0


def test_nobody_can_be_read_in_the_lake(qinghe: Brand):
    """Phones, names, nicks, addresses and remarks of every sample, in decoded tables, raw files, pages and records."""
    assert leaks_in(Path(qinghe.lake), PEOPLE) == {}


@pytest.mark.parametrize("place", ["table", "raw", "page"])
def test_the_search_finds_a_planted_person(qinghe: Brand, place: str, tmp_path: Path):
    brand = qinghe.copied(tmp_path)
    plant = {
        "table": lambda path: pl.DataFrame({"order_id": ["x"], "note": ["tel 13800000101"]}).write_parquet(path),
        "raw": lambda path: path.write_bytes((EXPORTS / TAOBAO).read_bytes()),
        "page": lambda path: path.write_text("<td>林小彤</td>", encoding="utf-8"),
    }
    path = Path(
        brand.lake, {"table": "tables/orders/x.parquet", "raw": "raw/x.csv", "page": "validations/x.html"}[place]
    )
    plant[place](path)
    assert list(leaks_in(Path(brand.lake), PEOPLE)) == [str(path.relative_to(brand.lake))]
