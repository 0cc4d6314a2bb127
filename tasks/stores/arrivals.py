"""What lies where exports arrive, a folder or an S3 prefix: what may be taken up, what is left alone, what is refused.

Looking reads names, sizes and times, never a byte of a file. A file counts as still being uploaded by
its name (`.part`, `~$…`), or while it is young; an S3 object shows itself when it is whole.
"""

import re
import stat
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tasks.errors import BadFileError, SecurityRefusedError
from tasks.refs import Ref
from tasks.settings import Settings
from tasks.stores.objects import Meta, Objects, check_key, open_objects

PASSING = (
    ".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".opdownload", ".uploading", ".swp",
    "~",
)  # fmt: skip
"""Ends of names under which browsers, transfer programs and editors keep what they have not finished."""
PATIENCE_SECONDS = 5.0
"""A young file is waited for when it is old enough within this time, and else left for the next look."""
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Arrival(Ref):
    """One file that may be taken up."""

    name: str
    place: tuple[str, ...] = ()
    """Folders between what was named and the file."""
    uri: str
    bytes: int
    mark: str
    """Differs whenever the bytes do: an etag, or size, times and inode."""


class Told(Ref):
    """A file that was not opened, and why."""

    name: str
    why: str


@dataclass
class Found:
    """What one look found."""

    arrivals: list[Arrival] = field(default_factory=list)
    left: list[Told] = field(default_factory=list)
    refused: list[Told] = field(default_factory=list)


class Inbox(Protocol):
    """A place where exports arrive."""

    def look(self, settle_seconds: float) -> Found:
        """Find what lies there, in order of name; what changed within `settle_seconds` is left alone."""
        ...

    def bring(self, arrival: Arrival, folder: Path) -> Path | None:
        """Return a local path to the very bytes that were found, in `folder` if need be; None when they changed."""
        ...

    def is_same(self, arrival: Arrival) -> bool:
        """Return whether what lies there is still what was found."""
        ...


def open_inbox(text: str, settings: Settings) -> Inbox:
    """Open a file, a folder (a path or `file:///…`) or an S3 prefix.

    Raises:
        BadFileError: there is no such file or folder.
    """
    if urlsplit(text).scheme == "s3":
        return _prefix(text, settings)
    path = Path(url2pathname(urlsplit(text).path)) if text.startswith("file://") else Path(text)
    if not path.exists():
        raise BadFileError(f"{path} does not exist", expected="an export file or a folder", next_step="check it")
    return FolderInbox(path)


def _prefix(uri: str, settings: Settings) -> "PrefixInbox":
    """All below the prefix, or the one object that has this very name."""
    above, _, name = uri.rpartition("/")
    if "." in name and above.removeprefix("s3://"):
        parent = open_objects(above, settings)
        if parent.head(name):
            return PrefixInbox(parent, name)
    return PrefixInbox(open_objects(uri, settings))


class FolderInbox:
    """A folder and all below it, or a single file."""

    def __init__(self, path: Path) -> None:
        """Take the path as it was named."""
        self._root = path

    def look(self, settle_seconds: float) -> Found:
        """See Inbox. Symbolic links, pipes and devices are refused: only regular files hold exports."""
        found = Found()
        for path in self._paths():
            relative = path.relative_to(self._root) if path != self._root else Path(path.name)
            if why := _why_left(relative.parts):
                found.left += [Told(name=path.name, why=why)] if why != HIDDEN else []
            elif why := _why_refused(relative.as_posix(), path):
                found.refused.append(Told(name=_shown(path.name), why=why))
            elif (age := _age(path)) < settle_seconds and not _settles(path, settle_seconds, age):
                found.left.append(Told(name=path.name, why=f"changed within the last {settle_seconds:g} s"))
            else:
                found.arrivals.append(_arrival(path, relative.parts[:-1]))
        return found

    def bring(self, arrival: Arrival, folder: Path) -> Path | None:  # noqa: ARG002  it lies here already
        """See Inbox."""
        return self._path(arrival) if self.is_same(arrival) else None

    def is_same(self, arrival: Arrival) -> bool:
        """See Inbox."""
        try:
            return mark_of(self._path(arrival)) == arrival.mark
        except FileNotFoundError:
            return False

    def _path(self, arrival: Arrival) -> Path:
        return self._root.joinpath(*arrival.place, arrival.name) if self._root.is_dir() else self._root

    def _paths(self) -> Iterator[Path]:
        if not self._root.is_dir():
            return iter([self._root])
        return (path for path in sorted(self._root.rglob("*")) if path.is_symlink() or not path.is_dir())


class PrefixInbox:
    """All objects below an S3 prefix, or a single one."""

    def __init__(self, objects: Objects, only: str = "") -> None:
        """Look at nothing yet."""
        self._objects, self._only = objects, only

    def look(self, settle_seconds: float) -> Found:  # noqa: ARG002  an object shows itself when it is whole
        """See Inbox."""
        found = Found()
        for meta in self._metas():
            parts = tuple(meta.key.split("/"))
            if why := _why_left(parts):
                found.left += [Told(name=parts[-1], why=why)] if why != HIDDEN else []
            elif why := _why_named(meta.key):
                found.refused.append(Told(name=_shown(meta.key), why=why))
            else:
                uri = f"{self._objects.uri}/{meta.key}"
                size, mark = meta.bytes, meta.etag
                found.arrivals.append(Arrival(name=parts[-1], place=parts[:-1], uri=uri, bytes=size, mark=mark))
        return found

    def bring(self, arrival: Arrival, folder: Path) -> Path | None:
        """See Inbox. The etag is compared after the download, so the bytes are those that were listed."""
        path = folder / "object"
        self._objects.fetch("/".join((*arrival.place, arrival.name)), path)
        return path if self.is_same(arrival) else None

    def is_same(self, arrival: Arrival) -> bool:
        """See Inbox."""
        meta = self._objects.head("/".join((*arrival.place, arrival.name)))
        return meta is not None and meta.etag == arrival.mark

    def _metas(self) -> Iterator[Meta]:
        """Every object but the empty ones that stand for folders."""
        if self._only:
            return filter(None, [self._objects.head(self._only)])
        return (meta for meta in self._objects.list("") if meta.key and not meta.key.endswith("/"))


HIDDEN = "hidden"


def _why_left(parts: tuple[str, ...]) -> str:
    """Why a file is left alone by its name; hidden ones (and all in hidden folders) without a word."""
    name = parts[-1]
    if any(part.startswith(".") and part not in {".", ".."} for part in parts):
        return HIDDEN
    if name.startswith("~$") or name.lower().endswith(PASSING):
        return "still being written: its name says so"
    return ""


def _why_refused(relative: str, path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "a symbolic link; expected a regular file; next: put the file itself there"
    if not stat.S_ISREG(mode):
        return "no regular file; expected an export; next: take it away"
    return _why_named(relative)


def _why_named(key: str) -> str:
    """Why a name is refused: it climbs, hides its end or could not be written down."""
    try:
        check_key(key)
    except SecurityRefusedError as error:
        return str(error)
    if _BIDI.search(key) or any(unicodedata.category(char) in {"Cc", "Cs"} for char in key):
        return "its name has characters that cannot be seen; expected a plain name; next: rename it"
    return ""


def _shown(name: str) -> str:
    """A name that is safe to print."""
    return name[:200].encode("unicode_escape").decode() if _why_named(name) else name


def _arrival(path: Path, place: tuple[str, ...]) -> Arrival:
    size, mark = path.stat().st_size, mark_of(path)
    return Arrival(name=path.name, place=place, uri=path.absolute().as_uri(), bytes=size, mark=mark)


def mark_of(path: Path) -> str:
    """What no rewriting of the file leaves as it is: nobody sets the change time of an inode."""
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def _age(path: Path) -> float:
    """Seconds since the file last changed; one from the future has just changed."""
    return time.time() - path.stat().st_mtime


def _settles(path: Path, settle_seconds: float, age: float) -> bool:
    """Wait for a file that will soon be old enough, and look again."""
    missing = settle_seconds - max(age, 0)
    if missing > PATIENCE_SECONDS:
        return False
    before = mark_of(path)
    time.sleep(missing)
    return mark_of(path) == before
