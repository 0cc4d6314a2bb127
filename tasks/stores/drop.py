"""Published revisions copied to a vendor's SFTP server, each number once. The outbox stays the truth.

The vendor may take files away as soon as their mark is there, so what lies on its server does not tell what
was handed over; `_drops/<send>/` in the outbox does. Before the mark we note that it is about to come: a run
that died there finds either its files, and puts the mark, or none, and knows that the vendor has taken them.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tasks.policy.transport import SftpDrop
from tasks.stores.failpoints import reach
from tasks.stores.manifest import Manifest, canonical
from tasks.stores.objects import Objects
from tasks.stores.sends import MANIFEST, SUCCESS, Published, Revision, Send, drops, read_manifest
from tasks.stores.sftp import Secret, SftpFolder, opened


class _Job(NamedTuple):
    """One revision on its way."""

    objects: Objects
    send: Send
    revision: Revision
    manifest: Manifest

    def key(self, name: str) -> str:
        return self.send.key(self.revision.revision, name)

    def note(self, state: str) -> str:
        return f"{drops(self.send)}{self.revision.seq}.{state}.json"


def drop_revisions(objects: Objects, send: Send, published: Published, transport: SftpDrop, secret: Secret) -> int:
    """Copy what was not handed over yet, the newest first, so that a recall is there before what it calls back from.

    Of a cancelled send nothing goes any more but the cancellation, and that only where something went before.
    Returns how many revisions went.

    Raises:
        SecurityRefusedError: another server answers.
        ConfigurationError: it does not let us in or write.
        StoreUnavailableError: it does not answer; run again.
    """
    waiting = _waiting(objects, send, published)
    if not waiting:
        return 0
    jobs = [_Job(objects, send, one, read_manifest(objects, send, one)) for one in waiting]
    with ThreadPoolExecutor(1) as own_thread:  # the caller may have a loop of its own
        own_thread.submit(asyncio.run, _drop_all(jobs, transport, secret)).result()
    return len(jobs)


def _waiting(objects: Objects, send: Send, published: Published) -> list[Revision]:
    """The revisions that are still to go, the newest first."""
    standing = [one for one in reversed(published.revisions) if not one.is_expired]
    if published.is_cancelled:
        standing = standing[:1] if any(True for _ in objects.list(drops(send))) else []
    return [one for one in standing if not is_dropped(objects, send, one.seq)]


def is_dropped(objects: Objects, send: Send, seq: int) -> bool:
    """Whether the revision of this number lies, or lay, on the vendor's server with its mark."""
    return objects.head(f"{drops(send)}{seq}.dropped.json") is not None


async def _drop_all(jobs: list[_Job], transport: SftpDrop, secret: Secret) -> None:
    async with opened(transport, secret) as folder:
        for job in jobs:
            await _drop(job, folder)
            job.objects.create(job.note("dropped"), _noted(job, transport))
            reach("drop:noted", "after")


async def _drop(job: _Job, folder: SftpFolder) -> None:
    """The files, then the manifest, then the mark; nothing if an earlier run's mark was seen and taken away."""
    if await _was_taken(job, folder):
        return
    for name in (*(part.name for part in job.manifest.files), MANIFEST):
        await folder.put(job.key(name), job.objects.read(job.key(name)))
        reach("drop:file", "after")
    job.objects.create(job.note("marking"), canonical({"revision": job.revision.revision}))
    reach("drop:mark", "before")
    await folder.put(job.key(SUCCESS), job.objects.read(job.key(SUCCESS)))
    reach("drop:mark", "after")


async def _was_taken(job: _Job, folder: SftpFolder) -> bool:
    """Whether a run that died had put the mark: it is there, or the files went that were there before it."""
    if job.objects.head(job.note("marking")) is None:
        return False
    mark, manifest = [await folder.sha256(job.key(name)) for name in (SUCCESS, MANIFEST)]
    return mark is not None or manifest is None


def _noted(job: _Job, transport: SftpDrop) -> bytes:
    place = {"host": transport.host, "port": transport.port, "path": transport.path, "user": transport.user}
    return canonical({**place, "revision": job.revision.revision, "manifest_sha256": job.revision.manifest_sha256})
