"""What a vendor may keep no longer goes from the outbox: parts and recalls; manifest, account and digests stay.

First CURRENT.json says that the revision has expired, then the index drops a send of which nothing is left,
then the mark goes and after it the files: who follows either way never meets half a revision.
"""

from datetime import date
from typing import NamedTuple

from tasks.errors import DamagedError
from tasks.stores.failpoints import reach
from tasks.stores.manifest import Manifest
from tasks.stores.objects import Objects
from tasks.stores.outbox import finish
from tasks.stores.sends import (
    MANIFEST,
    SUCCESS,
    Revision,
    Send,
    SendState,
    all_sends,
    read_manifest,
    read_send,
)


class Expired(NamedTuple):
    """One revision whose last day is over, and what of it still lies there."""

    send_id: str
    seq: int
    expires_on: date
    keys: tuple[str, ...]


def due(objects: Objects, today: date) -> tuple[Expired, ...]:
    """Revisions whose terms ended before today and of which files are left, in order of send and number.

    Raises:
        DamagedError: of some send that cannot be told; see `look`, which goes on with the others.
    """
    found, damaged = look(objects, today)
    raise_damaged(damaged)
    return found


def look(objects: Objects, today: date) -> tuple[tuple[Expired, ...], tuple[str, ...]]:
    """What is due, and what is wrong with the sends of which that cannot be told; each send is looked at apart."""
    found: list[Expired] = []
    damaged: list[str] = []
    for send in all_sends(objects):
        try:
            found += [one for one in _due_of(objects, send, read_send(objects, send), today) if one.keys]
        except DamagedError as error:
            damaged.append(str(error))
    return tuple(found), tuple(damaged)


def raise_damaged(damaged: tuple[str, ...]) -> None:
    """Raise DamagedError when anything is."""
    if damaged:
        raise DamagedError(
            f"of {len(damaged)} sends the terms cannot be told: {'; '.join(damaged)}",
            expected="sends as they were published",
            next_step="restore them from the bucket's versions, then run `strata expire` again; all others are done",
        )


def expire(objects: Objects, today: date) -> tuple[Expired, ...]:
    """Let all that is due go; return what went. Twice is once, and a run that was killed is completed.

    Raises:
        SnapshotMovedError: somebody published one of these sends meanwhile; run again.
        DamagedError: of some send it cannot be told what is due; all others are done by then.
    """
    done, damaged = look(objects, today)
    for send_id in dict.fromkeys(one.send_id for one in done):
        send = Send.parse(send_id)
        _say_so(objects, send, {one.seq for one in done if one.send_id == send_id})
        for one in done:
            if one.send_id == send_id:
                _delete(objects, one)
    raise_damaged(damaged)
    return done


def _due_of(objects: Objects, send: Send, state: SendState, today: date) -> list[Expired]:
    manifests = [(one, read_manifest(objects, send, one)) for one in state.published.revisions]
    return [
        Expired(send.id, one.seq, told.terms.expires_on, _left(objects, send, one, told))
        for one, told in manifests
        if told.terms.expires_on < today
    ]


def _left(objects: Objects, send: Send, revision: Revision, manifest: Manifest) -> tuple[str, ...]:
    """Keys that have to go, the mark first; the manifest stays."""
    names = (SUCCESS, *(part.name for part in manifest.files))
    keys = [send.key(revision.revision, name) for name in names]
    there = {meta.key for meta in objects.list(f"{send.id}/{revision.revision}/")}
    others = sorted(there - {*keys, send.key(revision.revision, MANIFEST)})
    return tuple(key for key in (*keys, *others) if key in there)


def _say_so(objects: Objects, send: Send, seqs: set[int]) -> None:
    state = read_send(objects, send)
    told = tuple(
        one.model_copy(update={"is_expired": True}) if one.seq in seqs else one for one in state.published.revisions
    )
    if told != state.published.revisions:
        reach("expire:swap", "before")
        wanted = state.published.model_copy(update={"revisions": told})
        objects.swap(send.current, wanted.encoded(), state.etag)
    reach("expire:swap", "after")
    finish(objects, send)
    reach("expire:index", "after")


def _delete(objects: Objects, one: Expired) -> None:
    for key in one.keys:
        objects.delete(key)
        reach("expire:file", "after")
