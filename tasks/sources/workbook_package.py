"""Is a workbook's package sound and harmless? Its parts are inflated with a limit before any reader sees them."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from tasks.errors import BadFileError
from tasks.sources.workbook_errors import is_suspect

MOST_INFLATED_BYTES = 2 << 30
MOST_RATIO = 100
RATIO_FROM_BYTES = 64 << 20
"""A package that inflates to less than this is no bomb, however well it was packed."""
MOST_PARTS = 10_000
_BLOCK = 1 << 20
_OVERLAP = 4_096
_DOCTYPES = (b"<!DOCTYPE", b"<!ENTITY")


class Package(NamedTuple):
    """What the package itself tells."""

    suspects: frozenset[str]
    """Parts of sheets that may hold error cells, or formulas without a value."""
    about: tuple[str, ...]


def check_package(path: Path, name: str) -> Package:
    """Inflate every part of an xlsx with a limit.

    Raises:
        BadFileError: cut off or damaged, no xlsx, with macros, too large when inflated, or with a DOCTYPE.
    """
    try:
        with ZipFile(path) as package:
            parts = package.infolist()
            _refuse_other_kinds({part.filename for part in parts}, name)
            _refuse_sizes(parts, path.stat().st_size, name)
            suspects = frozenset(part.filename for part in parts if _is_suspect(package, part, name))
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadFileError(
            f"{name} is a workbook that is cut off or damaged", expected="a whole xlsx file",
            next_step="fetch it again, or open it in a spreadsheet and save it anew",
        ) from error  # fmt: skip
    return Package(suspects, _about({part.filename for part in parts}))


def _refuse_other_kinds(names: set[str], name: str) -> None:
    kinds = {
        "xl/vbaProject.bin": "a workbook with macros",
        "xl/workbook.bin": "a binary workbook (xlsb)",
        "content.xml": "an OpenDocument sheet",
        "word/document.xml": "a Word document",
    }
    found = next((what for part, what in kinds.items() if part in names), None)
    if found is None and "xl/workbook.xml" not in names:
        found = "a zip file without a workbook in it"
    if found:
        raise BadFileError(f"{name} is {found}", expected="an xlsx workbook", next_step="save it as .xlsx or as CSV")


def _refuse_sizes(parts: list[ZipInfo], packed: int, name: str) -> None:
    """Refuse by what the directory claims; `_blocks` refuses a directory that lies."""
    claimed = sum(part.file_size for part in parts)
    is_bomb = claimed > RATIO_FROM_BYTES and claimed > MOST_RATIO * packed
    if len(parts) > MOST_PARTS or claimed > MOST_INFLATED_BYTES or is_bomb:
        raise BadFileError(
            f"{name} of {packed:,} bytes inflates to {claimed:,} bytes in {len(parts)} parts",
            expected=f"at most {MOST_INFLATED_BYTES:,} bytes, and {MOST_RATIO} times its size",
            next_step="export it as CSV, or in several files",
        )


def _is_suspect(package: ZipFile, part: ZipInfo, name: str) -> bool:
    """Read a part to its end, which also checks its CRC; say whether error cells must be looked for."""
    is_sheet = part.filename.startswith("xl/worksheets/")
    found, before = False, b""
    for block in _blocks(package, part, name):
        text = before + block
        if any(mark in text for mark in _DOCTYPES) or (not before and text[:4].count(0)):
            raise BadFileError(
                f"{name}: {part.filename[:80]} declares entities or is not UTF-8", expected="plain XML",
                next_step="open it in a spreadsheet and save it anew, if you trust its sender",
            )  # fmt: skip
        found = found or (is_sheet and is_suspect(text))
        before = text[-_OVERLAP:]
    return found


def _blocks(package: ZipFile, part: ZipInfo, name: str) -> Iterator[bytes]:
    """The inflated part in blocks, stopped where it grows beyond what the directory claims."""
    if not part.filename.endswith((".xml", ".rels")):
        return
    inflated = 0
    with package.open(part) as stream:
        while block := stream.read(_BLOCK):
            inflated += len(block)
            if inflated > part.file_size:
                raise BadFileError(f"{name} lies about its size", expected="an honest file", next_step="look at it")
            yield block


def _about(names: set[str]) -> tuple[str, ...]:
    is_linked = any(name.startswith("xl/externalLinks/") for name in names)
    return ("links to other workbooks are not followed; the values saved are read",) if is_linked else ()
