"""`unpack`: one input file becomes the export files in it, each as plain bytes that a reader can open.

Everything is extracted in blocks, with limits that hold while it is extracted; a member that cannot be
taken stops no other. What is in an archive in an archive stays there.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.errors import BadFileError
from tasks.sources.unpack_budget import Budget, Heard, Limits, copy_within, unheard
from tasks.sources.unpack_kinds import COMPOUND, GZIP, PLAIN, ZIP, kind_of
from tasks.sources.unpack_locked import unlocked
from tasks.sources.unpack_zip import Archive, Untaken, is_package

__all__ = ["Limits", "Part", "Refusal", "unpack"]


class Part(NamedTuple):
    """One export file."""

    name: str
    """What messages call it: `january.zip/orders.csv`."""
    path: Path
    """The plain file to read."""
    received: Path
    """The bytes to keep: they differ from `path` where a workbook was locked."""
    about: tuple[str, ...] = ()
    """What a person should know of how it came out."""


class Refusal(NamedTuple):
    """What cannot be taken."""

    name: str
    path: Path
    """The bytes that were refused; the whole archive for members that were not extracted."""
    error: BadFileError


def unpack(
    path: Path,
    name: str,
    scratch: Path,
    passwords: Sequence[str] = (),
    limits: Limits | None = None,
    heard: Heard = unheard,
) -> Iterator[Part | Refusal]:
    """Yield every export file in one input file; a file that is no archive is its own only part.

    Args:
        path: the file as received.
        name: what messages call it.
        scratch: folder for extracted files; nobody else may write in it.
        passwords: tried on locked workbooks, in order.
        limits: how much may come out of it.
        heard: told of the packed bytes that came out, as they do.

    Raises:
        BadFileError: the path is no regular file, so that there is nothing to keep.
    """
    if path.is_symlink() or not path.is_file():
        raise BadFileError(f"{name} is no regular file", expected="a file", next_step="name the file itself")
    folder = scratch / f"unpacked-{hashlib.sha256(str(path.absolute()).encode(errors='replace')).hexdigest()[:16]}"
    yield from _Unpacking(folder, tuple(passwords), limits or Limits(), heard).whole(path, name)


class _Unpacking:
    """The unpacking of one input: where it goes, and what it may still take."""

    def __init__(self, folder: Path, passwords: tuple[str, ...], limits: Limits, heard: Heard) -> None:
        self.folder = folder
        self.heard = heard
        self.passwords = passwords
        self.limits = limits

    def whole(self, path: Path, name: str) -> Iterator[Part | Refusal]:
        """What was received is an archive, or is read as it is."""
        kind = kind_of(path)
        if kind == GZIP:
            yield self._gunzipped(path, name)
        elif kind == ZIP and not is_package(path):
            yield from self._members(path, name)
        else:
            yield self._plain(path, name, kind)

    def _gunzipped(self, path: Path, name: str) -> Part | Refusal:
        inner = self._place("member")
        try:
            budget = Budget(self.limits, path.stat().st_size, self.heard)
            with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as stream:
                copy_within(stream, inner, budget, name, lambda _: packed.tell())
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return Refusal(name, path, _cut(name, "gzip file"))
        except BadFileError as error:
            return Refusal(name, path, error)
        stem = Path(name).name.removesuffix(".gz").removesuffix(".gzip")
        return self._inner(inner, f"{name}/{stem}")

    def _members(self, path: Path, name: str) -> Iterator[Part | Refusal]:
        """Every member that can be taken; what could not be extracted is told in one refusal of the archive."""
        archive = Archive(path, name, self.limits, self.heard)
        taken = 0
        try:
            for member, place in archive.members(lambda number: self._place(f"member-{number:05d}")):
                outcome = self._inner(place, f"{name}/{member}")
                told = archive.left_out() if taken == 0 else ()
                taken += 1
                yield outcome._replace(about=(*outcome.about, *told)) if isinstance(outcome, Part) else outcome
        except Untaken as error:
            yield Refusal(name, path, error.reason)
        else:
            if archive.untaken or not taken:
                yield Refusal(name, path, archive.verdict(taken))

    def _inner(self, path: Path, name: str) -> Part | Refusal:
        """A member is read, and never unpacked again."""
        kind = kind_of(path)
        if kind == GZIP or (kind == ZIP and not is_package(path)):
            return Refusal(name, path, BadFileError(
                f"{name} is an archive in an archive", expected="export files in it",
                next_step="unpack it, and hand its files over",
            ))  # fmt: skip
        return self._plain(path, name, kind)

    def _plain(self, path: Path, name: str, kind: str) -> Part | Refusal:
        if kind not in {ZIP, COMPOUND, PLAIN}:
            return Refusal(name, path, BadFileError(
                f"{name} is {kind}", expected="CSV, TSV, a workbook, JSON or Parquet, or a zip or gz of those",
                next_step="export it as CSV or xlsx; unpack it first if it is an archive",
            ))  # fmt: skip
        if kind != COMPOUND:
            return Part(name, path, path)
        try:
            return Part(name, unlocked(path, name, self._place(f"{path.stem}-unlocked"), self.passwords), path)
        except BadFileError as error:
            return Refusal(name, path, error)

    def _place(self, stem: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / stem


def _cut(name: str, what: str) -> BadFileError:
    return BadFileError(
        f"{name} is a {what} that is cut off or damaged", expected=f"a whole {what}", next_step="fetch it again"
    )
