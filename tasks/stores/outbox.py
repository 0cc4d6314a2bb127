"""Publishing a send, exactly once: files, manifest, gate, pointer, mark, index, in that order.

The points P3..P10 are those of docs/publishing.md. Until the pointer moves (P8) nothing that was
written can be seen by whoever follows CURRENT.json or _SUCCESS; after it, a rerun only finishes what
is missing. Files, manifest and pointer are never written without a condition; the index can be
rebuilt and still is only swapped, so that two sends of one vendor do not lose each other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from tasks.errors import (
    MissingDataError,
    ObjectExistsError,
    OutcomeUnknownError,
    PermanentError,
    SecurityRefusedError,
    SnapshotMovedError,
    StoreUnavailableError,
)
from tasks.stores.failpoints import reach
from tasks.stores.index import enter
from tasks.stores.manifest import Manifest, check_account, sha256_of
from tasks.stores.objects import Objects
from tasks.stores.revision import Built, Publication, build
from tasks.stores.sends import (
    MANIFEST,
    SUCCESS,
    Published,
    Revision,
    Send,
    check_bytes,
    reached,
    read_manifest,
    read_send,
)

Status = Literal["published", "already_published", "cancelled", "nothing_to_publish"]


class Outcome(NamedTuple):
    """What came of it. `manifest` is that of the newest revision, None where there is none."""

    status: Status
    published: Published
    manifest: Manifest | None


Gate = Callable[[Manifest], None]
Record = Callable[[Outcome], None]


def publish(objects: Objects, publication: Publication, *, key: bytes, gate: Gate, record: Record) -> Outcome:
    """Publish one increment, or find that it is published already.

    An empty increment makes no revision; it finishes what an earlier run may have left. A send that
    was cancelled stays so.

    Args:
        objects: the outbox.
        publication: the increment.
        key: the brand's secret for the digest in the folder's name.
        gate: looks at the manifest before the pointer moves, and raises to refuse.
        record: told of the outcome after publication, to write the lake's rows; must bear being told twice.

    Raises:
        SnapshotMovedError: someone published another increment first; read the send again.
        OutcomeUnknownError: not even reading back told whether the pointer moved.
        UnbalancedError, SecurityRefusedError, GateRefusedError: refused, nothing is visible.
        DamagedError: a stored part reads back with other bytes.
    """
    if publication.base.published.is_cancelled or publication.is_empty:
        return _finished(objects, publication, record)
    _refuse_expired(publication)
    built = _left_by_an_attempt(objects, publication.send, build(publication, key))
    _write_files(objects, publication.send, built)
    with _point("P6"):
        objects.create(publication.send.people(built.manifest.revision), built.people)
        manifest = _settle_manifest(objects, publication.send, built.manifest)
    with _point("P7"):
        check_account(manifest.origin.waterfall, reached=_reached_after(objects, publication))
        gate(manifest)
    with _point("P8"):
        published = _move(objects, publication, _next(publication, manifest))
    outcome = Outcome("cancelled" if publication.is_cancellation else "published", published, manifest)
    return _complete(objects, publication.send, outcome, record)


def finish(objects: Objects, send: Send) -> Published:
    """Complete what a run that died after the pointer left undone: _SUCCESS of each revision, and the index.

    Newest first: who follows the marks knows of a recall before they find the part that it calls back from.
    """
    published = read_send(objects, send).published
    with _point("P9"):
        for revision in (one for one in reversed(published.revisions) if not one.is_expired):
            objects.create(send.key(revision.revision, SUCCESS), f"{revision.manifest_sha256}\n".encode())
        if published.seq:
            reach("index", "before")
            enter(objects, send, published)
    return published


def _finished(objects: Objects, publication: Publication, record: Record) -> Outcome:
    """Nothing to publish: finish, and say what stands."""
    published = read_send(objects, publication.send).published
    if published.is_cancelled and not publication.is_cancellation and not publication.added.is_empty():
        raise PermanentError(
            f"the send {publication.send.id} was cancelled", expected="a send that is not cancelled",
            next_step="send on another day, or under another campaign",
        )  # fmt: skip
    newest = read_manifest(objects, publication.send, published.revisions[-1]) if published.revisions else None
    return _complete(objects, publication.send, Outcome(_status(published), published, newest), record)


def _refuse_expired(publication: Publication) -> None:
    if publication.base.published.is_expired:
        raise PermanentError(
            f"the send {publication.send.id} has expired: its files were deleted as the terms say",
            expected="a send within its terms", next_step="send on another day, or under another campaign",
        )  # fmt: skip


def _status(published: Published) -> Status:
    """What to call a run that found nothing left to publish."""
    if published.is_cancelled:
        return "cancelled"
    return "already_published" if published.seq else "nothing_to_publish"


def _complete(objects: Objects, send: Send, outcome: Outcome, record: Record) -> Outcome:
    if outcome.published.seq:
        outcome = outcome._replace(published=finish(objects, send))
    with _point("P10"):
        record(outcome)
    return outcome


def _left_by_an_attempt(objects: Objects, send: Send, built: Built) -> Built:
    """The revision with the locked files of an earlier attempt, where one got as far as its manifest.

    The revision's name stands for what is inside; locked again it would have other bytes, and nobody
    but the vendor could tell that they say the same.
    """
    if not built.manifest.key_ids:
        return built
    try:
        standing = Manifest.model_validate_json(objects.read(send.key(built.manifest.revision, MANIFEST)))
    except MissingDataError:
        return built
    return built._replace(files=(), manifest=standing) if standing.says_the_same(built.manifest) else built


def _write_files(objects: Objects, send: Send, built: Built) -> None:
    """Store the files and read them back; a store's word that it took them is not enough."""
    revision, by_bucket = built.manifest.revision, built.manifest.encryption == "sse"
    writing = objects.encrypting() if by_bucket else objects
    for point, files in (("P3", built.files[:1]), ("P4", built.files[1:])):
        with _point(point):
            for file in files:
                writing.create(send.key(revision, file.name), file.data)
    with _point("P5"):
        for part in built.manifest.files:
            check_bytes(objects, send.key(revision, part.name), part.sha256)
            if by_bucket:
                _check_encrypted(objects, send.key(revision, part.name))


def _check_encrypted(objects: Objects, key: str) -> None:
    """Refuse a bucket that took a file and does not say that it encrypted it."""
    if not objects.is_encrypted(key):
        raise SecurityRefusedError(
            f"{key} is not encrypted in the bucket", expected="a bucket that encrypts what asks for it",
            next_step="another store, or `age` or `openpgp` in the vendor's profile; nothing is visible to the vendor",
        )  # fmt: skip


def _settle_manifest(objects: Objects, send: Send, manifest: Manifest) -> Manifest:
    """Write the manifest, or take over the one that an attempt with the same rows left.

    A rerun may read a newer snapshot and still have the same rows, hence the same folder. What stands
    there describes the same files under the same terms, so it stays: a publisher that is still at work
    may be about to point to it.
    """
    key = send.key(manifest.revision, MANIFEST)
    try:
        objects.create(key, manifest.encoded())
    except ObjectExistsError:
        standing = Manifest.model_validate_json(objects.read(key))
        if not standing.says_the_same(manifest):
            raise
        return standing
    return manifest


def _reached_after(objects: Objects, publication: Publication) -> int:
    """People in the files of the send once this increment is published."""
    before = reached(objects, publication.send, publication.base.published, publication.rename)
    kept = before.join(publication.recalled, on="one_id", how="anti")
    again = [before.join(publication.added, on=by, how="semi").height for by in ("one_id", "recipient_key")]
    strangers = publication.recalled.join(before, on=["one_id", "recipient_key"], how="anti").height
    if any(again) or strangers:
        raise SecurityRefusedError(
            f"{publication.send.id}: {max(again)} people to add were reached before, {strangers} to recall were not",
            expected="only new people added, only reached people recalled", next_step="plan the send again",
        )  # fmt: skip
    return kept.height + publication.added.height


def _next(publication: Publication, manifest: Manifest) -> Published:
    before = publication.base.published
    mine = Revision(seq=manifest.seq, revision=manifest.revision, manifest_sha256=sha256_of(manifest.encoded()))
    return before.model_copy(
        update={
            "seq": manifest.seq,
            "revisions": (*before.revisions, mine),
            "is_cancelled": publication.is_cancellation,
        }
    )


def _move(objects: Objects, publication: Publication, wanted: Published) -> Published:
    """Swap the pointer. Refused or unanswered, ask what stands: our revision there means that we published."""
    try:
        objects.swap(publication.send.current, wanted.encoded(), publication.base.etag)
    except (SnapshotMovedError, StoreUnavailableError, OutcomeUnknownError) as error:
        standing = _look_again(objects, publication.send, error)
        if wanted.revisions[-1] not in standing.revisions:
            raise
        return standing
    return wanted


def _look_again(objects: Objects, send: Send, error: Exception) -> Published:
    try:
        return read_send(objects, send).published
    except StoreUnavailableError:
        raise OutcomeUnknownError(
            f"{send.current} was sent and the store stopped answering",
            expected="an answer, or at least a look at what stands there",
            next_step="when the store is back, run the campaign again: it finds out whether it was published",
        ) from error


@contextmanager
def _point(name: str) -> Iterator[None]:
    """A step of the protocol, with a place to die before and after it."""
    reach(name, "before")
    yield
    reach(name, "after")
