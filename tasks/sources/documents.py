"""JSON lines, or one JSON document with a list of objects: documents become rows of text, by paths.

Numbers keep their digits (nothing goes through a float). Several values of one path stand in one
cell with `|` between them, as tags do elsewhere. The file is read twice, first for the paths that
occur in it: a path that shows up on the last line is a column like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.headers import normalise_header, unique_names
from tasks.sources.json_stream import MAX_CHARS, Document, Found, Reader, read_lines, read_list
from tasks.sources.opened import CHUNK_BYTES, Chunk, Opened, Share, Wanted, undecodable
from tasks.sources.texts import Text

Leaves = Iterator[tuple[str, str]]
MAX_PATHS = 2_000
_BLOCK = 4 << 20
"""Characters of JSON that become Python objects at a time: they take ten times the room."""
_BATCH_ROWS = 20_000


def open_documents(text: Text, known: frozenset[str], chunk_bytes: int = CHUNK_BYTES) -> Opened:
    """Take JSON apart; a line that is no JSON object is refused as a row.

    Raises:
        BadFileError: no line is a JSON object, or a document that cannot be read to its end.
    """
    size = min(chunk_bytes, _BLOCK)
    kind, reader = _shape(text, known)
    passed = _Passed()
    paths = _paths(reader(passed.over(_strings(text, size))), text.name)
    whole = passed.chars

    def chunks(wanted: Wanted) -> Iterator[Chunk]:
        passed, share = _Passed(), Share(text.path.stat().st_size, whole)
        for chunk in _chunks(reader(passed.over(_strings(text, size))), paths, wanted):
            yield chunk._replace(bytes_read=share.up_to(passed.chars))

    return Opened(kind, text.encoding, tuple(paths), chunks)


@dataclass
class _Passed:
    """Counts the text that a reader has taken in."""

    chars: int = 0

    def over(self, blocks: Iterator[str]) -> Iterator[str]:
        """Blocks as given."""
        for block in blocks:
            self.chars += len(block)
            yield block


def _strings(text: Text, size: int) -> Iterator[str]:
    return (block.decode() for block in text.blocks(size))


def _shape(text: Text, known: frozenset[str]) -> tuple[str, Reader]:
    """Tell lines from one document; an object that could be either is what knows more headers."""
    as_list: tuple[str, Reader] = ("json", lambda blocks: read_list(blocks, text.name))
    lines = _first_lines(text)
    if lines[0].startswith("[") or (len(lines) > 1 and not _is_object(lines[0]) and not lines[1].startswith("{")):
        return as_list
    if len(lines) > 1:
        return "jsonl", read_lines
    return as_list if _is_wrapper(text, lines[0], known) else ("jsonl", read_lines)


def _first_lines(text: Text) -> list[str]:
    """The first two lines that are not blank, the second cut off where the first is very long."""
    head = ""
    for block in _strings(text, _BLOCK):
        head += block
        lines = [line.strip() for line in head.split("\n", 1000) if line.strip()]
        if len(lines) > 1 or len(head) > MAX_CHARS:
            break
    return lines[:2]


def _is_object(line: str) -> bool:
    return next(read_lines(iter([line]))).document is not None


def _is_wrapper(text: Text, line: str, known: frozenset[str]) -> bool:
    """Whether the one line of a file is an object around the list that is meant."""
    found = next(read_lines(iter([line])))
    if found.document is None:
        return found.rule == "record_too_long"
    try:
        members = [one.document for one in read_list(iter([line]), text.name) if one.document]
    except BadFileError:
        return False
    inside = {path for member in members for path, _ in _leaves(member, "")}
    return _score(inside, known) > _score({path for path, _ in _leaves(found.document, "")}, known)


def _score(paths: set[str], known: frozenset[str]) -> int:
    return len({normalise_header(path) for path in paths} & known)


def _paths(found: Iterator[Found], name: str) -> list[str]:
    """Every path that occurs in the file, in alphabetical order.

    Raises:
        BadFileError: no document, or more paths than any export has.
    """
    paths: set[str] = set()
    some = False
    for one in found:
        if one.document is not None:
            some = True
            paths.update(path for path, _ in _leaves(one.document, ""))
        if len(paths) > MAX_PATHS:
            raise BadFileError(
                f"{name} has more than {MAX_PATHS} different paths", expected="documents of one kind",
                next_step="look at it",
            )  # fmt: skip
    if not some:
        raise BadFileError(f"{name}: no line is a JSON object", expected="one object a line", next_step="look at it")
    return sorted(paths)


def _chunks(found: Iterator[Found], paths: list[str], wanted: Wanted) -> Iterator[Chunk]:
    names = dict(zip(paths, unique_names(paths), strict=True))
    asked = {path: name for path, name in names.items() if wanted.columns is None or name in wanted.columns}
    batch: list[Found] = []
    chars = 0
    for one in found:
        batch.append(one)
        chars += one.chars
        if len(batch) == _BATCH_ROWS or chars > _BLOCK:
            yield _chunk(batch, asked, wanted)
            batch, chars = [], 0
    yield _chunk(batch, asked, wanted)


def _chunk(batch: list[Found], asked: dict[str, str], wanted: Wanted) -> Chunk:
    """One row per document, or per member of what `each` names; a document without any still has its row."""
    rows = [
        (one.number, *(cells.get(path) for path in asked))
        for one in batch
        if one.document is not None
        for cells in _rows(one.document, wanted.each)
    ]
    schema = {"row_number": pl.Int64(), **dict.fromkeys(asked.values(), pl.String())}
    bad = undecodable((one.number, one.rule, one.raw) for one in batch if one.document is None)
    return Chunk(pl.DataFrame(rows, schema=schema, orient="row"), bad, len(batch))


def _rows(document: Document, each: tuple[str, ...]) -> list[dict[str, str]]:
    shared = {key: value for key, value in document.items() if key not in each}
    members = [{key: [one]} for key in each if isinstance(document.get(key), list) for one in document[key]]
    members += [{key: document[key]} for key in each if isinstance(document.get(key), dict)]
    return [_cells(shared | member) for member in members or [{}]]


def _cells(document: Document) -> dict[str, str]:
    """Path to text; several values of one path joined with `|`."""
    cells: dict[str, list[str]] = {}
    for path, text in _leaves(document, ""):
        cells.setdefault(path, []).append(text)
    return {path: "|".join(texts) for path, texts in cells.items()}


def _leaves(value: Any, path: str) -> Leaves:
    """Path and text of every scalar; nulls and empty containers have none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict) and inner.keys() == {"key", "value"}:  # GA4's parameters
                yield from ((f"{path}[{inner['key']}]", text) for _, text in _leaves(inner["value"], ""))
            else:
                yield from _leaves(inner, f"{path}[]")
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)
