"""Writers that die, freeze or run out of disk in real processes: readers stay whole, the next run wins."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tasks.errors import TransientError
from tasks.refs import Candidate
from tasks.settings import Settings
from tasks.stores.directory import DirectoryObjects
from tasks.stores.objects import Objects
from tasks.stores.orphans import delete_orphans, find_orphans
from tasks.stores.snapshot import COPIES
from tasks.stores.tables import Lake
from tests.support.lakes import Child, candidate, contact, ids, publish, refund
from tests.support.warm import Forked

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

BEFORE_THE_SWAP = (
    "table:refunds:before",
    "table:refunds:after",
    "table:contacts:before",
    "table:contacts:after",
    "pointer:before",
)


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.acceptance)])
def lake_settings(request: pytest.FixtureRequest) -> Settings:
    """As everywhere; but each death costs a process, so that those on S3 are for `make acceptance`."""
    settings: Settings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
def lake(objects: Objects, tmp_path: Path) -> Lake:
    lake = Lake(objects)
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("old", "2026-05")]))
    return lake


@pytest.fixture
def child(lake_settings: Settings, tmp_path: Path) -> Child:
    return Child(lake_settings, tmp_path)


def two_tables(folder: Path, name: str) -> tuple[Candidate, Candidate]:
    refunds = candidate(folder, "refunds", [refund(name, "2026-05")], "replace", ("2026-05",))
    return refunds, candidate(folder, "contacts", [contact(name, b"1")])


def die(child: Child, failpoint: str, folder: Path) -> None:
    process = child.start(1, *two_tables(folder, "dead"), failpoint=f"{failpoint}:kill", lease=600)
    child.finish(process)
    assert process.returncode == -signal.SIGKILL


def pseudonyms(lake: Lake) -> list[str]:
    return lake.scan("contacts", lake.snapshot()).collect()["pseudonym"].to_list()


@pytest.mark.parametrize("failpoint", BEFORE_THE_SWAP)
def test_killed_before_the_swap_nothing_is_seen_and_the_next_run_wins(
    failpoint: str, lake: Lake, objects: Objects, child: Child, tmp_path: Path
):
    die(child, failpoint, tmp_path)
    assert (lake.snapshot().seq, ids(lake, lake.snapshot()), pseudonyms(lake)) == (1, ["old"], [])
    # The dead process's lease runs for ten more minutes; the next run does not wait for it.
    begun = time.monotonic()
    assert publish(lake, objects, *two_tables(tmp_path, "next")).seq == 2
    assert time.monotonic() - begun < 10
    assert (ids(lake, lake.snapshot()), pseudonyms(lake)) == (["next"], ["next"])
    assert ids(lake, lake.at(1)) == ["old"]


def test_killed_after_the_swap_everything_is_seen_and_the_copy_is_made_up_for(
    lake: Lake, objects: Objects, child: Child, tmp_path: Path
):
    die(child, "pointer:after", tmp_path)
    assert (lake.snapshot().seq, ids(lake, lake.snapshot()), pseudonyms(lake)) == (2, ["dead"], ["dead"])
    assert len(list(objects.list(COPIES))) == 1
    publish(lake, objects, candidate(tmp_path, "refunds", [refund("next", "2026-06")]))
    assert [ids(lake, lake.at(seq)) for seq in (1, 2, 3)] == [["old"], ["dead"], ["dead", "next"]]


def test_a_frozen_writer_that_wakes_after_its_lease_moves_nothing(
    lake: Lake, objects: Objects, child: Child, tmp_path: Path
):
    zombie = child.start(1, *two_tables(tmp_path, "zombie"), failpoint="pointer:before:stop", lease=3)
    wait_until_stopped(zombie)
    publish(lake, objects, *two_tables(tmp_path, "winner"))
    zombie.send_signal(signal.SIGCONT)
    assert child.finish(zombie) == "SnapshotMovedError"
    assert (lake.snapshot().seq, ids(lake, lake.snapshot()), pseudonyms(lake)) == (2, ["winner"], ["winner"])


def wait_until_stopped(process: Forked) -> None:
    deadline = time.monotonic() + 60
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        assert process.poll() is None, "the failpoint did not fire"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_the_dead_left_is_swept_and_nothing_else(lake: Lake, objects: Objects, child: Child, tmp_path: Path):
    die(child, "pointer:before", tmp_path)
    named = {meta.key for meta in find_orphans(objects)}
    assert {key.split("/")[1] for key in named} == {"contacts", "refunds", "manifests"}
    assert {meta.key for meta in delete_orphans(objects)} == named
    assert find_orphans(objects) == ()
    publish(lake, objects, *two_tables(tmp_path, "next"))
    assert (ids(lake, lake.at(1)), ids(lake, lake.snapshot())) == (["old"], ["next"])


def test_giving_up_old_snapshots_frees_their_files(lake: Lake, objects: Objects, tmp_path: Path):
    now = publish(lake, objects, *two_tables(tmp_path, "new"))
    assert find_orphans(objects) == ()
    gone = delete_orphans(objects, keep_from=2)
    assert [meta.key.split("/")[1] for meta in gone] == ["snapshots", "manifests", "refunds"]
    assert (ids(lake, now), find_orphans(objects)) == (["new"], ())


@contextmanager
def disk_of_two_megabytes(folder: Path) -> Iterator[Path]:
    """A small disk of its own; for a user who may not mount one, files that may not grow beyond that."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
    if os.geteuid() == 0 and not subprocess.run(mount, check=False).returncode:
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_snapshot_and_is_worth_a_rerun(tmp_path: Path):
    big = candidate(tmp_path, "contacts", [contact(str(n), os.urandom(4096)) for n in range(1000)])
    with disk_of_two_megabytes(tmp_path / "small") as disk:
        objects = DirectoryObjects(disk / "lake")
        lake = Lake(objects)
        publish(lake, objects, candidate(tmp_path, "refunds", [refund("old", "2026-05")]))
        with pytest.raises(TransientError):
            publish(lake, objects, big)
        assert (lake.snapshot().seq, ids(lake, lake.snapshot())) == (1, ["old"])
        delete_orphans(objects)
        assert publish(lake, objects, candidate(tmp_path, "refunds", [refund("new", "2026-05")])).seq == 2
