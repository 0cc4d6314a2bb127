"""Exports that tests write themselves: real header rows, and rows of which only the cells that matter are given."""

import csv
import io
import json
from collections.abc import Sequence

from tasks.sources.layouts import Layout, built_in
from tests.unit.sources.reading import SAMPLES

HEADERS: dict[str, list[str]] = json.loads((SAMPLES / "headers.json").read_text(encoding="utf-8"))
"""Header rows of every format that was found, in file order."""


def sheet(headers: str | Sequence[str], *rows: dict[str, str], **common: str) -> str:
    """A CSV of these headers (or of the format of that name); a cell that is not given is empty."""
    names = HEADERS[headers] if isinstance(headers, str) else list(headers)
    unknown = {header for row in (common, *rows) for header in row} - {name.strip() for name in names}
    if unknown:
        raise KeyError(f"no such header: {sorted(unknown)}")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([(common | row).get(name.strip(), "") for name in names] for row in rows)
    return text.getvalue()


def as_if_verified(name: str) -> list[Layout]:
    """The built-in layouts, a template with guessed headers among them as if its user had checked it."""
    return [one.model_copy(update={"verified": True}) if one.name == name else one for one in built_in()]
