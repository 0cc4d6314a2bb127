"""Local files that appear whole or not at all: a temporary name, fsync, then one rename or link.

Polars' own sink leaves an unreadable file at the final name when it is killed,
which is why nothing is ever written there directly.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".strata-"
CHUNK_BYTES = 1 << 20


@contextmanager
def staged(folder: Path, chunks: Iterable[bytes], mode: int = 0o666) -> Iterator[tuple[Path, str]]:
    """Write the chunks to a synced temporary file and hand over its path and SHA-256; it is gone afterwards.

    The temporary file lies beside its target, so that linking it never crosses file systems.
    """
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=".tmp", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            sha256 = _write(file, chunks)
        path.chmod(mode & ~_umask())
        yield path, sha256
    finally:
        path.unlink(missing_ok=True)


def _write(file: BinaryIO, chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        file.write(chunk)
        digest.update(chunk)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()


def _read_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _read_umask()  # asking means setting it for a moment, which threads must not see: ask once, at import


def _umask() -> int:
    return _UMASK


def write_whole(path: Path, chunks: Iterable[bytes], mode: int = 0o666) -> str:
    """Put the chunks at `path`, replacing what was there, and return their SHA-256."""
    make_folder(path.parent)
    with staged(path.parent, chunks, mode) as (temporary, sha256):
        temporary.replace(path)
        sync(path.parent)
        return sha256


def create_whole(path: Path, chunks: Iterable[bytes], mode: int = 0o666) -> str:
    """Put the chunks at `path` unless something is there (FileExistsError), and return their SHA-256."""
    make_folder(path.parent)
    with staged(path.parent, chunks, mode) as (temporary, sha256):
        os.link(temporary, path)  # of many linkers exactly one succeeds; rename would overwrite
        sync(path.parent)
        return sha256


def make_folder(folder: Path) -> None:
    """Make a folder and its parents so that they outlive a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file in pieces of one mebibyte."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
