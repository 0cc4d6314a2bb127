"""A vendor who comes late: whom a newer revision calls back gets nothing from an older one, whatever way it comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.errors import StoreUnavailableError
from tasks.settings import Settings
from tasks.steps.dropping import drop_send
from tasks.stores.links import _files
from tasks.stores.objects import Objects, open_objects
from tasks.stores.outbox import finish
from tasks.stores.sends import SUCCESS, read_send
from tests.support.campaigns import vendor
from tests.support.sends import SEND, cancel, people, send_to
from tests.support.sshd import Sshd, sshd_server
from tests.support.vendor_client import Folder, VendorClient


def sent(store: Folder, follow: str) -> list[str]:
    """Everybody to whom a vendor sends who comes for the first time."""
    machine = VendorClient(store, SEND.vendor, follow)  # type: ignore[arg-type]
    machine.poll()
    return [contact for _, contact in machine.sent]


def phones(*numbers: int) -> list[str]:
    return people(numbers)["contact"].to_list()


@pytest.fixture
def outbox(tmp_path: Path) -> Objects:
    return open_objects(str(tmp_path / "outbox"), Settings())


@pytest.mark.parametrize("follow", ["pointer", "success"])
def test_a_first_look_after_a_recall_and_after_a_cancellation(outbox: Objects, tmp_path: Path, follow: str) -> None:
    send_to(outbox, [1, 2, 3, 4])
    send_to(outbox, [1, 2, 3])
    assert sent(Folder(tmp_path / "outbox"), follow) == phones(1, 2, 3)
    send_to(outbox, [1, 2, 3, 4])
    assert sent(Folder(tmp_path / "outbox"), follow) == phones(1, 2, 3, 4)
    cancel(outbox)
    assert sent(Folder(tmp_path / "outbox"), follow) == []


def test_marks_that_are_made_up_for_come_the_newest_first(outbox: Objects, tmp_path: Path) -> None:
    """Two runs died before their marks; the third dies between the two that it puts."""
    send_to(outbox, [1, 2, 3])
    send_to(outbox, [1, 2])
    first, second = (SEND.key(one.revision, SUCCESS) for one in read_send(outbox, SEND).published.revisions)
    for mark in (first, second):
        outbox.delete(mark)

    class Dying:
        """The outbox until one mark is put."""

        def __getattr__(self, name: str) -> object:
            return getattr(outbox, name)

        def create(self, key: str, data: bytes) -> None:
            outbox.create(key, data)
            raise StoreUnavailableError("dead", next_step="")

    with pytest.raises(StoreUnavailableError):
        finish(Dying(), SEND)  # type: ignore[arg-type]
    assert [outbox.head(mark) is not None for mark in (first, second)] == [False, True]
    machine = VendorClient(Folder(tmp_path / "outbox"), SEND.vendor, "success")
    machine.poll()
    finish(outbox, SEND)
    machine.poll()
    assert [contact for _, contact in machine.sent] == phones(1, 2)


def test_links_to_a_cancelled_send_open_no_part(outbox: Objects) -> None:
    send_to(outbox, [1, 2])
    assert [key.rpartition("/")[2] for key, _ in _files(outbox, SEND)] == ["manifest.json", "part-00000.csv"]
    cancel(outbox)
    names = [key.rpartition("/")[2] for key, _ in _files(outbox, SEND)]
    assert names == ["manifest.json", "manifest.json", "recall.csv"]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd_server(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("is_cancelled", [True, False])
def test_a_server_that_was_down_while_somebody_said_no(
    outbox: Objects, tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, *, is_cancelled: bool
) -> None:
    theirs = sshd.root / tmp_path.name
    theirs.mkdir()
    for name, value in sshd.env(SEND.vendor).items():
        monkeypatch.setenv(name, value)
    down, up = (vendor(transport=sshd.transport(path=str(theirs), **port)) for port in ({"port": 1}, {}))
    for numbers in ([1, 2, 3], [1, 2]):
        with pytest.raises(StoreUnavailableError):
            send_to(outbox, numbers, vendor=down)
    if is_cancelled:
        cancel(outbox)
    assert drop_send(outbox, SEND, up) == (0 if is_cancelled else 2)
    assert sent(Folder(theirs), "success") == ([] if is_cancelled else phones(1, 2))
    cancel(outbox)
    assert drop_send(outbox, SEND, up) == (0 if is_cancelled else 1)
    assert sent(Folder(theirs), "success") == []
