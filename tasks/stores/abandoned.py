"""Scratch folders: held while their process lives, swept once nobody holds them.

A killed run leaves sealed contacts, pseudonyms and copies of exports in its folder. The kernel frees
the lock on the folder when the process dies, so what is not locked is dead, whatever its pid is now.
"""

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil

_OURS = re.compile(r"[0-9a-z]+-\d+-(?P<pid>\d+)")
STARTING_SECONDS = 600.0
"""A folder of a living process may not be locked yet; past this age it belongs to a process that took over the pid."""


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Make a folder for this user alone and hold it; gone when the block ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


@contextmanager
def desk(root: Path) -> Iterator[Path]:
    """A folder for what lies in clear while it is worked on, gone when the block ends; the dead's are swept first."""
    sweep_scratch(root)
    with held(root / f"{uuid4().hex[:16]}-0-{os.getpid()}") as folder:
        yield folder


def abandoned(root: Path) -> list[Path]:
    """Folders of runs that are dead, in order of name."""
    entries = sorted(root.iterdir()) if root.is_dir() else []
    return [entry for entry in entries if (named := _OURS.fullmatch(entry.name)) and _is_dead(entry, named["pid"])]


def sweep_scratch(root: Path) -> list[Path]:
    """Remove the folders of dead runs; return what they were."""
    gone = abandoned(root)
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone


def _is_dead(folder: Path, pid: str) -> bool:
    with suppress(OSError):  # gone meanwhile, or another user's
        is_young = time.time() - folder.stat().st_mtime < STARTING_SECONDS
        return not (is_young and psutil.pid_exists(int(pid))) and _is_free(folder)
    return False


def _is_free(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
