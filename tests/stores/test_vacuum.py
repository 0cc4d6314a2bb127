"""The past of the tables given up, in a directory and in S3: nothing of before can be read, everything of now can."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from tasks.errors import MissingDataError
from tasks.stores.delta import table_key
from tasks.stores.objects import Objects
from tasks.stores.tables import Lake
from tasks.stores.vacuum import vacuum
from tests.support.lakes import candidate, ids, publish, refund, run_on

OLD = "refund-of-somebody"


@pytest.fixture
def lake(objects: Objects, tmp_path: Path) -> Lake:
    """A refund that was there once, and one that is there now."""
    lake = Lake(objects)
    publish(lake, objects, candidate(tmp_path, "refunds", [refund(OLD, "2026-05"), refund("b", "2026-06")]))
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("c", "2026-05")], "replace", ("2026-05",)))
    return lake


def stored(objects: Objects) -> dict[str, bytes]:
    return {meta.key: objects.read(meta.key) for meta in objects.list("tables/")}


def test_nothing_of_before_is_left(lake: Lake, objects: Objects):
    assert any(OLD.encode() in data for data in stored(objects).values()), "Delta's log tells least and greatest values"
    told = vacuum(objects, wait_seconds=5)
    assert (told.files > 0, told.log_entries > 0) == (True, True)
    assert [key for key, data in stored(objects).items() if OLD.encode() in data] == []
    assert ids(lake, lake.snapshot()) == ["b", "c"]
    with pytest.raises(MissingDataError, match="keeps no snapshot 1"):
        lake.at(1)


def test_other_engines_and_the_next_writer_go_on(lake: Lake, objects: Objects, tmp_path: Path):
    vacuum(objects, wait_seconds=5)
    delta = DeltaTable(objects.delta_uri(table_key("refunds")), storage_options=objects.delta_options() or None)
    assert sorted(delta.to_pyarrow_table()["refund_id"].to_pylist()) == ["b", "c"]
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("d", "2026-07")]))
    assert ids(lake, lake.snapshot()) == ["b", "c", "d"]
    vacuum(objects, wait_seconds=5)
    assert ids(lake, lake.snapshot()) == ["b", "c", "d"]


def test_twice_is_once(lake: Lake, objects: Objects):
    vacuum(objects, wait_seconds=5)
    before = {key: data for key, data in stored(objects).items() if "LEASE" not in key}
    assert vacuum(objects, wait_seconds=5) == (0, 0)
    assert {key: data for key, data in stored(objects).items() if "LEASE" not in key} == before
    assert lake.snapshot().seq == 2


def test_what_a_dead_run_left_in_a_table_is_undone_first(lake: Lake, objects: Objects, tmp_path: Path):
    """A run that committed and died before the pointer moved: the log must not begin with its version."""
    with lake.writer(run_on(objects, lake.snapshot().seq), wait_seconds=5) as writer:
        writer.commit(candidate(tmp_path, "refunds", [refund("stray", "2026-06")]))
    vacuum(objects, wait_seconds=5)
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("d", "2026-07")]))
    assert ids(lake, lake.snapshot()) == ["b", "c", "d"]
