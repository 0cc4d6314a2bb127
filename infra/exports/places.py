"""Under which headers of a file each column of its layout stands."""

import re

from infra.exports.draw import drawn
from tasks.sources.layouts import Layout

_LABEL = "客户等级"
"""The label of the one column that stands for all that a layout gathers by a pattern."""

Places = dict[str, tuple[str, ...]]


def places_of(layout: Layout, seed: str) -> Places:
    """Column to the headers of its cell: one, or all that make one text.

    A column that was renamed over the years has the name that the seed draws, unless another
    column is read from its first one too: then both are read from there.
    """
    vintage = drawn(f"{seed}/vintage", 12)
    claimed = {header for cell in layout.columns.values() if len(cell.header) == 1 for header in cell.header}
    places: Places = {}
    for name, cell in layout.columns.items():
        free = [header for header in cell.header if header not in claimed]
        if cell.gathered:
            places[name] = (gathered_header(cell.gathered),)
        elif cell.joined or len(cell.header) == 1 or cell.header[0] in claimed or not free:
            places[name] = cell.joined or cell.header[:1]
        else:
            places[name] = (free[vintage % len(free)],)
    return places


def columns_at(places: Places) -> dict[tuple[str, ...], list[str]]:
    """Headers to the columns that are read from there, in the layout's order."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, headers in places.items():
        found.setdefault(headers, []).append(name)
    return found


def gathered_header(pattern: str) -> str:
    r"""A header that the pattern finds: `标签组1(客户等级)` for `^标签组\d*\((?P<label>.+)\)$`."""
    labelled = re.sub(r"\(\?P<label>[^)]*\)", _LABEL, pattern)
    return re.sub(r"\\d[*+]?", "1", labelled.strip("^$")).replace("\\", "")


def labelled(text: str) -> str:
    """A gathered cell as it is read: with its header's label before it."""
    return f"{_LABEL}:{text}"
