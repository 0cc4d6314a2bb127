"""A process that is stopped in the middle of its publication, the lease in its hand, while another one works."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psutil

from tests.support.strata import start
from tests.support.warm import Forked

PATIENCE_SECONDS = 200


@contextmanager
def frozen(*command: str, failpoint: str, env: Mapping[str, str]) -> Iterator[Forked]:
    """Run a command until it stops at the point; it ends before we do."""
    process = start(*command, env=env, STRATA_FAILPOINT=f"{failpoint}:stop")
    try:
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        yield process
    finally:
        process.kill()
        process.wait()


def thaw_when(is_so: Callable[[], bool], process: Forked) -> None:
    """Let it go on as soon as something is so."""
    wait_until(is_so)
    os.kill(process.pid, signal.SIGCONT)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look until it is so; a test that waits for what never comes fails."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
