"""Files whose last day is over go, what tells of them stays; killed anywhere and run again, nobody meets half."""

import os
import signal
from datetime import date
from pathlib import Path

import pytest

from tasks.errors import PermanentError
from tasks.settings import Settings
from tasks.stores.expiry import due, expire
from tasks.stores.index import orphans
from tasks.stores.manifest import terms_of
from tasks.stores.objects import Objects, open_objects
from tasks.stores.sends import SUCCESS, check_stored, reached, read_send
from tests.support.campaigns import campaign
from tests.support.sends import PROFILE, SEND, publication, send_to
from tests.support.vendor_client import Folder, VendorClient
from tests.support.warm import fork

LAST_DAY, DAY_AFTER = date(2026, 7, 31), date(2026, 8, 1)


def names(objects: Objects) -> set[str]:
    return {meta.key.rpartition("/")[2] for meta in objects.list(f"{SEND.id}/")}


def test_nothing_goes_on_the_last_day(objects: Objects) -> None:
    send_to(objects, [1, 2, 3])
    before = [meta.key for meta in objects.list("")]
    assert expire(objects, LAST_DAY) == ()
    assert [meta.key for meta in objects.list("")] == before


def test_the_day_after_files_go_and_the_account_stays(objects: Objects) -> None:
    send_to(objects, [1, 2, 3])
    send_to(objects, [2, 3, 4])
    told = due(objects, DAY_AFTER)
    assert expire(objects, DAY_AFTER) == told
    assert [(one.seq, len(one.keys)) for one in told] == [(1, 3), (2, 3)]
    published = read_send(objects, SEND).published
    assert published.is_expired
    assert names(objects) == {"CURRENT.json", "manifest.json"}
    assert b'"sends": {}' in objects.read(f"{SEND.vendor}/INDEX.json")
    assert [check_stored(objects, SEND, revision).seq for revision in published.revisions] == [1, 2]
    assert reached(objects, SEND, published)["one_id"].to_list() == ["c_000002", "c_000003", "c_000004"]
    assert orphans(objects) == expire(objects, DAY_AFTER) == ()


def test_a_revision_with_later_terms_stays(objects: Objects) -> None:
    send_to(objects, [1])
    send_to(objects, [1, 2], terms=terms_of(campaign(), PROFILE, date(2026, 9, 30), "Asia/Shanghai"))
    expire(objects, DAY_AFTER)
    first, second = read_send(objects, SEND).published.revisions
    assert (first.is_expired, second.is_expired) == (True, False)
    assert objects.head(SEND.key(second.revision, SUCCESS))
    assert not objects.head(SEND.key(first.revision, SUCCESS))
    send_to(objects, [1, 2])
    assert not objects.head(SEND.key(first.revision, SUCCESS))


def test_nobody_is_added_to_what_has_expired(objects: Objects) -> None:
    send_to(objects, [1])
    expire(objects, DAY_AFTER)
    assert send_to(objects, [1]).status == "already_published"
    with pytest.raises(PermanentError, match="has expired"):
        send_to(objects, [1, 2])
    assert publication(objects, [1]).is_empty


@pytest.mark.parametrize(
    "point", ["expire:swap:before", "expire:swap:after", "expire:index:after", "expire:file:after"]
)
def test_a_killed_expiry_leaves_no_half_and_is_completed(tmp_path: Path, point: str) -> None:
    objects = open_objects(str(tmp_path), Settings())
    send_to(objects, [1, 2, 3])
    own = {**os.environ, "STRATA_FAILPOINT": f"{point}:kill"}
    child = fork("tests.support.expirer", (objects.uri, str(DAY_AFTER)), own)
    assert child.wait() == -signal.SIGKILL
    for follow in ("pointer", "success"):
        machine = VendorClient(Folder(tmp_path), SEND.vendor, follow)
        machine.poll()
        assert len(machine.sent) in {0, 3}
    expire(objects, DAY_AFTER)
    assert names(objects) == {"CURRENT.json", "manifest.json"}
    assert orphans(objects) == ()
