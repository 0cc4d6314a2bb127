"""What a reader or a writer finds when stored bytes, the Delta log or scratch are not what they should be."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.errors import DamagedError, UnbalancedError
from tasks.refs import Snapshot, StoredFile
from tasks.stores import delta, verified
from tasks.stores.candidates import check_written
from tasks.stores.objects import Objects
from tasks.stores.snapshot import manifest_key
from tasks.stores.tables import Lake
from tests.support.lakes import candidate, contact, ids, publish, refund


@pytest.fixture
def lake(objects: Objects) -> Lake:
    return Lake(objects)


@pytest.fixture
def now(lake: Lake, objects: Objects, tmp_path: Path) -> Snapshot:
    rows = [refund("a", "2026-05"), refund("b", "2026-06")]
    return publish(lake, objects, candidate(tmp_path, "refunds", rows))


def flip_a_byte(objects: Objects, file: StoredFile) -> None:
    data = bytearray(objects.read(file.path))
    data[len(data) // 3] ^= 1
    objects.put(file.path, bytes(data))


def file_of(lake: Lake, now: Snapshot, month: str) -> StoredFile:
    return next(file for file in lake.manifest(now)["refunds"] if month in file.path)


def test_a_flipped_byte_stops_the_reader_and_names_the_file(objects: Objects, lake: Lake, now: Snapshot):
    file = file_of(lake, now, "2026-06")
    flip_a_byte(objects, file)
    with pytest.raises(DamagedError, match=file.path):
        fresh_read(objects, now, ["2026-06"])
    assert fresh_read(objects, now, ["2026-05"]) == ["a"]


def test_a_deleted_file_stops_the_reader_and_names_the_file(objects: Objects, lake: Lake, now: Snapshot):
    file = file_of(lake, now, "2026-05")
    objects.delete(file.path)
    with pytest.raises(DamagedError, match=f"{file.path} .* is gone"):
        fresh_read(objects, now)


def fresh_read(objects: Objects, now: Snapshot, months: list[str | None] | None = None) -> list[str]:
    """Read as another process would, which has checked nothing yet."""
    verified._checked.clear()
    return ids(Lake(objects), now, months)


def test_a_file_that_changes_after_it_was_checked_is_never_read(objects: Objects, lake: Lake, now: Snapshot):
    """In a directory the change is seen at once; of a bucket this process reads its own checked copy."""
    assert fresh_read(objects, now) == ["a", "b"]
    flip_a_byte(objects, file_of(lake, now, "2026-05"))
    with suppress(DamagedError):
        assert ids(lake, now) == ["a", "b"]


def test_a_manifest_with_other_bytes_is_refused(objects: Objects, now: Snapshot):
    key = manifest_key(now.manifest_sha256)
    objects.put(key, objects.read(key) + b" ")
    with pytest.raises(DamagedError, match=now.manifest_sha256):
        Lake(objects).scan("refunds", now)


def test_a_lost_delta_log_entry_stops_the_writer(objects: Objects, lake: Lake, now: Snapshot, tmp_path: Path):
    last = [meta.key for meta in objects.list("tables/refunds/_delta_log/") if meta.key.endswith(".json")][-1]
    objects.delete(last)
    with pytest.raises(DamagedError, match=r"Delta log of refunds .* is behind its snapshot"):
        publish(lake, objects, candidate(tmp_path, "refunds", [refund("c", "2026-05")]))
    assert lake.snapshot() == now


def test_readers_do_not_need_the_delta_log(objects: Objects, lake: Lake, now: Snapshot):
    for meta in list(objects.list("tables/refunds/_delta_log/")):
        objects.delete(meta.key)
    assert ids(lake, now) == ["a", "b"]


def test_writers_do_not_build_on_damage_of_another_partition_unseen(
    objects: Objects, lake: Lake, now: Snapshot, tmp_path: Path
):
    flip_a_byte(objects, file_of(lake, now, "2026-06"))
    later = publish(lake, objects, candidate(tmp_path, "contacts", [contact("p", b"1")]))
    with pytest.raises(DamagedError):
        fresh_read(objects, later)


def test_what_was_written_is_compared_in_any_order_but_value_for_value(tmp_path: Path):
    rows = pl.DataFrame([refund("a", "2026-05"), refund("b", None)], schema=TABLES["refunds"].schema)
    made = candidate(tmp_path, "refunds", rows)
    check_written(made, rows.reverse().lazy())
    for other in (rows[:1], rows.with_columns(pl.col("refund_fen") + 1), rows.with_columns(known_to="known_from")):
        with pytest.raises(UnbalancedError, match="not those written"):
            check_written(made, other.lazy())


def test_a_store_that_keeps_other_rows_than_it_was_given_is_caught(
    objects: Objects, lake: Lake, now: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = candidate(tmp_path, "refunds", [refund("c", "2026-05", fen=999)])
    write = delta.write

    def careless(store: Objects, table: str, handle: Any, _rows: str, commit: delta.Commit) -> Any:
        return write(store, table, handle, other.path, commit)

    monkeypatch.setattr(delta, "write", careless)
    with pytest.raises(UnbalancedError, match="not those written"):
        publish(lake, objects, candidate(tmp_path, "refunds", [refund("c", "2026-05")]))
    assert lake.snapshot() == now
