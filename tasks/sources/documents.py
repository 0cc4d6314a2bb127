"""JSON lines: nested documents become rows of text, by paths that the layout names.

Numbers keep their digits (nothing goes through a float). Several values of one path stand in one
cell with `|` between them, as tags do elsewhere.
"""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.headers import unique_names
from tasks.sources.opened import Opened, undecodable

Document = dict[str, Any]
Leaves = Iterator[tuple[str, str]]


def open_documents(text: str, encoding: str, name: str) -> Opened:
    """Take a JSON lines file apart; a line that is no JSON object is refused as a row.

    Raises:
        BadFileError: no line is a JSON object.
    """
    good: list[tuple[int, Document]] = []
    bad: list[tuple[int, str, str]] = []
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, start=1):
        document = _parse(line)
        if document is None:
            bad.append((number, "not_a_json_object", line))
        else:
            good.append((number, document))
    if not good:
        raise BadFileError(f"{name}: no line is a JSON object", expected="one object a line", next_step="look at it")
    paths = sorted({path for _, document in good for path, _ in _leaves(document, "")})
    return Opened("jsonl", encoding, tuple(paths), lambda each: _table(good, paths, each), len(lines), undecodable(bad))


def _parse(line: str) -> Document | None:
    """Return the object, or None; a lone surrogate is text that no encoding can write."""
    try:
        document = json.loads(line, parse_int=str, parse_float=str)
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _table(documents: list[tuple[int, Document]], paths: list[str], each: tuple[str, ...]) -> pl.DataFrame:
    """One row per document, or per member of what `each` names; a document without any still has its row."""
    rows = [{"row_number": number, **row} for number, document in documents for row in _rows(document, each)]
    frame = pl.DataFrame(rows, schema={"row_number": pl.Int64(), **dict.fromkeys(paths, pl.String())})
    return frame.rename(dict(zip(paths, unique_names(paths), strict=True)))


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
            yield from _leaves(inner, f"{path}[]")
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)
