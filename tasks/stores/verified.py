"""Local Parquet files whose bytes were checked against the manifest. Polars reads nothing else of the lake.

Polars does not notice a flipped byte. A file of a directory is hashed where it lies; a file of a
bucket is streamed into this process's cache and read there, so what was checked is what is read.
"""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from uuid import uuid4

from tasks.errors import DamagedError, MissingDataError
from tasks.refs import StoredFile
from tasks.stores.objects import Objects

PARALLEL_FILES = 4

_checked: dict[tuple[str, str, str], tuple[Path, int, int]] = {}
"""Root, key, SHA-256 -> where the bytes lie, their size and modification time when they were hashed."""


def hash_files(objects: Objects, keys: Sequence[str]) -> list[str]:
    """Read files back from the store and return their SHA-256, in order; DamagedError names one that is gone."""
    with ThreadPoolExecutor(PARALLEL_FILES) as pool:
        return list(pool.map(lambda key: _read_back(objects, key), keys))


def verified_paths(objects: Objects, files: Sequence[StoredFile]) -> list[Path]:
    """Return one local path per file, in order; DamagedError names the first that is gone or differs."""
    with ThreadPoolExecutor(PARALLEL_FILES) as pool:
        return list(pool.map(lambda file: _verified(objects, file), files))


def _verified(objects: Objects, file: StoredFile) -> Path:
    known = _checked.get((objects.uri, file.path, file.sha256))
    if known and _look(known[0]) == known:
        return known[0]
    if (sha256 := _read_back(objects, file.path)) != file.sha256:
        raise _damaged(objects, file.path, f"has SHA-256 {sha256[:12]}… and not {file.sha256[:12]}…")
    return _checked[objects.uri, file.path, file.sha256][0]


def _read_back(objects: Objects, key: str) -> str:
    place = objects.delta_uri(key)
    local = _cache_folder() / f"{uuid4().hex}.parquet" if "://" in place else Path(place)
    try:
        sha256 = objects.fetch(key, local) if "://" in place else objects.sha256(key)
    except MissingDataError as error:
        raise _damaged(objects, key, "is gone") from error
    _checked[objects.uri, key, sha256] = _look(local)
    return sha256


def _look(local: Path) -> tuple[Path, int, int]:
    found = local.stat() if local.exists() else None
    return (local, found.st_size, found.st_mtime_ns) if found else (local, -1, -1)


def _damaged(objects: Objects, key: str, what: str) -> DamagedError:
    return DamagedError(
        f"{key} of {objects.uri} {what}",
        expected="the bytes that were published",
        next_step="run again in case it was the reading; else restore that object from the bucket's versions "
        "or a backup; `strata verify` names every damaged file",
    )


@cache
def _cache_folder() -> Path:
    """This user's alone, and gone with the process: lazy frames may outlive the lake that made them."""
    folder = Path(tempfile.mkdtemp(prefix="strata-verified-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
