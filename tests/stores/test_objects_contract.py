"""The contract of a store of objects, run against a directory and against a real S3 server."""

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import deltalake
import polars as pl
import pytest

from tasks.errors import MissingDataError, ObjectExistsError, SecurityRefusedError, SnapshotMovedError
from tasks.stores.objects import Objects
from tasks.stores.s3_upload import PART_BYTES

ODD_KEYS = [
    "raw/淘宝/订单 导出 (1).csv",
    "a b/+/100%/x=1&y",
    "p/month=2026-03/part%2F1.parquet",
    "emoji/🧾",
    "dots/..a..",
]
WRITERS = 20


def test_what_was_created_is_read_back(objects: Objects) -> None:
    etag = objects.create("a/b", b"one")
    assert objects.read("a/b") == b"one"
    assert objects.read_tagged("a/b") == (b"one", etag)
    assert objects.head("a/b") == ("a/b", 3, etag)
    assert objects.sha256("a/b") == hashlib.sha256(b"one").hexdigest()


def test_an_object_can_be_looked_into(objects: Objects) -> None:
    objects.create("a/b", b"one and more")
    assert (objects.start("a/b", 3), objects.start("a/b", 99)) == (b"one", b"one and more")


def test_empty_bytes_are_an_object(objects: Objects) -> None:
    objects.create("_SUCCESS", b"")
    assert objects.read("_SUCCESS") == b""


def test_what_is_missing_is_told(objects: Objects) -> None:
    assert objects.head("no/such") is None
    for ask in (objects.read, objects.read_tagged, objects.sha256, lambda key: objects.start(key, 1)):
        with pytest.raises(MissingDataError, match="no/such"):
            ask("no/such")


def test_the_folder_of_a_key_is_no_object(objects: Objects) -> None:
    objects.create("a/b", b"one")
    assert objects.head("a") is None
    with pytest.raises(MissingDataError):
        objects.read("a")


def test_creating_the_same_bytes_again_is_a_success(objects: Objects) -> None:
    assert objects.create("a", b"one") == objects.create("a", b"one")


def test_creating_other_bytes_is_refused_and_changes_nothing(objects: Objects) -> None:
    objects.create("a", b"one")
    with pytest.raises(ObjectExistsError, match="other bytes"):
        objects.create("a", b"two")
    assert objects.read("a") == b"one"


@pytest.mark.parametrize("size", [10, PART_BYTES + 5])
def test_a_file_is_created_once(objects: Objects, tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "in").write_bytes(data)
    etag = objects.create_file("big/file", tmp_path / "in")
    assert objects.create_file("big/file", tmp_path / "in") == etag
    assert objects.fetch("big/file", tmp_path / "out") == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "out").read_bytes() == data
    (tmp_path / "in").write_bytes(b"x" + data[1:])
    with pytest.raises(ObjectExistsError):
        objects.create_file("big/file", tmp_path / "in")
    assert objects.sha256("big/file") == hashlib.sha256(data).hexdigest()


def test_fetching_what_is_missing_leaves_no_file(objects: Objects, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        objects.fetch("no/such", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_swap_goes_from_nothing_to_one_to_two(objects: Objects) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    second = objects.swap("CURRENT.json", b"2", first)
    assert objects.read_tagged("CURRENT.json") == (b"2", second)


def test_swap_from_an_old_etag_loses(objects: Objects) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    objects.swap("CURRENT.json", b"2", first)
    for etag in (first, None):
        with pytest.raises(SnapshotMovedError):
            objects.swap("CURRENT.json", b"3", etag)
    assert objects.read("CURRENT.json") == b"2"


def test_swap_of_what_was_deleted_loses(objects: Objects) -> None:
    etag = objects.swap("CURRENT.json", b"1", None)
    objects.delete("CURRENT.json")
    with pytest.raises(SnapshotMovedError):
        objects.swap("CURRENT.json", b"2", etag)
    assert objects.head("CURRENT.json") is None


def test_swapping_again_what_already_stands_is_a_success(objects: Objects) -> None:
    first = objects.swap("CURRENT.json", b"1", None)
    second = objects.swap("CURRENT.json", b"2", first)
    assert objects.swap("CURRENT.json", b"2", first) == second


def test_put_replaces(objects: Objects) -> None:
    objects.put("INDEX.json", b"old")
    objects.put("INDEX.json", b"new")
    assert objects.read("INDEX.json") == b"new"


def test_delete_is_idempotent(objects: Objects) -> None:
    objects.create("a/b", b"one")
    objects.delete("a/b")
    objects.delete("a/b")
    assert objects.head("a/b") is None


def test_odd_keys_are_kept_exactly(objects: Objects) -> None:
    for key in ODD_KEYS:
        objects.create(key, key.encode())
    assert [meta.key for meta in objects.list("")] == sorted(ODD_KEYS)
    assert [objects.read(key).decode() for key in ODD_KEYS] == ODD_KEYS


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "a/../../b",
        "..",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "C:/x",
        "a\x00b",
        "a\nb",
        ".strata-x",
        "é" * 200,
    ],
)
def test_a_key_that_could_escape_is_refused(objects: Objects, key: str) -> None:
    for act in (objects.read, objects.head, objects.delete, objects.delta_uri):
        with pytest.raises(SecurityRefusedError):
            act(key)
    with pytest.raises(SecurityRefusedError):
        objects.create(key, b"x")


def test_a_listing_is_in_order_of_key_and_knows_prefixes(objects: Objects) -> None:
    for key in ("a/x", "a-b/x", "a/y/z", "b/x", "ab"):
        objects.create(key, b"123")
    assert [meta.key for meta in objects.list("")] == ["a-b/x", "a/x", "a/y/z", "ab", "b/x"]
    assert [meta.key for meta in objects.list("a/")] == ["a/x", "a/y/z"]
    assert [meta.key for meta in objects.list("a")] == ["a-b/x", "a/x", "a/y/z", "ab"]
    assert [meta.bytes for meta in objects.list("b/")] == [3]
    assert list(objects.list("none/")) == []


def test_a_listing_has_all_pages(objects: Objects) -> None:
    keys = [f"many/{number:05d}" for number in range(1_050)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: objects.put(key, b"x"), keys))
    assert [meta.key for meta in objects.list("many/")] == keys


def test_the_probe_accepts_this_store_and_leaves_nothing(objects: Objects) -> None:
    objects.probe()
    assert list(objects.list("")) == []


def test_a_delta_table_is_written_and_read_below_the_root(objects: Objects) -> None:
    uri, options = objects.delta_uri("tables/orders"), objects.delta_options()
    deltalake.write_deltalake(uri, pl.DataFrame({"paid_fen": [1, 2, 3]}), storage_options=options)
    frame = pl.scan_delta(uri, storage_options=options).select(pl.col("paid_fen").sum()).collect()
    files = [meta.key for meta in objects.list("tables/orders/") if meta.key.endswith(".parquet")]
    assert frame.item() == 6
    assert pl.read_parquet(objects.read(files[0]))["paid_fen"].to_list() == [1, 2, 3]
    assert pl.scan_parquet(objects.delta_uri(files[0]), storage_options=options).collect().height == 3


ROUNDS = [pytest.param(3, id="some"), pytest.param(500, id="many", marks=pytest.mark.proof)]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_many_creators_exactly_one_wins(objects: Objects, rounds: int) -> None:
    for key in (f"race/{number}" for number in range(rounds)):
        won = _race(lambda mine, key=key: objects.create(key, mine), ObjectExistsError)
        assert [objects.read(key)] == won


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_many_swappers_exactly_one_wins(objects: Objects, rounds: int) -> None:
    for key in (f"race/{number}" for number in range(rounds)):
        etag = objects.swap(key, b"before", None)
        won = _race(lambda mine, key=key, etag=etag: objects.swap(key, mine, etag), SnapshotMovedError)
        assert [objects.read(key)] == won


def test_no_increment_is_lost(objects: Objects) -> None:
    objects.swap("seq", b"0 nobody", None)

    def increment(run: int) -> None:
        for _attempt in range(200):
            data, etag = objects.read_tagged("seq")
            try:
                # The run's id keeps two equal numbers apart, as in the real pointer.
                objects.swap("seq", b"%d run-%d" % (int(data.split()[0]) + 1, run), etag)
            except SnapshotMovedError:
                continue
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(12)))
    assert objects.read("seq").split()[0] == b"12"


def _race(write: Callable[[bytes], str], loses: type[Exception]) -> list[bytes]:
    """Let many threads write at once; return the bytes of those that were told they won."""
    barrier = threading.Barrier(WRITERS)

    def run(number: int) -> bytes | None:
        mine = json.dumps({"run_id": number}).encode()
        barrier.wait()
        try:
            write(mine)
        except loses:
            return None
        return mine

    with ThreadPoolExecutor(WRITERS) as pool:
        return [mine for mine in pool.map(run, range(WRITERS)) if mine is not None]
