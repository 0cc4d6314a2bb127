"""The one writer's lease of a lake: `tables/LEASE.json`, taken and handed on by compare-and-swap.

A lease keeps honest writers from wasting work; it is never trusted alone, because a paused process
can outlive it. What fences such a writer is the compare-and-swap of the snapshot pointer.
"""

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

import psutil
from pydantic import Field, ValidationError

from tasks.errors import DamagedError, LakeBusyError, MissingDataError, SnapshotMovedError, StrataError
from tasks.refs import Ref
from tasks.stores.objects import Objects

KEY = "tables/LEASE.json"
BEATS_PER_LEASE = 4
POLL_SECONDS = (0.05, 0.5)
"""Waiters look again at random times between these, so that they do not fall into step."""

SAME_START_SECONDS = 1.0
"""Start times of one process as read by two others differ by less than this."""


class Holder(Ref):
    """Who holds the lease, or held it last."""

    run_id: str
    host: str = Field(description="host, its boot and its process namespace: a pid means something only there")
    pid: int
    process_start: float = Field(description="seconds since the epoch; tells a reused pid apart")
    expires_at: datetime
    token: str = Field(description="random: two writers of one process differ")
    released: bool = False

    def is_free(self, now: datetime) -> bool:
        """True when given back, when expired, and at once when its process on this very host is dead."""
        return self.released or self.expires_at <= now or (self.host == this_host() and not self._lives())

    def _lives(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.process_start) < SAME_START_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def __str__(self) -> str:
        """Name the holder as a person needs it to find the process."""
        where = f"process {self.pid} on {self.host.partition('/')[0]}"
        return f"run {self.run_id[:12]} ({where}) until {self.expires_at:%Y-%m-%d %H:%M:%S} UTC"


@cache
def this_host() -> str:
    """Return a name under which a pid is unique: containers share host names, reboots reuse pids."""
    namespace = Path("/proc/self/ns/pid")
    inside = namespace.readlink().name if namespace.is_symlink() else ""
    return f"{socket.gethostname()}/{int(psutil.boot_time())}/{inside}"


class Lease:
    """A lease that is held, and renewed by a heart-beat, until it is given back or lost."""

    def __init__(self, objects: Objects, holder: Holder, etag: str, seconds: float) -> None:
        """Begin the heart-beat."""
        self._objects = objects
        self._holder = holder
        self._etag = etag
        self._seconds = seconds
        self._safe_until = time.monotonic() + seconds
        self._lost = False
        self._stop = threading.Event()
        self._beat = threading.Thread(target=self._keep_alive, name="lease", daemon=True)
        self._beat.start()

    def check(self) -> None:
        """Raise LakeBusyError when the lease was lost, or could not be renewed in time."""
        if self._lost or time.monotonic() > self._safe_until:
            raise LakeBusyError(
                f"run {self._holder.run_id[:12]} no longer holds the lake's lease",
                expected="a heart-beat in time",
                next_step="run it again; nothing of it was published",
            )

    def _keep_alive(self) -> None:
        while not self._lost and not self._stop.wait(self._seconds / BEATS_PER_LEASE):
            with suppress(StrataError):  # the store may be back before the lease ends
                self._renew()

    def _renew(self) -> None:
        asked = time.monotonic()
        renewed = self._holder.model_copy(update={"expires_at": _in(self._seconds)})
        try:
            self._etag = self._objects.swap(KEY, _encoded(renewed), self._etag)
        except SnapshotMovedError:
            self._look_again()
        else:
            self._holder, self._safe_until = renewed, asked + self._seconds

    def _look_again(self) -> None:
        """Somebody took the lease, or an earlier heart-beat landed though its answer was lost."""
        current, etag = _read(self._objects)
        if current and etag and current.token == self._holder.token:
            self._etag = etag
        else:
            self._lost = True

    def release(self) -> None:
        """Give the lease back, unless somebody else holds it by now."""
        self._stop.set()
        self._beat.join()
        released = self._holder.model_copy(update={"released": True})
        with suppress(StrataError):  # lost, or the store is away: it expires by itself
            self._objects.swap(KEY, _encoded(released), self._etag)


@contextmanager
def hold(objects: Objects, run_id: str, *, wait_seconds: float, lease_seconds: float) -> Iterator[Lease]:
    """Hold the lake's lease, taking over what is free; LakeBusyError names who did not let go in time."""
    lease = _acquire(objects, run_id, time.monotonic() + wait_seconds, lease_seconds)
    try:
        yield lease
    finally:
        lease.release()


def _acquire(objects: Objects, run_id: str, deadline: float, lease_seconds: float) -> Lease:
    while True:
        current, etag = _read(objects)
        if current is None or current.is_free(datetime.now(UTC)):
            mine = _myself(run_id, lease_seconds)
            with suppress(SnapshotMovedError):  # somebody was quicker: look who
                return Lease(objects, mine, objects.swap(KEY, _encoded(mine), etag), lease_seconds)
        elif time.monotonic() >= deadline:
            raise LakeBusyError(
                f"the lake is held by {current}",
                expected="a free lake",
                next_step="wait for that run, or end that process, and run again",
            )
        else:
            time.sleep(random.uniform(*POLL_SECONDS))  # noqa: S311 - jitter, not a secret


def _read(objects: Objects) -> tuple[Holder | None, str | None]:
    try:
        data, etag = objects.read_tagged(KEY)
        return Holder.model_validate_json(data), etag
    except MissingDataError:
        return None, None
    except ValidationError as error:
        raise DamagedError(
            f"{KEY} of {objects.uri} cannot be read",
            expected="the record of the last writer",
            next_step="make sure that no run is writing, then delete that object",
        ) from error


def _myself(run_id: str, lease_seconds: float) -> Holder:
    process = psutil.Process(os.getpid())
    return Holder(
        run_id=run_id,
        host=this_host(),
        pid=process.pid,
        process_start=process.create_time(),
        expires_at=_in(lease_seconds),
        token=uuid4().hex,
    )


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _encoded(holder: Holder) -> bytes:
    return holder.model_dump_json().encode()
