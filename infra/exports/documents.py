"""Columns of text as JSON lines: a header is a path, such as `follow_user[].tags[].tag_name`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

_NUMBERS = ("number",)


def json_lines(headers: Iterable[str], slices: Iterable[pl.DataFrame], kinds: dict[str, str]) -> Iterator[bytes]:
    """The bytes of a JSON lines file, one part per slice: one document per row, blank cells left out."""
    paths = list(headers)
    for rows in slices:
        lines = (json.dumps(_document(paths, rows.columns, row, kinds), ensure_ascii=False) for row in rows.iter_rows())
        yield "".join(f"{line}\n" for line in lines).encode()


def _document(paths: list[str], names: list[str], row: tuple[str, ...], kinds: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, name, text in zip(paths, names, row, strict=True):
        if text:
            _put(document, path.split("."), _value(text, kinds.get(name, "text")))
    return document


def _value(text: str, kind: str) -> Any:
    return json.loads(text) if kind in _NUMBERS else text


def _put(node: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a value below `node`; a list that the path goes through has a member for each value between `|`."""
    step, rest = path[0], path[1:]
    if not step.endswith("[]"):
        _put(node.setdefault(step, {}), rest, value) if rest else node.update({step: value})
        return
    members = node.setdefault(step[:-2], [])
    if not rest:
        members.extend(value.split("|"))
    elif any(name.endswith("[]") for name in rest) or "|" not in str(value):
        members.extend([{}] if not members else [])
        _put(members[0], rest, value)
    else:
        for number, one in enumerate(value.split("|")):
            members.extend([{}] if number >= len(members) else [])
            _put(members[number], rest, one)
