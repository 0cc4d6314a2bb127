"""Publishing exactly once, on a directory and on real S3: increments, recalls, races, readers, repair."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest

from tasks.errors import (
    DamagedError,
    GateRefusedError,
    PermanentError,
    SecurityRefusedError,
    SnapshotMovedError,
    StoreUnavailableError,
    UnbalancedError,
)
from tasks.stores.index import index_key, orphans, rebuild
from tasks.stores.manifest import Manifest
from tasks.stores.objects import Objects
from tasks.stores.outbox import finish, publish
from tasks.stores.sends import Send, check_stored, reached, read_send
from tests.support.sends import KEY, SEND, Client, accept, cancel, forget, origin, people, publication, send_to


def keys(objects: Objects) -> list[str]:
    return [meta.key for meta in objects.list("")]


def phones(*numbers: int) -> list[str]:
    return people(numbers)["contact"].to_list()


def test_a_first_revision_holds_everyone_in_verified_parts(objects: Objects) -> None:
    outcome = send_to(objects, [1, 2, 3])
    assert (outcome.status, outcome.published.seq) == ("published", 1)
    assert Client(objects).by_pointer() == Client(objects).by_success() == phones(1, 2, 3)
    revision = outcome.published.revisions[0].revision
    assert keys(objects) == [
        f"_ledger/{SEND.id}/{revision}.csv", "sms_vendor/INDEX.json", f"{SEND.id}/CURRENT.json",
        *(f"{SEND.id}/{revision}/{n}" for n in ("_SUCCESS", "manifest.json", "part-00000.csv", "part-00001.csv")),
    ]  # fmt: skip


def test_the_manifest_tells_all_and_nobody_s_name(objects: Objects) -> None:
    outcome = send_to(objects, [1, 2, 3])
    manifest = json.loads(objects.read(SEND.key(outcome.published.revisions[0].revision, "manifest.json")))
    assert manifest["origin"]["waterfall"] == {"base": 5, "rule_not_met": 1, "holdout": 1, "delivered": 3}
    assert (manifest["rows"], manifest["seeds"], manifest["recalled"], manifest["columns"]) == (3, 0, 0, ["phone"])
    assert manifest["terms"]["legal_role"] == "entrusted"
    assert manifest["terms"]["expires_on"] == "2026-07-31"
    text = json.dumps(manifest)
    assert not [word for row in people([1, 2, 3]).rows() for word in row if word in text]


def test_the_same_people_again_are_already_published(objects: Objects) -> None:
    first = send_to(objects, [1, 2])
    stored = keys(objects)
    again = send_to(objects, [1, 2], origin=origin(2, snapshot_seq=8))
    assert (again.status, again.published, again.manifest) == ("already_published", first.published, first.manifest)
    assert keys(objects) == stored


def test_later_revisions_add_the_new_and_recall_the_gone(objects: Objects) -> None:
    send_to(objects, [1, 2, 3])
    outcome = send_to(objects, [2, 3, 4])
    assert outcome.manifest is not None
    assert (outcome.published.seq, outcome.manifest.rows, outcome.manifest.recalled) == (2, 1, 1)
    assert Client(objects).by_pointer() == phones(1, 2, 3, 4)
    recall = objects.read(SEND.key(outcome.manifest.revision, "recall.csv"))
    assert recall.decode().splitlines() == ["phone", *phones(1)]
    standing = reached(objects, SEND, outcome.published)
    assert standing.select("one_id", "seq").rows() == [("c_000002", 1), ("c_000003", 1), ("c_000004", 2)]


def test_nobody_to_send_to_makes_no_revision(objects: Objects) -> None:
    outcome = send_to(objects, [])
    assert (outcome.status, outcome.published.seq, keys(objects)) == ("nothing_to_publish", 0, [])


def test_seeds_are_in_every_revision_and_outside_the_waterfall(objects: Objects) -> None:
    seeds = pl.DataFrame({"contact": ["18800000000", phones(1)[0]]})
    first = send_to(objects, [1, 2], seeds=seeds)
    second = send_to(objects, [1, 2, 3], seeds=seeds)
    assert first.manifest is not None
    assert second.manifest is not None
    assert [(m.rows, m.seeds) for m in (first.manifest, second.manifest)] == [(3, 1), (3, 2)]
    assert first.manifest.origin.waterfall["delivered"] == 2
    assert Client(objects).by_pointer()[:3] == [*phones(1, 2), "18800000000"]


def test_cancelling_recalls_everyone_once_and_closes_the_send(objects: Objects) -> None:
    send_to(objects, [1, 2])
    first, again = cancel(objects), cancel(objects)
    assert first.manifest is not None
    assert (first.status, first.manifest.recalled, first.published.is_cancelled) == ("cancelled", 2, True)
    assert (again.status, again.published) == ("cancelled", first.published)
    assert reached(objects, SEND, first.published).is_empty()
    with pytest.raises(PermanentError, match="was cancelled"):
        send_to(objects, [1, 2])


def test_a_send_can_be_cancelled_before_it_is_published(objects: Objects) -> None:
    assert cancel(objects).published.is_cancelled
    with pytest.raises(PermanentError, match="was cancelled"):
        send_to(objects, [1])


def refuse(_: Manifest) -> None:
    raise GateRefusedError("consent changed")


def test_what_the_gate_refuses_is_never_visible(objects: Objects) -> None:
    with pytest.raises(GateRefusedError):
        publish(objects, publication(objects, [1, 2]), key=KEY, gate=refuse, record=forget)
    assert Client(objects).by_pointer() == Client(objects).by_success() == []
    (orphan,) = orphans(objects)
    assert len(orphan.keys) == 3
    assert send_to(objects, [1, 2]).status == "published"
    assert orphans(objects) == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"origin": origin(3)}, UnbalancedError),
        ({"origin": origin(2, waterfall={"base": 5, "delivered": 2})}, UnbalancedError),
        ({"added": pl.concat([people([1]), people([1])])}, SecurityRefusedError),
        ({"recalled": people([9])}, SecurityRefusedError),
        ({"recalled": people([1])}, SecurityRefusedError),
    ],
)
def test_an_increment_that_does_not_add_up_is_refused(objects: Objects, change: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        send_to(objects, [1, 2], **change)
    assert read_send(objects, SEND).published.seq == 0


def test_nobody_who_was_reached_is_added_again(objects: Objects) -> None:
    send_to(objects, [1])
    merged = people([1]).with_columns(one_id=pl.lit("c_other"))
    with pytest.raises(SecurityRefusedError, match="1 people to add were reached before"):
        send_to(objects, [1], added=merged, recalled=people([]))


def test_a_rerun_with_newer_knowledge_takes_over_the_manifest_it_finds(objects: Objects) -> None:
    with pytest.raises(GateRefusedError):
        publish(objects, publication(objects, [1]), key=KEY, gate=refuse, record=forget)
    outcome = send_to(objects, [1], origin=origin(1, snapshot_seq=9))
    assert outcome.manifest is not None
    assert outcome.manifest.origin.snapshot_seq == 7
    assert Client(objects).by_pointer() == phones(1)


def test_of_two_publishers_exactly_one_makes_the_first_revision(objects: Objects) -> None:
    requests = [publication(objects, [n, n + 1]) for n in range(4)]
    start = threading.Barrier(len(requests))

    def attempt(request: Any) -> str:
        start.wait()
        try:
            return publish(objects, request, key=KEY, gate=accept, record=forget).status
        except SnapshotMovedError:
            return "lost"

    with ThreadPoolExecutor(len(requests)) as pool:
        found = sorted(pool.map(attempt, requests))
    assert found == ["lost", "lost", "lost", "published"]
    assert len(Client(objects).by_pointer()) == len(Client(objects).by_success()) == 2


def test_twins_with_the_same_people_publish_once(objects: Objects) -> None:
    twins = [publication(objects, [1, 2]) for _ in range(2)]
    outcomes = [publish(objects, twin, key=KEY, gate=accept, record=forget) for twin in twins]
    assert outcomes[0].published == outcomes[1].published
    assert Client(objects).by_pointer() == Client(objects).by_success() == phones(1, 2)


class LostAnswer:
    """A store whose answer to the swap of one key is lost after it landed."""

    def __init__(self, objects: Objects, key: str) -> None:
        """Wrap a real store."""
        self._objects, self._key = objects, key

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's own."""
        return getattr(self._objects, name)

    def swap(self, key: str, data: bytes, etag: str | None) -> str:
        found = self._objects.swap(key, data, etag)
        if key == self._key:
            raise StoreUnavailableError("no answer")
        return found


def test_a_lost_answer_to_the_pointer_is_looked_up(objects: Objects) -> None:
    deaf: Any = LostAnswer(objects, SEND.current)
    assert send_to(deaf, [1, 2]).status == "published"
    assert Client(objects).by_success() == phones(1, 2)


def test_a_damaged_file_is_named(objects: Objects) -> None:
    outcome = send_to(objects, [1, 2])
    revision = outcome.published.revisions[0]
    check_stored(objects, SEND, revision)
    objects.put(SEND.key(revision.revision, "part-00000.csv"), b"phone\n1\n2")
    with pytest.raises(DamagedError, match=r"part-00000\.csv in the outbox has SHA-256"):
        check_stored(objects, SEND, revision)


def test_the_index_lists_every_send_and_can_be_rebuilt(objects: Objects) -> None:
    other = Send(SEND.vendor, "welcome", SEND.send_on)
    send_to(objects, [1])
    send_to(objects, [2], other)
    before = objects.read(index_key(SEND.vendor))
    assert sorted(json.loads(before)["sends"]) == [other.id, SEND.id]
    objects.put(index_key(SEND.vendor), b"{broken")
    finish(objects, SEND)
    assert objects.read(index_key(SEND.vendor)) == before
    objects.delete(index_key(SEND.vendor))
    assert rebuild(objects, SEND.vendor) == 2
    assert objects.read(index_key(SEND.vendor)) == before


@contextmanager
def polling(objects: Objects) -> Iterator[list[int]]:
    """A vendor that follows both ways all the while; what it counts never shrinks, what it reads is whole."""
    client, seen, failed, stop = Client(objects), [0], [], threading.Event()

    def poll() -> None:
        while not stop.is_set():
            try:
                seen.append(len(client.by_pointer()))
                marked = client.by_success()
                assert len(set(marked)) == len(marked)
            except Exception as error:  # noqa: BLE001 - a thread's failure is told by the test below
                failed.append(error)
                return

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert not failed


@pytest.mark.parametrize("sends", [pytest.param(8, id="some"), pytest.param(60, id="many", marks=pytest.mark.proof)])
def test_a_polling_vendor_sees_only_whole_revisions(objects: Objects, sends: int) -> None:
    with polling(objects) as seen:
        for count in range(1, sends + 1):
            send_to(objects, range(count * 3))
    assert seen == sorted(seen)
    assert all(count % 3 == 0 for count in seen)
    assert len(Client(objects).by_success()) == len(set(Client(objects).by_success())) == sends * 3
