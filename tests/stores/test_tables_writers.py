"""Two writers of one lake: one wins, the other is told, and no row is lost."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from tasks.errors import LakeBusyError, SnapshotMovedError
from tasks.refs import Candidate
from tasks.settings import Settings
from tasks.stores import lease
from tasks.stores.objects import Objects
from tasks.stores.tables import Lake
from tests.support.lakes import Child, Mode, candidate, ids, publish, refund, run_on

ROUNDS, WRITERS = 3, 5


@pytest.fixture
def lake(objects: Objects) -> Lake:
    return Lake(objects)


def stray_commit(objects: Objects, made: Candidate) -> None:
    """What a writer does that outlived its lease: a commit of its own to the newest version."""
    handle = DeltaTable(objects.delta_uri(f"tables/{made.table}"), storage_options=objects.delta_options() or None)
    write_deltalake(handle, pl.read_parquet(made.path).to_arrow(), mode="append")


@pytest.mark.parametrize("mode", ["append", "replace", "overwrite"])
def test_a_commit_between_read_and_write_is_neither_lost_nor_swept_in(
    mode: Mode, lake: Lake, objects: Objects, tmp_path: Path
):
    """By path, the last commit would drop the stray row; with Delta's own retries, an append would publish it."""
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("a", "2026-05")]))
    with lake.writer(run_on(objects, 1), 0) as writer:
        writer.commit(candidate(tmp_path, "refunds", [refund("b", "2026-05")]))
        stray_commit(objects, candidate(tmp_path, "refunds", [refund("stray", "2026-05")]))
        mine = candidate(tmp_path, "refunds", [refund("c", "2026-05")], mode, ("2026-05",))
        with pytest.raises(SnapshotMovedError, match="another writer changed tables/refunds"):
            writer.commit(mine)
    assert ids(lake, lake.snapshot()) == ["a"]


def test_by_path_the_update_would_be_lost(tmp_path: Path):
    """The trap itself, so that nobody takes the handle away as needless."""
    table, rows = str(tmp_path / "t"), pl.DataFrame({"n": [1]})
    write_deltalake(table, rows.to_arrow())
    read = pl.read_delta(table)
    write_deltalake(table, pl.DataFrame({"n": [2]}).to_arrow(), mode="append")
    write_deltalake(table, pl.concat([read, pl.DataFrame({"n": [3]})]).to_arrow(), mode="overwrite")
    assert sorted(pl.read_delta(table)["n"].to_list()) == [1, 3]


def test_threads_race_and_one_wins_each_round(lake: Lake, objects: Objects, tmp_path: Path):
    for base in range(ROUNDS):
        with ThreadPoolExecutor(WRITERS) as pool:
            runs = [pool.submit(publish_or_say, lake, objects, base, f"{base}{n}", tmp_path) for n in range(WRITERS)]
        assert sorted(run.result() for run in runs) == [*["SnapshotMovedError"] * (WRITERS - 1), "won"]
    assert_each_snapshot_added_one(lake)


def publish_or_say(lake: Lake, objects: Objects, base: int, name: str, folder: Path) -> str:
    try:
        with lake.writer(run_on(objects, base), wait_seconds=60) as writer:
            writer.commit(candidate(folder, "refunds", [refund(name, "2026-05")]))
            writer.move_pointer()
    except SnapshotMovedError:
        return "SnapshotMovedError"
    return "won"


def assert_each_snapshot_added_one(lake: Lake) -> None:
    """Numbers and versions without a gap, and every winner's row still there."""
    snapshots = [lake.at(seq) for seq in range(1, ROUNDS + 1)]
    versions = [each.tables["refunds"] for each in snapshots]
    assert versions == list(range(versions[0], versions[0] + ROUNDS))
    assert [len(ids(lake, each)) for each in snapshots] == list(range(1, ROUNDS + 1))


@pytest.mark.acceptance
@pytest.mark.slow
def test_processes_race_and_one_wins_each_round(lake: Lake, lake_settings: Settings, tmp_path: Path):
    child = Child(lake_settings, tmp_path)
    for base in range(ROUNDS):
        rows = [candidate(tmp_path, "refunds", [refund(f"{base}{n}", "2026-05")]) for n in range(WRITERS)]
        said = [child.finish(each) for each in [child.start(base, row, wait=60) for row in rows]]
        assert sorted(said) == [str(base + 1), *["SnapshotMovedError"] * (WRITERS - 1)]
    assert_each_snapshot_added_one(lake)


def test_a_waiting_writer_is_told_who_holds_the_lake(lake: Lake, objects: Objects):
    holder = run_on(objects, 0, run_id="holder-run")
    with (
        lake.writer(holder, 0),
        pytest.raises(LakeBusyError, match=r"held by run holder-run \(process \d+ on "),
        lake.writer(run_on(objects, 0), wait_seconds=0.2),
    ):
        pytest.fail("two writers were let in")


def test_a_writer_waits_until_the_lake_is_free(lake: Lake, objects: Objects):
    entered, order = threading.Event(), []

    def hold_for_a_while() -> None:
        with lake.writer(run_on(objects, 0), 0):
            entered.set()
            time.sleep(0.5)
            order.append("first")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold_for_a_while)
        assert entered.wait(30)
        with lake.writer(run_on(objects, 0), wait_seconds=30):
            order.append("second")
    assert order == ["first", "second"]


def test_a_held_lease_is_renewed(objects: Objects):
    with lease.hold(objects, "r", wait_seconds=0, lease_seconds=2) as held:
        time.sleep(3)
        held.check()
        assert json.loads(objects.read(lease.KEY))["expires_at"] > datetime.now(UTC).isoformat()


def test_an_expired_lease_of_another_host_is_taken_over(lake: Lake, objects: Objects):
    leave_lease(objects, host="elsewhere", seconds=-1)
    with lake.writer(run_on(objects, 0), wait_seconds=0):
        pass


def test_a_running_lease_of_another_host_is_respected(lake: Lake, objects: Objects):
    leave_lease(objects, host="elsewhere", seconds=60)
    with pytest.raises(LakeBusyError, match="on elsewhere"), lake.writer(run_on(objects, 0), 0):
        pytest.fail("the writer was let in")


def test_a_lease_of_a_reused_pid_is_taken_over(lake: Lake, objects: Objects):
    leave_lease(objects, host=lease.this_host(), seconds=60)
    with lake.writer(run_on(objects, 0), wait_seconds=0):
        pass


def leave_lease(objects: Objects, host: str, seconds: float) -> None:
    """A lease whose process began at the epoch: not this one, though it has its pid."""
    mine = lease._myself("dead-run", seconds)
    objects.swap(lease.KEY, lease._encoded(mine.model_copy(update={"host": host, "process_start": 0.0})), None)


def test_a_writer_whose_lease_was_taken_commits_nothing_more(lake: Lake, objects: Objects, tmp_path: Path):
    with lake.writer(run_on(objects, 0), 0) as writer:
        taken = lease._myself("thief", 60)
        objects.swap(lease.KEY, lease._encoded(taken), objects.read_tagged(lease.KEY)[1])
        writer._lease._renew()
        with pytest.raises(LakeBusyError, match="no longer holds"):
            writer.commit(candidate(tmp_path, "refunds", [refund("a", "2026-05")]))
    assert lease.Holder.model_validate_json(objects.read(lease.KEY)) == taken


def test_the_pointer_fences_a_writer_that_trusts_its_lease(lake: Lake, objects: Objects, tmp_path: Path):
    """Both believe that they hold the lake; the swap decides, and the winner's rows stand."""
    with lake.writer(run_on(objects, 0), 0) as zombie:
        zombie.commit(candidate(tmp_path, "refunds", [refund("zombie", "2026-05")]))
        objects.swap(lease.KEY, lease._encoded(lease._myself("x", -1)), objects.read_tagged(lease.KEY)[1])
        publish(lake, objects, candidate(tmp_path, "refunds", [refund("winner", "2026-05")]))
        with pytest.raises((SnapshotMovedError, LakeBusyError)):
            zombie.move_pointer()
    assert (lake.snapshot().seq, ids(lake, lake.snapshot())) == (1, ["winner"])


def test_the_lost_answer_of_a_commit_is_not_a_failure(lake: Lake, objects: Objects, tmp_path: Path):
    """A commit that stands in the log with our own marks is ours, whatever error was seen."""
    from tasks.stores import delta

    made = candidate(tmp_path, "refunds", [refund("a", "2026-05")])
    publish(lake, objects, made)
    handle = delta.open_table(objects, "refunds")
    assert handle is not None
    marks = {"strata_run_id": lake.snapshot().run_id, "strata_digest": made.digest}
    assert delta._landed(objects, "refunds", handle.version(), marks) is not None
    assert delta._landed(objects, "refunds", handle.version(), marks | {"strata_run_id": "another"}) is None
    assert delta._landed(objects, "refunds", handle.version() + 1, marks) is None
