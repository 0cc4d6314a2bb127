"""What `strata gc` does: find what no snapshot and no vendor can see, or need see any more; delete it when told to."""

from pathlib import Path

from flows.begin import last_policy
from flows.clock import this_instant
from tasks.settings import Settings
from tasks.steps.house import objects_at, pseudonymiser_now
from tasks.stores.abandoned import abandoned, sweep_scratch
from tasks.stores.erased_sends import drop_recall, expired_recalls
from tasks.stores.index import orphans
from tasks.stores.lease import hold
from tasks.stores.objects import Objects
from tasks.stores.orphans import delete_orphans, find_orphans
from tasks.stores.sends import read_manifest
from tasks.stores.tables import LEASE_SECONDS

STRAY_SECONDS = 24 * 3600
"""Temporary files and unfinished uploads of the last day may belong to a run at work."""


def sweep(uri: str = "", *, delete: bool) -> list[str]:
    """Keys of orphans in the lake's tables, in the outbox and in scratch; deleted when told to.

    In lake and outbox under the writer's lease; a scratch folder is an orphan when its run is dead. Recall
    files whose last day is over go too: they name contacts.
    """
    settings = Settings()
    lake = uri or settings.lake
    objects = objects_at(lake)
    outbox = objects_at(settings.outbox or f"{lake.rstrip('/')}/outbox")
    if not delete:
        keys = (meta.key for meta in find_orphans(objects))
        told = [*_revisions(outbox), *_expired(outbox)]
        return [*keys, *(f"outbox/{key}" for key in told), *_named(abandoned(Path(settings.scratch)))]
    gone = [meta.key for meta in delete_orphans(objects, wait_seconds=settings.lease_wait_seconds)]
    with hold(objects, "gc", wait_seconds=settings.lease_wait_seconds, lease_seconds=LEASE_SECONDS) as lease:
        for key in _revisions(outbox):
            lease.check()
            outbox.delete(key)
            gone.append(f"outbox/{key}")
        gone += [f"outbox/{key}" for key in _without_recalls(outbox, lake)]
    return [*gone, *objects.sweep(older_than_seconds=STRAY_SECONDS), *_named(sweep_scratch(Path(settings.scratch)))]


def _named(folders: list[Path]) -> list[str]:
    return [f"scratch/{folder.name}" for folder in folders]


def _revisions(outbox: Objects) -> list[str]:
    """Every object of a revision that no CURRENT.json names."""
    return [key for orphan in orphans(outbox) for key in orphan.keys]


def _expired(outbox: Objects) -> list[str]:
    """Recall files that no vendor needs any more."""
    today = this_instant().date()
    manifests = ((send, read_manifest(outbox, send, revision)) for send, revision in expired_recalls(outbox, today))
    return [send.key(told.revision, told.recall.name) for send, told in manifests if told.recall]


def _without_recalls(outbox: Objects, lake: str) -> list[str]:
    """Publish those revisions once more without their recall file; return the keys of the files that went."""
    gone = _expired(outbox)
    for send, revision in expired_recalls(outbox, this_instant().date()):
        drop_recall(outbox, send, revision, pseudonymiser_now(last_policy(lake), lake).digest_key)
    return gone
