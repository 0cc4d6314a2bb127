"""What all workers of one test run share: made by the first who asks."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole run, above those of its workers."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def run_pid() -> int:
    """The process that lives as long as the run: pytest, or the one above its workers."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder as `make` filled it, in whichever worker; the others wait meanwhile."""
    with FileLock(folder.with_suffix(".lock")):
        done = folder.with_suffix(".made")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
