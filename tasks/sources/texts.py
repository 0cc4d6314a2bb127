"""Bytes of a text file become UTF-8 with LF line ends, block by block and strictly.

The encoding is that of the byte order mark, else UTF-8, else GB18030 (a superset of GBK and GB2312);
what stands around the first letter that is not ASCII decides, and every later byte must keep to it.
A lossy decoder would turn Chinese text into replacement marks without a word; UTF-16 read as UTF-8
gives rubbish rows and no error. So both are refused.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from tasks.errors import BadFileError
from tasks.sources.gb18030 import first_error, last_start

_WINDOW = 1 << 20
"""Bytes by which the encoding and the line ends are judged."""
_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_LEADS = (0xC0, 0xE0, 0xF0)
"""From these bytes on one leads a character of two, three or four bytes in UTF-8."""
_LONGEST = 4
"""No character takes more bytes, in either encoding."""
_MOST_KEPT = 31 << 20
"""Bytes just below the size from which on glibc always gives memory back."""


@dataclass(frozen=True)
class Text:
    """A text file: where it is, and how its bytes are to be read."""

    path: Path
    name: str
    encoding: str
    starts_at: int
    """Length of the byte order mark."""
    ends_with_cr: bool
    """Lines end with CR alone, as on old Macintoshes; an LF in such a file is refused."""

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield the text as UTF-8 with LF, cut between any two characters; about `size` bytes of the file at a time.

        Raises:
            BadFileError: a byte that is not text in the file's encoding; the message names its place.
        """
        parts = self.raw_blocks(size)
        if self.encoding != "utf-8":
            parts = (part.decode(self.encoding).encode() for part in parts)
        return _crlf_to_lf(parts)

    def raw_blocks(self, size: int) -> Iterator[bytes]:
        """Yield the file's own bytes, checked; cut behind a line end, or between two characters of a long line.

        A lone CR that ends lines is LF, but CRLF stays: who takes records apart can do without another copy.

        Raises:
            BadFileError: as `blocks` does.
        """
        parts = _checked(self, max(size, _LONGEST))
        return _cr_to_lf(parts, self.name) if self.ends_with_cr else parts


def sniff(path: Path, name: str) -> Text:
    """Find out encoding and line ends.

    Raises:
        BadFileError: empty, UTF-16, a NUL byte in the first line, or neither UTF-8 nor GB18030.
    """
    with path.open("rb") as file:
        head = file.read(_WINDOW)
    if not head.removeprefix(codecs.BOM_UTF8).strip() and path.stat().st_size <= _WINDOW:
        raise BadFileError(f"{name} is empty", expected="a header and rows", next_step="export it again")
    first_line = head[: head.find(b"\n") + 1] or head
    if head.startswith(_UTF16_OR_32) or b"\0" in first_line:  # a NUL further down condemns its row alone
        raise BadFileError(f"{name} is UTF-16 or not text", expected="UTF-8 or GB18030", next_step="save it as UTF-8")
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    encoding = "utf-8" if mark else _encoding(path, name)
    return Text(path, name, encoding, mark, ends_with_cr=b"\r" in head and b"\n" not in head)


def _encoding(path: Path, name: str) -> str:
    """Judge by the first megabyte from the first byte on that is not ASCII; a file of ASCII alone is UTF-8."""
    place, window, is_whole = _beyond_ascii(path)
    at = 0
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)("strict").decode(window, final=is_whole)
        except UnicodeDecodeError as error:
            at = place + error.start
        else:
            return encoding
    raise BadFileError(
        f"{name}: byte {at} is text neither in UTF-8 nor in GB18030",
        expected="one encoding throughout", next_step="export it again; a mixed or cut file cannot be trusted",
    )  # fmt: skip


def _beyond_ascii(path: Path) -> tuple[int, bytes, bool]:
    """The place of the first byte that is not ASCII, what follows it, and whether that is the rest of the file."""
    with path.open("rb") as file:
        place, block = 0, file.read(_WINDOW)
        while block and block.isascii():
            place, block = place + len(block), file.read(_WINDOW)
        lead = len(block) - len(block.lstrip(bytes(range(128))))
        window = block[lead:] + file.read(lead)
        return place + lead, window, not file.read(1)


def _checked(text: Text, size: int) -> Iterator[bytes]:
    _keep_memory()
    place, rest = text.starts_at, b""
    with text.path.open("rb") as file:
        file.seek(place)
        while block := file.read(size):
            data, rest = _cut(rest, block, text)
            _must_be_sound(data, place, text)
            if data:
                yield data
            place += len(data)
    _must_be_sound(rest, place, text)
    if rest:
        yield rest


def _keep_memory() -> None:
    """Free at once as large a block as glibc will ever keep: it then keeps all up to that size.

    Else it gives every block back to the system and fetches the next one page by page, which takes longer than
    checking and numbering all the records in it.
    """
    bytes(_MOST_KEPT)


def _cut(rest: bytes, block: bytes, text: Text) -> tuple[bytes, bytes]:
    """What waited and the block, up to the last line end: its byte is part of no longer character."""
    end = block.rfind(b"\r" if text.ends_with_cr else b"\n") + 1
    if end:
        return b"".join((rest, memoryview(block)[:end])), block[end:]
    data = rest + block
    end = _last_start(data) if text.encoding == "utf-8" else last_start(data)
    return data[:end], data[end:]


def _last_start(data: bytes) -> int:
    """Where a character that is cut off by the end begins; the end when none is."""
    for back in range(1, min(_LONGEST, len(data) + 1)):
        if (byte := data[-back]) >= _LEADS[0]:
            whole = 2 + (byte >= _LEADS[1]) + (byte >= _LEADS[2])
            return len(data) - back if back < whole else len(data)
    return len(data)


def _must_be_sound(data: bytes, place: int, text: Text) -> None:
    error = _first_error(data) if text.encoding == "utf-8" else first_error(data)
    if error is not None:
        raise _unreadable(text, place + error)


def _first_error(data: bytes) -> int | None:
    """Where UTF-8 goes wrong: Polars checks text many times faster than Python, but cannot say where."""
    if data.isascii():
        return None
    whole = pa.Array.from_buffers(
        pa.large_binary(), 1, [None, pa.py_buffer(np.array([0, len(data)], np.int64)), pa.py_buffer(data)]
    )
    try:
        pl.Series(whole).cast(pl.String)
    except pl.exceptions.PolarsError:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            return error.start
        raise
    return None


def _unreadable(text: Text, place: int) -> BadFileError:
    how = "is marked as" if text.starts_at else "begins as"
    kind = {"utf-8": "UTF-8", "gb18030": "GB18030"}[text.encoding]
    return BadFileError(
        f"{text.name} {how} {kind}, but byte {place} is not {kind}",
        expected="one encoding throughout", next_step="export it again; a mixed or cut file cannot be trusted",
    )  # fmt: skip


def _crlf_to_lf(parts: Iterator[bytes]) -> Iterator[bytes]:
    waiting = b""
    for part in parts:
        data = waiting + part
        waiting = b"\r" if data.endswith(b"\r") else b""
        yield data[: len(data) - len(waiting)].replace(b"\r\n", b"\n") if b"\r" in data else data
    if waiting:
        yield waiting


def _cr_to_lf(parts: Iterator[bytes], name: str) -> Iterator[bytes]:
    for part in parts:
        if b"\n" in part:
            raise BadFileError(
                f"{name} ends its first lines with CR alone and later ones with LF",
                expected="one kind of line end", next_step="save it with Windows line ends",
            )  # fmt: skip
        yield part.replace(b"\r", b"\n")
