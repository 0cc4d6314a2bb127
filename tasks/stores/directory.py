"""Objects in a local directory. POSIX alone: hard links make creation exclusive, flock orders the swaps.

There are no lock files: the lock is held on the folder of the key, so two stores
whose roots lie inside each other exclude each other too. A network file system
must support both; `probe` finds out.
"""

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final
from uuid import uuid4

from tasks.errors import (
    ConfigurationError,
    MissingDataError,
    ObjectExistsError,
    SecurityRefusedError,
    StoreUnavailableError,
)
from tasks.stores.directory_errors import explain
from tasks.stores.objects import RESERVED, Meta, Objects, check_key, is_listed, refuse_other_bytes, refuse_stale
from tasks.stores.whole import chunks_of, create_whole, make_folder, sync, write_whole

LOCK_SECONDS: Final = 30.0
"""Longer than any swap of a small pointer; a process that was stopped while holding the lock is then named."""


class DirectoryObjects:
    """A store in one directory; etags are SHA-256."""

    def __init__(self, root: Path) -> None:
        """Take the root as it is; it is made when the first object is written."""
        self._root = root.expanduser().absolute()
        self.uri = self._root.as_uri()

    def __repr__(self) -> str:
        """Name the root."""
        return f"DirectoryObjects({self.uri})"

    def read(self, key: str) -> bytes:
        """See Objects."""
        return self.read_tagged(key)[0]

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """See Objects."""
        with self._opened(key) as file:
            data = file.read()
        return data, hashlib.sha256(data).hexdigest()

    def start(self, key: str, size: int) -> bytes:
        """See Objects."""
        with self._opened(key) as file:
            return file.read(size)

    def fetch(self, key: str, path: Path) -> str:
        """See Objects."""
        with self._opened(key) as file:
            return write_whole(path, chunks_of(file))

    def sha256(self, key: str) -> str:
        """See Objects."""
        with self._opened(key) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def head(self, key: str) -> Meta | None:
        """See Objects; the etag costs one reading of the file."""
        try:
            with self._opened(key) as file:
                return Meta(key, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())
        except MissingDataError:
            return None

    def create(self, key: str, data: bytes) -> str:
        """See Objects."""
        return self._create(key, [data], lambda: hashlib.sha256(data).hexdigest())

    def create_file(self, key: str, path: Path) -> str:
        """See Objects."""
        with path.open("rb") as file:
            return self._create(key, chunks_of(file), lambda: _sha256_of(path))

    def _create(self, key: str, chunks: Iterable[bytes], own_sha256: Callable[[], str]) -> str:
        path = self._path(key)
        try:
            with self._explained(key):
                return create_whole(path, chunks)
        except ObjectExistsError:
            if (standing := self.sha256(key)) == own_sha256():
                return standing
            refuse_other_bytes(self.uri, key)

    def swap(self, key: str, data: bytes, etag: str | None) -> str:
        """See Objects."""
        path = self._path(key)
        with self._explained(key), _alone(path.parent):
            standing = self.head(key)
            if standing and standing.etag == hashlib.sha256(data).hexdigest():
                return standing.etag
            if (standing.etag if standing else None) != etag:
                refuse_stale(self.uri, key)
            try:
                return write_whole(path, [data]) if etag else create_whole(path, [data])
            except FileExistsError:  # `create` takes no lock
                refuse_stale(self.uri, key)

    def put(self, key: str, data: bytes) -> None:
        """See Objects."""
        path = self._path(key)
        with self._explained(key), _alone(path.parent):
            write_whole(path, [data])

    def list(self, prefix: str) -> Iterator[Meta]:
        """See Objects; etags are empty."""
        found = ((path.relative_to(self._root).as_posix(), path) for path in self._files(prefix))
        sizes = ((key, _size(path)) for key, path in sorted(found) if key.startswith(prefix) and is_listed(key))
        return (Meta(key, size, "") for key, size in sizes if size is not None)

    def encrypting(self) -> Objects:
        """See Objects; a directory cannot."""
        raise ConfigurationError(
            f"{self.uri} is a directory, which encrypts nothing by itself",
            expected="a bucket, for `sse` in a vendor's profile",
            next_step="set STRATA_OUTBOX to s3://bucket/prefix, or encrypt with `age` or `openpgp`",
        )

    def is_encrypted(self, key: str) -> bool:
        """See Objects; never."""
        with self._opened(key):
            return False

    def link(self, key: str, seconds: int) -> str:  # noqa: ARG002  the interface of both stores
        """See Objects; a directory signs none."""
        raise ConfigurationError(
            f"{self.uri} is a directory: nobody can be sent a link into it",
            expected="an outbox in a bucket, s3://bucket/prefix",
            next_step="set STRATA_OUTBOX, or hand the files over by SFTP (`transport` of the vendor's profile)",
        )

    def delete(self, key: str) -> None:
        """See Objects; folders stay."""
        path = self._path(key)
        if not path.is_file():
            return
        with self._explained(key), _alone(path.parent):
            path.unlink(missing_ok=True)
            sync(path.parent)

    def sweep(self, older_than_seconds: float) -> tuple[str, ...]:
        """See Objects."""
        before = time.time() - older_than_seconds
        strays = [path for path in self._files("") if path.name.startswith(RESERVED) and _changed_at(path) < before]
        for path in strays:
            path.unlink(missing_ok=True)
        return tuple(sorted(path.relative_to(self._root).as_posix() for path in strays))

    def delta_uri(self, key: str) -> str:
        """See Objects."""
        return str(self._path(key))

    def delta_options(self) -> dict[str, str]:
        """See Objects; a directory needs none."""
        return {}

    def probe(self) -> None:
        """See Objects: a file system without hard links or flock fails here."""
        name = f"{RESERVED}probe-{uuid4().hex}"
        path = self._root / name
        try:
            with self._explained(name), _alone(self._root):
                create_whole(path, [b"1"])
                with suppress(FileExistsError):
                    create_whole(path, [b"2"])
                    raise ConfigurationError(
                        f"{self.uri} let one name be created twice",
                        expected="a file system whose hard links are exclusive",
                        next_step="put the lake on a local disk or in an S3 bucket",
                    )
        finally:
            path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        path = self._root / check_key(key)
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise SecurityRefusedError(
                f"{key} leads out of {self.uri} through a symbolic link",
                expected="every object below the root",
                next_step="remove the link",
            )
        return path

    @contextmanager
    def _opened(self, key: str) -> Iterator[BufferedReader]:
        path = self._path(key)
        with self._explained(key), _open_regular(path) as file:
            yield file

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explain(error, key, self.uri) from error

    def _files(self, prefix: str) -> Iterator[Path]:
        folder = prefix.rpartition("/")[0]
        base = self._path(folder) if folder else self._root
        for parent, _, names in os.walk(base, onerror=_unless_gone):
            yield from (path for name in names if not (path := Path(parent, name)).is_symlink())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of one folder; the kernel frees it when the process dies."""
    make_folder(folder)
    handle, deadline = os.open(folder, os.O_RDONLY | os.O_DIRECTORY), time.monotonic() + LOCK_SECONDS
    try:
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise StoreUnavailableError(
                    f"another process has held the lock of {folder.name}/ for {LOCK_SECONDS:.0f} s",
                    expected="a swap of a few milliseconds",
                    next_step="find a stopped strata process and end it, then run again",
                )
            time.sleep(0.005)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_regular(path: Path) -> BufferedReader:
    """Open without waiting for a pipe's writer; whatever is no regular file is no object."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return os.fdopen(handle, "rb")


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int | None:
    try:
        found = path.stat()
    except FileNotFoundError:  # deleted since the walk
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _unless_gone(error: OSError) -> None:
    """Stop a walk that may not read a folder: os.walk alone would leave it out in silence."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise explain(error, str(error.filename), "the directory") from error
