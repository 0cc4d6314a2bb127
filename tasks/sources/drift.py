"""How an export changes from file to file: against its layout, and against the previous file of the same shop.

A change that nobody noticed is how numbers go quietly wrong: a back office renames a column, a status
gets a new word, and half the rows fall out. Works on what `files.drift` recorded of each file.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tasks.sources.headers import normalise_header

Receipt = Mapping[str, Any]
"""One row of `files`; `drift` is JSON text."""


class Finding(NamedTuple):
    """One thing about a file that is not as expected."""

    file: str
    sha256: str
    channel: str
    shop_id: str
    layout: str
    against: str
    """`layout`, or the name of the previous file of that shop and layout."""
    kind: str
    what: str


def find_drift(files: Iterable[Receipt]) -> list[Finding]:
    """One finding per difference, file by file in the order of export; refused files have none.

    A file is compared with the newest older export of the same shop in the same layout.
    """
    findings: list[Finding] = []
    previous: dict[tuple[str, str, str], Receipt] = {}
    for file in sorted(files, key=_age):
        if file["layout"] is None:
            continue
        shop = (file["channel"], file["shop_id"], file["layout"])
        findings += [_finding(file, "layout", kind, what) for kind, what in _against_layout(_told(file))]
        if shop in previous:
            older = previous[shop]
            changes = _against_file(_told(file), _told(older))
            findings += [_finding(file, older["name"], kind, what) for kind, what in changes]
        previous[shop] = file
    return findings


def _age(file: Receipt) -> tuple[Any, ...]:
    return file["exported_at"], file["received_at"], file["name"], file["sha256"]


def _told(file: Receipt) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(file["drift"] or "{}")
    return told


def _finding(file: Receipt, against: str, kind: str, what: str) -> Finding:
    return Finding(file["name"], file["sha256"], file["channel"], file["shop_id"], file["layout"], against, kind, what)


def _against_layout(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the layout did not expect."""
    yield from (("new column", header) for header in told.get("extra", ()))
    yield from (("missing column", header) for header in told.get("missing", ()))
    yield from (("retyped column", column) for column in told.get("changed", ()))
    for column, words in sorted(told.get("unknown_codes", {}).items()):
        yield from ((f"unknown word in {column}", word) for word in words)


def _against_file(told: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the file before did not have, or had."""
    if "headers" in told and "headers" in before:
        now, then = _folded(told["headers"]), _folded(before["headers"])
        yield from (("column came", now[name]) for name in now if name not in then)
        yield from (("column went", then[name]) for name in then if name not in now)
    yield from (("column retyped since", name) for name in _more(told, before, "changed"))
    for column, words in sorted(told.get("unknown_codes", {}).items()):
        seen = before.get("unknown_codes", {}).get(column, ())
        yield from ((f"word since then in {column}", word) for word in words if word not in seen)


def _folded(headers: Sequence[str]) -> dict[str, str]:
    return {normalise_header(header): header for header in headers}


def _more(told: Mapping[str, Any], before: Mapping[str, Any], name: str) -> list[str]:
    return [entry for entry in told.get(name, ()) if entry not in before.get(name, ())]
