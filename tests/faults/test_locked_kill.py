"""SIGKILL at every named step with files locked to the vendor's key, and on the way to the vendor's SFTP server.

The vendor polls as an independent machine: whole, verified revisions or none, and nobody is sent to twice.
"""

import json
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyrage
import pytest

from tasks.settings import Settings
from tasks.stores.index import orphans
from tasks.stores.objects import Objects, open_objects
from tasks.stores.sends import read_send
from tests.support.campaigns import vendor
from tests.support.sends import SEND, people, send_to
from tests.support.sshd import Sshd, sshd_server
from tests.support.vendor_client import Bucket, Folder, Store, VendorClient, with_age
from tests.support.warm import Forked, fork
from tests.support.weed import Endpoint

FIRST, SECOND = [1, 2, 3], [2, 3, 4, 5, 6]
POINTS = [*(f"P{n}:{when}" for n in range(3, 11) for when in ("before", "after")), "index:before"]
VISIBLE = {"P8:after", "P9:before", "index:before", "P9:after", "P10:before", "P10:after"}
ON_THE_WAY = ["drop:file:after", "drop:mark:before", "drop:mark:after", "drop:noted:after"]
VENDOR = pyrage.x25519.Identity.generate()
LOCKED = {"encryption": {"kind": "age", "recipient": str(VENDOR.to_public())}}


def contacts(numbers: Iterable[int]) -> list[str]:
    return people(numbers)["contact"].to_list()


def publisher(uri: str, profile: dict, numbers: Iterable[int], env: dict[str, str]) -> Forked:
    return fork("tests.support.publisher", (uri, json.dumps(profile), *map(str, numbers)), {**os.environ, **env})


def killed_at(point: str, uri: str, profile: dict, numbers: Iterable[int], env: dict[str, str]) -> None:
    """Publish in a child that dies at the point; a point that is never reached fails the test."""
    child = publisher(uri, profile, numbers, env | {"STRATA_FAILPOINT": f"{point}:kill"})
    _, problem = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL, f"{point} never fired: {problem}"


def publish(objects: Objects, profile: dict, numbers: Iterable[int]) -> None:
    send_to(objects, numbers, vendor=vendor(rows_per_part=2, **profile))


def machines(store: Store) -> list[VendorClient]:
    return [VendorClient(store, SEND.vendor, follow, with_age(VENDOR)) for follow in ("pointer", "success")]


def read_by(machine: VendorClient) -> list[str]:
    """Everyone sent to so far, after one more look."""
    machine.poll()
    return sorted(contact for _, contact in machine.sent)


def swept(objects: Objects) -> None:
    for orphan in orphans(objects):
        for key in orphan.keys:
            objects.delete(key)


def kill_and_rerun(objects: Objects, store: Store, point: str, env: dict[str, str]) -> None:
    publish(objects, LOCKED, FIRST)
    polling = machines(store)
    assert [read_by(machine) for machine in polling] == [contacts(FIRST)] * 2
    killed_at(point, objects.uri, LOCKED, SECOND, env)
    due = contacts([1, 2, 3, 4, 5, 6])
    assert read_by(polling[0]) == (due if point in VISIBLE else contacts(FIRST))
    for _ in range(2):
        publish(objects, LOCKED, SECOND)
        assert [read_by(machine) for machine in polling] == [due] * 2
        assert [read_by(machine) for machine in machines(store)] == [contacts(SECOND)] * 2  # nobody called back
        assert read_send(objects, SEND).published.seq == 2
    swept(objects)
    assert orphans(objects) == ()
    assert [read_by(machine) for machine in machines(store)] == [contacts(SECOND)] * 2


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_publisher_of_locked_files_is_completed_once(tmp_path: Path, point: str) -> None:
    objects = open_objects(str(tmp_path / "outbox"), Settings())
    kill_and_rerun(objects, Folder(tmp_path / "outbox"), point, {})


@pytest.mark.slow
@pytest.mark.parametrize("point", ["P3:after", "P6:after", "P8:before", "P8:after", "P9:after"])
def test_the_same_on_real_s3(s3_server: Endpoint, s3_settings: Settings, point: str) -> None:
    prefix = s3_settings.lake.removeprefix(f"s3://{s3_server.bucket}/") + "/"
    store = Bucket(s3_server.client(), s3_server.bucket, prefix)
    kill_and_rerun(open_objects(s3_settings.lake, s3_settings), store, point, s3_server.env())


def test_an_attempt_that_got_to_its_manifest_is_taken_over(tmp_path: Path) -> None:
    objects = open_objects(str(tmp_path / "outbox"), Settings())
    killed_at("P6:after", objects.uri, LOCKED, FIRST, {})
    before = {meta.key for meta in objects.list(f"{SEND.id}/rev-")}
    publish(objects, LOCKED, FIRST)
    assert {meta.key for meta in objects.list(f"{SEND.id}/rev-") if not meta.key.endswith("_SUCCESS")} == before
    assert orphans(objects) == ()


def test_what_an_earlier_attempt_locked_is_swept_and_never_offered(tmp_path: Path) -> None:
    objects = open_objects(str(tmp_path / "outbox"), Settings())
    killed_at("P4:after", objects.uri, LOCKED, FIRST, {})
    publish(objects, LOCKED, FIRST)
    (left,) = orphans(objects)
    assert len(left.keys) == 2
    assert all(key.endswith(".csv.age") for key in left.keys)
    assert read_by(machines(Folder(tmp_path / "outbox"))[0]) == contacts(FIRST)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd_server(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("point", ["P8:after", "P9:after", *ON_THE_WAY])
def test_a_killed_drop_is_completed_once(
    tmp_path: Path, point: str, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = open_objects(str(tmp_path / "outbox"), Settings())
    theirs = sshd.root / tmp_path.name
    profile = LOCKED | {"transport": sshd.transport(path=str(theirs))}
    theirs.mkdir()
    killed_at(point, objects.uri, profile, FIRST, sshd.env(SEND.vendor))
    machine = VendorClient(Folder(theirs), SEND.vendor, "success", with_age(VENDOR))
    assert read_by(machine) == (contacts(FIRST) if point in ON_THE_WAY[2:] else [])
    if point in ON_THE_WAY[2:]:
        taken(theirs)
    for name, value in sshd.env(SEND.vendor).items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        publish(objects, profile, FIRST)
        assert read_by(machine) == contacts(FIRST)
    publish(objects, profile, SECOND)
    assert read_by(machine) == contacts([1, 2, 3, 4, 5, 6])
    assert list(theirs.rglob(".strata-*")) == []


def taken(folder: Path) -> None:
    """Do as many vendors do: take away what was read."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.unlink()
