"""Which layout a file has: the set of its headers decides, never their order nor the file's name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.errors import BadFileError
from tasks.sources.headers import normalise_header, unique_names
from tasks.sources.layouts import Cell, Layout
from tasks.sources.opened import Opened

_SAME = {"xls": "xlsx", "json": "jsonl"}
"""What counts as what in a layout's `formats`."""
_SHOWN = 8
"""Headers that a message lists before it says how many more there are."""


@dataclass(frozen=True)
class Match:
    """The layout of a file, and how the file differs from it."""

    layout: Layout
    sources: dict[str, tuple[str, ...]]
    """Mapped column to the columns of the file that hold it, the first filled one counts."""
    missing: tuple[str, ...]
    """Headers of the layout that the file does not have, as the layout spells them."""
    extra: tuple[str, ...]
    """Headers of the file that the layout does not know, as printed."""
    score: int
    """Headers of the file that the layout knows."""
    runner_up: str | None
    """The next best layout that would also fit."""
    runner_up_score: int = 0


def recognise(opened: Opened, layouts: Sequence[Layout], name: str, channel: str | None = None) -> Match:
    """Return the layout with most known headers among those whose required headers are all there.

    Raises:
        BadFileError: none fits (the nearest is named, with what it lacks), or two fit equally well.
    """
    names = unique_names(opened.headers)
    kind = _SAME.get(opened.format, opened.format)
    readable = [x for x in layouts if x.verified and kind in x.formats]
    candidates = [x for x in readable if channel in (None, x.channel)]
    fitting = _fitting(candidates, names)
    if not fitting:
        strange = _of_another_channel(readable, names, name, channel) or _template(layouts, names, name)
        raise strange or _unknown(opened, candidates, names, name, channel)
    if len(fitting) > 1 and _fit(fitting[0], names) == _fit(fitting[1], names):
        raise BadFileError(
            f"{name} fits {fitting[0].name} and {fitting[1].name} equally well", expected="one layout",
            next_step="say which shop it is from: put it below the folder of its channel",
        )  # fmt: skip
    return _match(fitting, opened.headers)


def _fitting(layouts: Sequence[Layout], names: Sequence[str]) -> list[Layout]:
    """The layouts of which no required header is missing, the best first."""
    return sorted((x for x in layouts if not lacking(x, names)), key=lambda x: _fit(x, names), reverse=True)


def _of_another_channel(
    layouts: Sequence[Layout], names: Sequence[str], name: str, channel: str | None
) -> BadFileError | None:
    """A file that lies with one channel and is the export of another."""
    others = _fitting(layouts, names) if channel else []
    if not others:
        return None
    return BadFileError(
        f"{name} lies in the folder of channel {channel}, but is an export of {others[0].channel} ({others[0].name})",
        expected="files of one channel in its folder", next_step=f"move it below {others[0].channel}/",
    )  # fmt: skip


def known_headers(layouts: Sequence[Layout]) -> frozenset[str]:
    """Every header that a layout spells out, folded: by them the header row of a file is found."""
    return frozenset(name for layout in layouts for name in _known(layout, ()))


def lacking(layout: Layout, names: Sequence[str]) -> tuple[str, ...]:
    """The required headers that are not among `names`, as the layout spells them."""
    return tuple(_place(cell) for cell in layout.columns.values() if not cell.optional and not _sources(cell, names))


def _place(cell: Cell) -> str:
    return " and ".join(cell.joined) or " or ".join(cell.header) or cell.gathered


def _sources(cell: Cell, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the file that hold the cell; empty when it is not there, or not whole."""
    if cell.gathered:
        return tuple(name for name in names if re.search(cell.gathered, name))
    found = tuple(name for header in cell.headers if (name := _spelled(header)) in names)
    return () if cell.joined and len(found) < len(cell.joined) else found


def _spelled(header: str) -> str:
    """A layout's header as `unique_names` would write it, `分销员#2` included."""
    text, mark, number = header.rpartition("#")
    return f"{normalise_header(text)}#{number}" if mark and number.isdigit() else normalise_header(header)


def _known(layout: Layout, names: Sequence[str]) -> dict[str, str]:
    """Every header of a layout: folded to as spelled; of gathered ones those that the file has."""
    headers = [*(h for cell in layout.columns.values() for h in cell.headers), *layout.known]
    gathered = {n: n for cell in layout.columns.values() if cell.gathered for n in _sources(cell, names)}
    return {_spelled(header): header for header in headers} | gathered


def _fit(layout: Layout, names: Sequence[str]) -> tuple[int, int]:
    """Known headers found, then fewest of the layout's headers missing."""
    known = _known(layout, names)
    found = len(known.keys() & set(names))
    return found, -len(_missing(layout, names, known))


def _missing(layout: Layout, names: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """The layout's headers that the file lacks; an alias is not missing where another name of it is there."""
    aliased = {_spelled(h) for cell in layout.columns.values() if _sources(cell, names) for h in cell.headers}
    return tuple(spelled for name, spelled in known.items() if name not in names and name not in aliased)


def _match(fitting: Sequence[Layout], headers: Sequence[str]) -> Match:
    names, layout = unique_names(headers), fitting[0]
    known = _known(layout, names)
    printed = dict(zip(names, headers, strict=True))
    second = fitting[1] if len(fitting) > 1 else None
    return Match(
        layout=layout,
        sources={target: found for target, cell in layout.columns.items() if (found := _sources(cell, names))},
        missing=() if layout.picked else _missing(layout, names, known),
        extra=tuple(printed[name] for name in names if name not in known and name.split("#")[0]),
        score=_fit(layout, names)[0],
        runner_up=second.name if second else None,
        runner_up_score=_fit(second, names)[0] if second else 0,
    )


def _template(layouts: Sequence[Layout], names: Sequence[str], name: str) -> BadFileError | None:
    """Say which template with guessed headers would fit; None when there is none."""
    near = next((x for x in layouts if not x.verified and not lacking(x, names)), None)
    if near is None:
        return None
    return BadFileError(
        f"{name} looks like {near.name}, of which nobody has seen a real file", expected="a layout that is verified",
        next_step=f"copy {near.name}.yaml to layouts/ beside the policy, correct it by this file, remove `verified`",
    )  # fmt: skip


def _unknown(
    opened: Opened, layouts: Sequence[Layout], names: Sequence[str], name: str, channel: str | None
) -> BadFileError:
    """Say what came nearest and what it lacks. A first line that no layout knows may be a customer: it is not shown."""
    near = [(_fit(x, names)[0], x) for x in layouts]
    score, best = max(near, key=lambda pair: pair[0], default=(0, None))
    if best is None or score == 0:
        where = f" of channel {channel}" if channel else ""
        return BadFileError(
            f"{name}: no layout{where} knows any of its {len(opened.headers)} headers",
            expected=f"one of the {opened.format} layouts {_listed([x.name for x in layouts])}",
            next_step="check that the first line holds the headers, or draft a layout: `strata sources new`",
        )
    return BadFileError(
        f"{name} looks like {best.name} but lacks {_listed(lacking(best, names))}",
        expected="every required column",
        next_step="export it again with these columns, or draft a layout: `strata sources new`",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:40] for name in names[:_SHOWN]) + more
