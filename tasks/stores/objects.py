"""What a store of objects can do, whichever it is: a directory or S3. How each does it stands elsewhere.

Bytes live under keys below one root URI. Two writes decide everything: `create`
(the key must not exist) and `swap` (the key must be as it was read). The root of
a store may lie inside another one, as the outbox does by default.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol
from urllib.parse import SplitResult, urlsplit
from urllib.request import url2pathname

from tasks.errors import ConfigurationError, ObjectExistsError, SecurityRefusedError, SnapshotMovedError
from tasks.settings import Settings

RESERVED = ".strata-"
"""No key has a segment that begins so: temporary and probe objects do, and listings leave them out."""

MAX_KEY_BYTES = 1024
MAX_SEGMENT_BYTES = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE = re.compile(r"[A-Za-z]:")


class Meta(NamedTuple):
    """One stored object. The etag is the store's own and changes with the bytes."""

    key: str
    bytes: int
    etag: str


class Objects(Protocol):
    """A store of objects. Every method raises StoreUnavailableError when the store does not answer in time."""

    uri: str

    def read(self, key: str) -> bytes:
        """All bytes of one object. Raises MissingDataError; DamagedError when they fail their checksum."""
        ...

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """All bytes of one object and the etag that `swap` asks for; raises as `read` does."""
        ...

    def start(self, key: str, size: int) -> bytes:
        """The first bytes of one object, at most `size`, not checked against anything; raises as `read` does."""
        ...

    def fetch(self, key: str, path: Path) -> str:
        """Stream one object to a local file, whole or not at all, and return its SHA-256; raises as `read` does."""
        ...

    def sha256(self, key: str) -> str:
        """SHA-256 of the bytes as stored, read now, in constant memory; raises as `read` does."""
        ...

    def head(self, key: str) -> Meta | None:
        """Size and etag, or None where there is no such object."""
        ...

    def create(self, key: str, data: bytes) -> str:
        """Write a key that does not exist and return its etag.

        The same bytes already there are a success, so a run may come twice.
        Raises ObjectExistsError when other bytes are there.
        """
        ...

    def create_file(self, key: str, path: Path) -> str:
        """Do what `create` does, streamed from a local file."""
        ...

    def swap(self, key: str, data: bytes, etag: str | None) -> str:
        """Replace the bytes that were read with this etag; None means that nothing was there.

        Tie rule: of all who swap from one etag exactly one wins; the others get
        SnapshotMovedError, after reading back. Bytes that already stand as asked are a success.
        Raises OutcomeUnknownError when not even reading back could tell.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write without a condition: only for what is derived and can be rebuilt."""
        ...

    def list(self, prefix: str) -> Iterator[Meta]:
        """One Meta per object whose key begins with the prefix, in order of key.

        The etag is empty where telling it would mean reading the object.
        """
        ...

    def encrypting(self) -> "Objects":
        """The same store, which encrypts with a key of its own whatever is written through it.

        Raises ConfigurationError for a store that cannot.
        """
        ...

    def is_encrypted(self, key: str) -> bool:
        """True where the store says that it holds this object encrypted; raises as `read` does."""
        ...

    def link(self, key: str, seconds: int) -> str:
        """An address that reads this one object, for so long, without keys. It is a secret: never log it.

        Raises ConfigurationError for a store that signs none.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove one object; removing what is not there is a success."""
        ...

    def sweep(self, older_than_seconds: float) -> tuple[str, ...]:
        """Remove what killed writers left (temporary and probe objects, unfinished uploads); return what it was."""
        ...

    def delta_uri(self, key: str) -> str:
        """Where deltalake and Polars find the folder of this key."""
        ...

    def delta_options(self) -> dict[str, str]:
        """Storage options for deltalake and Polars. They hold secrets: never log them."""
        ...

    def probe(self) -> None:
        """Try the conditional writes on a key of its own.

        Raises ConfigurationError for a store that ignores them: there a race would overwrite in silence.
        """
        ...


def open_objects(uri: str, settings: Settings) -> Objects:
    """Open the store behind a path, `file:///…` or `s3://bucket/prefix`.

    Raises ConfigurationError for any other scheme and for an endpoint that may not be used.
    """
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        # boto3 takes a third of a second to import, which no reader of a local lake should pay.
        from tasks.stores.s3 import S3Objects  # noqa: PLC0415

        return S3Objects.connect(uri, settings)
    from tasks.stores.directory import DirectoryObjects  # noqa: PLC0415 - it imports this module

    return DirectoryObjects(_local_path(uri, parts))


def _local_path(uri: str, parts: SplitResult) -> Path:
    if not uri.strip():
        raise ConfigurationError(
            "the root URI is empty",
            expected="a path, file:///… or s3://bucket/prefix",
            next_step="set STRATA_LAKE or pass --lake",
        )
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            raise ConfigurationError(
                f"{uri} names the host {parts.netloc}",
                expected="three slashes, file:///folder",
                next_step="write the path in full",
            )
        return Path(url2pathname(parts.path))
    if "://" in uri:
        raise ConfigurationError(
            f"the scheme of {parts.scheme}://… is unknown",
            expected="a path, file:///… or s3://bucket/prefix",
            next_step="correct STRATA_LAKE, STRATA_OUTBOX or --lake",
        )
    return Path(uri)


def check_key(key: str) -> str:
    """Return the key if it is safe below any root, whatever characters a shop put into a name.

    Raises SecurityRefusedError: empty, absolute or climbing, a drive, a backslash, a control
    character, a reserved name, or longer than S3 and common file systems take.
    """
    segments = key.split("/")
    why = (
        "a control character or backslash" * bool(_CONTROL.search(key))
        or "a drive letter" * bool(_DRIVE.match(key))
        or "an empty, `.` or `..` segment" * any(segment in {"", ".", ".."} for segment in segments)
        or "a reserved name" * any(segment.startswith(RESERVED) for segment in segments)
        or "too many bytes" * _too_long(key, segments)
    )
    if why:
        raise SecurityRefusedError(
            f"the key {key[:200]!r} has {why}",
            expected="names joined by single slashes, relative to the root",
            next_step="look at what named this object: a file name, a channel, a campaign",
        )
    return key


def _too_long(key: str, segments: list[str]) -> bool:
    try:
        longest = max(len(segment.encode()) for segment in segments)
    except UnicodeEncodeError:  # lone surrogates: a file name that was not UTF-8
        return True
    return longest > MAX_SEGMENT_BYTES or len(key.encode()) > MAX_KEY_BYTES


def is_listed(key: str) -> bool:
    """False for temporary and probe objects."""
    return not any(segment.startswith(RESERVED) for segment in key.split("/"))


def refuse_other_bytes(uri: str, key: str) -> NoReturn:
    """Raise ObjectExistsError: an immutable key is never overwritten."""
    raise ObjectExistsError(
        f"{key} already exists in {uri} with other bytes",
        expected="nothing there, or the same bytes",
        next_step="run `strata verify`; two different results share one name",
    )


def refuse_stale(uri: str, key: str) -> NoReturn:
    """Raise SnapshotMovedError: somebody else swapped first."""
    raise SnapshotMovedError(
        f"{key} in {uri} is no longer what this run read",
        expected="an unchanged pointer",
        next_step="read it again and compute anew",
    )
