"""A person taken out of published sends, in a directory and in S3: readers see a whole send before and after."""

from datetime import date

import pytest

from tasks.errors import SnapshotMovedError
from tasks.stores.erased_sends import Erasure, drop_recall, erase_from, expired_recalls, recipients_in, sends_with
from tasks.stores.index import orphans
from tasks.stores.objects import Objects
from tasks.stores.sends import Send, check_stored, read_send
from tests.support.sends import KEY, PROFILE, SEND, Client, send_to

TOKENS = {"c_000002": "c_ghost2", "phone::2": "phone::ghost"}
ERASURE = Erasure(TOKENS, {"phone::2": "13900000002"}, PROFILE, date(2026, 7, 31), KEY)
OTHER = Send(SEND.vendor, "another", date(2026, 7, 2))


def numbers(*people: int) -> list[str]:
    return [f"139{n:08d}" for n in people]


def everything(objects: Objects) -> bytes:
    return b"".join(objects.read(meta.key) for meta in objects.list(""))


@pytest.fixture
def sent(objects: Objects) -> Objects:
    """Five people, then two more, in two revisions; a second send without the person."""
    send_to(objects, range(5))
    send_to(objects, range(7))
    send_to(objects, [7, 8], OTHER)
    return objects


def test_whom_it_concerns_is_found(sent: Objects):
    assert sends_with(sent, TOKENS) == [SEND]
    assert recipients_in(sent, SEND, TOKENS) == {"phone::2"}


def test_the_person_is_out_and_called_back_and_all_others_stay(sent: Objects):
    other = {meta.key: sent.read(meta.key) for meta in sent.list(OTHER.id)}
    published = erase_from(sent, SEND, ERASURE)
    assert (published.seq, len(published.revisions)) == (3, 3)
    client = Client(sent, SEND)
    assert sorted(client.by_pointer()) == sorted(client.by_success()) == numbers(0, 1, 3, 4, 5, 6)
    manifests = [check_stored(sent, SEND, revision) for revision in published.revisions]
    assert [(manifest.rows, manifest.recalled) for manifest in manifests] == [(4, 0), (2, 0), (0, 1)]
    assert {meta.key: sent.read(meta.key) for meta in sent.list(OTHER.id)} == other
    assert orphans(sent) == ()
    assert b"c_000002" not in everything(sent)
    assert everything(sent).count(b"13900000002") == 1


def test_twice_is_once(sent: Objects):
    published = erase_from(sent, SEND, ERASURE)
    before = everything(sent)
    assert erase_from(sent, SEND, ERASURE) == published
    assert everything(sent) == before


def test_a_recall_file_goes_when_its_last_day_is_over(sent: Objects):
    published = erase_from(sent, SEND, ERASURE)
    assert expired_recalls(sent, date(2026, 7, 31)) == []
    (expired,) = expired_recalls(sent, date(2026, 8, 1))
    assert expired == (SEND, published.revisions[-1])
    drop_recall(sent, *expired, KEY)
    assert b"13900000002" not in everything(sent)
    assert sorted(Client(sent, SEND).by_pointer()) == numbers(0, 1, 3, 4, 5, 6)
    assert expired_recalls(sent, date(2026, 8, 1)) == []


def test_a_pointer_that_moved_meanwhile_is_not_overwritten(sent: Objects, monkeypatch: pytest.MonkeyPatch):
    """As if somebody published between our reading and our swap."""
    state = read_send(sent, SEND)
    send_to(sent, range(9))
    monkeypatch.setattr("tasks.stores.erased_sends.read_send", lambda *_: state)
    with pytest.raises(SnapshotMovedError):
        erase_from(sent, SEND, ERASURE)
    assert len(read_send(sent, SEND).published.revisions) == 3
