"""What arrives: archives, folders that tell a shop, uploads under way, refusals that come again, S3, a dry run."""

import gzip
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.ingest import inbox, ingest
from flows.parameters import InboxParameters, IngestParameters
from infra.demo.demo_cn.plan import EXPORTS
from tasks.errors import BadFileError
from tasks.settings import Settings
from tasks.steps.house import objects_at
from tasks.stores.objects import open_objects
from tests.support.quarter import QINGHE, Brand
from tests.support.strata import quickly, strata
from tests.support.weed import Endpoint

pytestmark = pytest.mark.slow

TAOBAO = "taobao_ExportOrderList202603211200.csv"
YOUZAN = "youzan_orders_20260601.csv"
TIMES = {"received_at": "2026-06-02T09:00:00+08:00", "exported_at": "2026-06-01T08:00:00+08:00"}
BRAND = "code: demo_cn\nname: {zh: 青禾, en: Qinghe}\nkey_name: demo-1\n"
BAD = "颜色,尺寸\n燕麦色,1.5m\n"


@pytest.fixture
def house(tmp_path: Path) -> Brand:
    return Brand(str(tmp_path / "lake"), QINGHE)


def put(path: Path, name: str = YOUZAN) -> Path:
    """A sample under another name or in another place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXPORTS / name, path)
    return path


def named(summary: dict[str, Any], *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(file[name] for name in columns) for file in summary["files"])


def stored(lake: str) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(lake)): path.read_bytes() for path in sorted(Path(lake).rglob("*")) if path.is_file()}


def test_members_of_archives_are_files_of_their_own(house: Brand, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "may.zip", "w") as archive:
        archive.write(EXPORTS / YOUZAN, f"exports/{YOUZAN}")
        archive.write(EXPORTS / TAOBAO, TAOBAO)
        archive.writestr("list.csv", BAD)
    summary = house.ingest(tmp_path / "may.zip", **TIMES)
    assert named(summary, "name", "outcome", "rows_read") == [
        ("may.zip/" + f"exports/{YOUZAN}", "accepted", 6), ("may.zip/list.csv", "refused", 0),
        (f"may.zip/{TAOBAO}", "accepted", 6),
    ]  # fmt: skip
    keys = [meta.key for meta in objects_at(house.lake).list("raw/")]
    assert [key.split("/", 3)[3] for key in keys if key.startswith("raw/youzan/")] == [f"may.zip/exports/{YOUZAN}"]
    again = house.ingest(tmp_path / "may.zip", EXPORTS / YOUZAN, **TIMES)
    assert (again["outcome"], named(again, "name", "outcome")) == ("already done", [("may.zip/list.csv", "refused")])
    assert house.seq == 1


@pytest.mark.acceptance
def test_a_gzipped_file_is_the_file_in_it(house: Brand, tmp_path: Path):
    (tmp_path / f"{YOUZAN}.gz").write_bytes(gzip.compress((EXPORTS / YOUZAN).read_bytes(), mtime=0))
    house.ingest(tmp_path / f"{YOUZAN}.gz", **TIMES)
    assert house.ingest(EXPORTS / YOUZAN, **TIMES)["outcome"] == "already done"


@pytest.mark.acceptance
def test_a_cut_archive_is_refused_and_kept(house: Brand, tmp_path: Path):
    cut = gzip.compress((EXPORTS / YOUZAN).read_bytes(), mtime=0)[:-20]
    (tmp_path / f"{YOUZAN}.gz").write_bytes(cut)
    summary = house.ingest(tmp_path / f"{YOUZAN}.gz", **TIMES)
    assert named(summary, "name", "outcome") == [(f"{YOUZAN}.gz", "refused")]
    assert [meta.key.split("/")[1] for meta in objects_at(house.lake).list("raw/")] == ["unknown"]


def test_folders_tell_channel_and_shop(house: Brand, tmp_path: Path):
    put(tmp_path / "in/youzan/second_mall/2026-05" / YOUZAN)
    put(tmp_path / "in/May exports" / TAOBAO, TAOBAO)
    summary = house.ingest(tmp_path / "in", **TIMES)
    assert named(summary, "channel", "shop_id") == [("taobao", "qinghe_tmall"), ("youzan", "second_mall")]


def test_a_folder_of_another_channel_does_not_make_the_file_that_channels(house: Brand, tmp_path: Path):
    put(tmp_path / "in/taobao/flagship" / YOUZAN)
    (file,) = house.ingest(tmp_path / "in", **TIMES)["files"]
    assert (file["outcome"], "of channel taobao" in file["reason"] or "taobao" in file["reason"]) == ("refused", True)


@pytest.fixture
def several(house: Brand, tmp_path: Path) -> Brand:
    """A brand with two shops of one channel."""
    return house.with_policy(tmp_path / "policy", "brand.yaml", f"{BRAND}shops: {{youzan: [mall, outlet]}}\n")


@pytest.mark.acceptance
def test_of_several_shops_one_must_be_told(several: Brand, tmp_path: Path):
    (file,) = several.ingest(EXPORTS / YOUZAN, **TIMES)["files"]
    assert "does not say which shop of youzan it is from; expected one of mall, outlet" in file["reason"]
    assert "youzan/SHOP/" in file["reason"]
    put(tmp_path / "in/youzan/outlet" / YOUZAN)
    assert named(several.ingest(tmp_path / "in", **TIMES), "outcome", "shop_id") == [("accepted", "outlet")]


def test_a_shop_that_the_brand_does_not_have_is_refused(several: Brand, tmp_path: Path):
    put(tmp_path / "in/youzan/outlte" / YOUZAN)
    (file,) = several.ingest(tmp_path / "in", **TIMES)["files"]
    assert "told to be from outlte, which is no shop of youzan" in file["reason"]


def test_what_is_still_being_uploaded_is_left_alone(house: Brand, tmp_path: Path):
    for name in ("a.csv.part", "b.CSV.crdownload", "~$c.xlsx", ".hidden.csv", "d.csv.tmp"):
        put(tmp_path / "in" / name)
    young = put(tmp_path / "in" / YOUZAN)
    told = IngestParameters(paths=(str(tmp_path / "in"),), settle_seconds=600, **house.told, **TIMES)
    summary = ingest(told)
    left = {file["name"]: file["why"] for file in summary["left"]}
    assert set(left) == {"a.csv.part", "b.CSV.crdownload", "~$c.xlsx", "d.csv.tmp", YOUZAN}
    assert left[YOUZAN] == "changed within the last 600 s"
    assert (summary["outcome"], house.seq) == ("already done", 0)
    os.utime(young, (1, 1))
    assert ingest(told)["outcome"] == "done"


@pytest.mark.acceptance
@pytest.mark.parametrize("kind", ["link", "pipe", "control", "bidi"])
def test_what_is_no_export_by_its_name_or_kind_is_refused_unopened(house: Brand, tmp_path: Path, kind: str):
    folder = tmp_path / "in"
    folder.mkdir()
    make = {
        "link": lambda: (folder / "x.csv").symlink_to("/etc/passwd"),
        "pipe": lambda: os.mkfifo(folder / "x.csv"),
        "control": lambda: put(folder / "x\n.csv"),
        "bidi": lambda: put(folder / "x\u202evsc.exe"),
    }
    make[kind]()
    put(folder / YOUZAN)
    summary = house.ingest(folder, **TIMES)
    assert [file["outcome"] for file in summary["files"]] == ["accepted", "refused"]
    assert summary["files"][1]["name"].isprintable()
    assert house.rows("files").height == 1


def poll(house: Brand, *paths: object, settle_seconds: float = 0) -> dict[str, Any]:
    return inbox(InboxParameters(inbox=tuple(map(str, paths)), settle_seconds=settle_seconds, **house.told))


def test_a_poll_moves_nothing_when_nothing_is_new(house: Brand, tmp_path: Path):
    """A refused file that stays in the inbox is told at each poll, and makes no new snapshot."""
    put(tmp_path / "in" / YOUZAN)
    (tmp_path / "in/list.csv").write_text(BAD, encoding="utf-8")
    first = poll(house, tmp_path / "in")
    before, stand = stored(house.lake), house.seq
    second = poll(house, tmp_path / "in")
    assert (first["outcome"], second["outcome"], house.seq) == ("done", "already done", stand)
    assert second["already_ingested"] == [YOUZAN]
    assert named(second, "name", "outcome", "reason") == named(first, "name", "outcome", "reason")[:1]
    assert stored(house.lake) == before


def test_an_empty_inbox_needs_not_even_a_policy(tmp_path: Path):
    (tmp_path / "in").mkdir()
    summary = inbox(InboxParameters(inbox=(str(tmp_path / "in"),), lake=str(tmp_path / "lake")))
    assert (summary["outcome"], (tmp_path / "lake").exists()) == ("nothing there", False)


@pytest.mark.acceptance
def test_a_refused_file_is_read_again_when_the_policy_has_changed(house: Brand, tmp_path: Path):
    shopless = house.with_policy(tmp_path / "policy", "brand.yaml", BRAND)
    assert poll(shopless, EXPORTS / YOUZAN)["totals"]["refused"] == 1
    assert poll(shopless, EXPORTS / YOUZAN)["outcome"] == "already done"
    assert poll(house, EXPORTS / YOUZAN)["totals"]["accepted"] == 1


def test_a_dry_run_accounts_and_writes_nothing(house: Brand):
    paths = (str(EXPORTS / YOUZAN), str(EXPORTS / TAOBAO))
    dry = ingest(IngestParameters(paths=paths, dry_run=True, **house.told, **TIMES))
    assert (dry["outcome"], Path(house.lake).exists()) == ("dry run", False)
    wet = ingest(IngestParameters(paths=paths, **house.told, **TIMES))
    assert (dry["files"], dry["totals"], dry["rows"]) == (wet["files"], wet["totals"], wet["rows"])
    before = stored(house.lake)
    known = ingest(IngestParameters(paths=paths, dry_run=True, **house.told, **TIMES))
    assert (known["already_ingested"], stored(house.lake)) == ([TAOBAO, YOUZAN], before)


@pytest.mark.acceptance
def test_totals_balance_in_rows_and_in_fen(house: Brand):
    totals = house.ingest(EXPORTS, **TIMES)["totals"]
    for unit, tail in (("rows", ""), ("money", "_fen")):
        parts = sum(totals[f"{unit}_{part}{tail}"] for part in ("accepted", "duplicate", "quarantined"))
        assert parts == totals[f"{unit}_read{tail}"] > 0


def test_nothing_of_a_run_stays_in_scratch(house: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    dead = tmp_path / "scratch" / f"{'a' * 16}-3-999999999"
    dead.mkdir(parents=True)
    house.ingest(EXPORTS / YOUZAN, **TIMES)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.fixture
def bucket(s3_server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """The S3 server as the settings' own; the store of an earlier test is not remembered."""
    for name, value in s3_server.env().items():
        monkeypatch.setenv(name, value)
    objects_at.cache_clear()
    yield s3_server
    objects_at.cache_clear()


def test_an_s3_prefix_is_taken_up_once(house: Brand, bucket: Endpoint, tmp_path: Path):
    prefix = bucket.uri(f"inbox-{tmp_path.name}")
    store = open_objects(prefix, Settings())
    store.put(f"youzan/outlet/{YOUZAN}", (EXPORTS / YOUZAN).read_bytes())
    store.put(f"May/{TAOBAO}.part", b"half")
    store.put("list.csv", BAD.encode())
    first = poll(house, prefix)
    assert named(first, "name", "outcome", "shop_id") == [
        ("list.csv", "refused", "unknown"), (YOUZAN, "accepted", "outlet"),
    ]  # fmt: skip
    assert [file["name"] for file in first["left"]] == [f"{TAOBAO}.part"]
    stand = house.seq
    assert (poll(house, prefix)["outcome"], house.seq) == ("already done", stand)
    store.put("list.csv", (EXPORTS / TAOBAO).read_bytes())
    assert named(poll(house, prefix), "name", "outcome") == [("list.csv", "accepted")]


def test_an_s3_key_that_hides_its_end_is_refused_unopened(house: Brand, bucket: Endpoint, tmp_path: Path):
    forged = f"forged-{tmp_path.name}/\u202e{YOUZAN}"
    bucket.client().put_object(Bucket=bucket.bucket, Key=forged, Body=(EXPORTS / YOUZAN).read_bytes())
    (file,) = poll(house, bucket.uri(f"forged-{tmp_path.name}"))["files"]
    assert (file["outcome"], "cannot be seen" in file["reason"], house.seq) == ("refused", True, 0)


@pytest.mark.acceptance
def test_one_s3_object_may_be_named(house: Brand, bucket: Endpoint, tmp_path: Path):
    prefix = bucket.uri(f"one-{tmp_path.name}")
    open_objects(prefix, Settings()).put(YOUZAN, (EXPORTS / YOUZAN).read_bytes())
    assert named(poll(house, f"{prefix}/{YOUZAN}"), "name", "outcome") == [(YOUZAN, "accepted")]


def test_a_path_that_is_not_there_stops_before_anything_is_read(house: Brand, tmp_path: Path):
    with pytest.raises(BadFileError, match="does not exist"):
        poll(house, EXPORTS / YOUZAN, tmp_path / "missing")
    assert house.seq == 0


@pytest.mark.acceptance
def test_exports_of_any_split_over_calls_end_in_the_same_current_rows(tmp_path: Path):
    """Three overlapping exports, one at a time in two orders, and all at once from a zip."""
    older = (EXPORTS / YOUZAN).read_text(encoding="utf-8")
    newer = older.replace("普通订单,待发货,", "普通订单,交易完成,")
    part = "".join(newer.splitlines(keepends=True)[:4])
    texts = {"youzan_orders_20260601.csv": older, "youzan_orders_20260701.csv": newer, "part_20260615.csv": part}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in texts:
            archive.write(tmp_path / name, name)
    calls = ([*texts], [*reversed(texts)], ["all.zip"])
    ends = []
    for number, names in enumerate(calls):
        brand = Brand(str(tmp_path / f"lake{number}"), QINGHE)
        for day, name in enumerate(names, 1):
            brand.ingest(tmp_path / name, received_at=f"2026-08-0{day}")
        orders = brand.rows("orders").filter(pl.col("known_to").is_null())
        ends.append(orders.select("order_id", "status", "paid_fen", "content_hash").sort("order_id").rows())
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.acceptance
def test_drift_is_told_against_the_layout_and_the_file_before(house: Brand, tmp_path: Path):
    """A month later the back office has a new column and a new word; both stand in the run's artifact."""
    house.ingest(EXPORTS / YOUZAN, **TIMES)
    text = (EXPORTS / YOUZAN).read_text(encoding="utf-8").replace("交易完成", "圆满结束", 1)
    head, *rows = text.splitlines(keepends=False)
    later = tmp_path / "youzan_orders_20260701.csv"
    later.write_text("\n".join([f"{head},心情", *(f"{row},好" for row in rows)]), encoding="utf-8")
    summary = house.ingest(later, received_at="2026-07-02")
    told = {(row["against"], row["kind"], row["what"]) for row in summary["drift"]}
    assert {("layout", "new column", "心情"), (YOUZAN, "column came", "心情")} <= told
    assert any(kind == "unknown word in status" and what.startswith("圆满结束") for _, kind, what in told)


@pytest.mark.acceptance
def test_the_command_ends_with_a_table_and_code_2_when_something_was_refused(
    house: Brand, tmp_path: Path, harness_env: dict[str, str]
):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/list[1].csv").write_text(BAD, encoding="utf-8")
    told = ("--lake", house.lake, "--policy", house.policy, "--settle", "0")
    refused = strata("ingest", str(tmp_path / "in"), str(EXPORTS / YOUZAN), *told, env=harness_env, COLUMNS="200")
    assert refused.code == 2, refused.problem
    for words in (
        "list[1].csv",
        "youzan_orders",
        "1 accepted, 1 refused",
        "2,251.90",
        "refused list[1].csv: no layout",
    ):
        assert words in refused.out
    again = quickly("ingest", str(EXPORTS / YOUZAN), *told, "--json", env=harness_env)
    assert (again.code, again.told["outcome"], again.told["already_ingested"]) == (0, "already done", [YOUZAN])
