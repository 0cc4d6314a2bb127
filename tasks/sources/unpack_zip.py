"""The members of a zip file: which are taken, under which name, and how their bytes come out.

A name in an archive is only a label here: no path is ever built from it. One that would climb out of
its folder, or that no file system should see, is a sign of a forged archive, and its member is not taken.
"""

import errno
import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from tasks.errors import BadFileError
from tasks.sources.unpack_budget import Budget, Heard, Limits, copy_within, unheard

_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_JUNK = ("thumbs.db", "desktop.ini")
_SHOWN = 5
_LONGEST_NAME = 255
_NAME_AT = 30
"""Where the name of the first member stands."""
MOST_PARTS = 10_000
_DIRECTORY_BYTES_PER_MEMBER = 2_048
_DAMAGED = (BadZipFile, zlib.error, EOFError, struct.error, ValueError, OverflowError)


class Untaken(Exception):  # noqa: N818  an outcome
    """The whole archive cannot be taken, or nothing more of it."""

    def __init__(self, reason: BadFileError) -> None:
        """Keep the reason, which is a refusal to be yielded and not raised."""
        self.reason = reason
        super().__init__(str(reason))


def is_package(path: Path) -> bool:
    """Say whether a zip file is itself a document, such as a workbook; a damaged one counts as what it began as."""
    with path.open("rb") as file:
        first = file.read(4_096)[_NAME_AT:]
    if first.startswith((b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/", b"mimetype")):
        return True
    try:
        with _opened(path, "", MOST_PARTS) as package:
            return "[Content_Types].xml" in package.NameToInfo
    except Untaken:
        return False


class Archive:
    """One zip file, and what of it was not taken."""

    def __init__(self, path: Path, name: str, limits: Limits, heard: Heard = unheard) -> None:
        """Nothing is opened yet."""
        self.path = path
        self.name = name
        self.limits = limits
        self.budget = Budget(limits, path.stat().st_size, heard)
        self.untaken: list[str] = []
        self.junk = 0

    def members(self, place: Callable[[int], Path]) -> Iterator[tuple[str, Path]]:
        """Name of every file that can be taken, and where its bytes are now.

        Args:
            place: where the bytes of the member with this number shall go.

        Raises:
            Untaken: damaged, more members than allowed, or a bomb; what was yielded before is sound.
        """
        with _opened(self.path, self.name, self.limits.members) as archive:
            infos = [(member_name(info), info) for info in archive.infolist() if not info.is_dir()]
            wanted = self._wanted([(name, info) for name, info in infos if not is_junk(name)])
            self.junk = sum(is_junk(name) for name, _ in infos)
            for number, (name, info) in enumerate(wanted):
                if self._extracted(archive, info, name, place(number)):
                    yield name, place(number)

    def _wanted(self, infos: list[tuple[str, ZipInfo]]) -> Iterator[tuple[str, ZipInfo]]:
        seen: set[str] = set()
        for name, info in infos:
            if reason := fault_of(info, name, seen):
                self.untaken.append(f"{shown(name)} {reason}")
            else:
                seen.add(name)
                yield name, info

    def _extracted(self, archive: ZipFile, info: ZipInfo, name: str, target: Path) -> bool:
        """Write a member's bytes; False, with the reason noted, when they do not come out whole."""
        try:
            with archive.open(info) as stream:
                whole = max(info.file_size, 1)
                place = lambda size: info.compress_size * min(size, whole) // whole  # noqa: E731
                copy_within(stream, target, self.budget, self.name, place)
        except BadFileError as error:
            raise Untaken(error) from error
        except (*_DAMAGED, NotImplementedError, RuntimeError, OSError) as error:
            _raise_unless_damaged(error)
            self.untaken.append(f"{shown(name)} is cut off or damaged")
            return False
        return True

    def left_out(self) -> tuple[str, ...]:
        """What a person should know of members that are no exports."""
        return (f"{self.junk} hidden files of the archive were left out",) if self.junk else ()

    def verdict(self, taken: int) -> BadFileError:
        """Why the archive, or a part of it, was not taken."""
        if not self.untaken:
            return BadFileError(
                f"{self.name} holds no export file", expected="a zip with export files in it",
                next_step="look into it, and hand over what it should hold",
            )  # fmt: skip
        more = f" and {len(self.untaken) - _SHOWN} more" if len(self.untaken) > _SHOWN else ""
        return BadFileError(
            f"{self.name}: {'; '.join(self.untaken[:_SHOWN])}{more}", expected="plain files with plain names in it",
            next_step=f"unpack it, look, and hand these over; {taken} other members were taken",
        )  # fmt: skip


def _opened(path: Path, name: str, most: int) -> ZipFile:
    """The archive with its directory read, which is bounded before a million entries become a gigabyte of objects."""
    with path.open("rb") as file:
        size = _directory_bytes(file)
    if size > most * _DIRECTORY_BYTES_PER_MEMBER:
        raise Untaken(_endless(name, most))
    try:
        archive = ZipFile(path)
    except (*_DAMAGED, NotImplementedError, OSError) as error:
        _raise_unless_damaged(error)
        raise Untaken(_damaged(name)) from error
    if len(archive.infolist()) > most:
        archive.close()
        raise Untaken(_endless(name, most))
    return archive


def member_name(info: ZipInfo) -> str:
    """The name as its sender saw it: UTF-8 where it says so or is so, else GB18030 as Chinese Windows writes."""
    if info.flag_bits & _UTF8_NAME:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


def is_junk(name: str) -> bool:
    """What operating systems leave beside files."""
    parts = name.split("/")
    is_hidden = parts[-1].startswith(".") and not name.count("..")
    return parts[0] == "__MACOSX" or is_hidden or parts[-1].lower() in _JUNK


def fault_of(info: ZipInfo, name: str, seen: set[str]) -> str | None:
    """Why a member is not even extracted; None where it may be."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a symbolic link"
    if info.flag_bits & _ENCRYPTED:
        return "is locked with a password; unzip it first"
    if ".." in name.split("/") or name.startswith("/") or name[1:2] == ":" or "\\" in name:
        return "has a name that climbs out of its folder"
    if not name or len(name) > _LONGEST_NAME or any(_is_odd(char) for char in name):
        return "has a name that no file should have"
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        return "is packed in an unusual way; unzip it first"
    return "stands in it twice" if name in seen else None


def _is_odd(char: str) -> bool:
    """Control characters, halves of characters, and marks that turn the direction of writing."""
    return unicodedata.category(char) in {"Cc", "Cs"} or unicodedata.bidirectional(char) in _TURNS


def shown(name: str) -> str:
    """A name in a message: printable, and short."""
    return repr("".join(char if char.isprintable() else "?" for char in name[:80]))


def _raise_unless_damaged(error: Exception) -> None:
    """A place outside the file is damage to the file; a full disk is not."""
    if isinstance(error, OSError) and error.errno != errno.EINVAL:
        raise error


def _damaged(name: str) -> BadFileError:
    return BadFileError(
        f"{name} is a zip file that is cut off or damaged", expected="a whole zip file", next_step="fetch it again"
    )


def _endless(name: str, most: int) -> BadFileError:
    return BadFileError(
        f"{name} lists more members than an archive may have", expected=f"at most {most}",
        next_step="unpack it, and hand its files over by folder",
    )  # fmt: skip


_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES, _END_64_BYTES, _LOCATOR_BYTES = 22, 56, 20
_TAIL = (1 << 16) + _END_BYTES + _LOCATOR_BYTES + _END_64_BYTES


def _directory_bytes(file: IO[bytes]) -> int:
    """Size of the central directory, found as `zipfile` finds it; 0 when there is none."""
    file.seek(0, 2)
    file.seek(max(0, file.tell() - _TAIL))
    tail = file.read()
    end = len(tail) - _END_BYTES if tail[-_END_BYTES:].startswith(_END) else tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_BYTES:
        return 0
    locator = end - _LOCATOR_BYTES
    large = tail[max(0, locator - _END_64_BYTES) : max(0, locator)]
    if large.startswith(_END_64) and tail[locator:].startswith(_LOCATOR_64):
        return int(struct.unpack_from("<Q", large, 40)[0])
    return int(struct.unpack_from("<I", tail, end + 12)[0])
