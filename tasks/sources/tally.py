"""What the cells of a file show that the layout did not expect, counted chunk by chunk.

Only code words are quoted, never other values.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from tasks.sources.building import all_of
from tasks.sources.cells import bare, read_code
from tasks.sources.layouts import Cell, Flag, Layout

_MOST_CODES = 20
"""Unknown words listed for one column; a column of free text must not fill the receipt."""
_RETYPED_SHARE = 0.5
"""A column that cannot be read in more than half of its filled rows has changed its type."""
Value = TypeVar("Value")


@dataclass(frozen=True)
class Tally:
    """Counts over some rows, by column of the layout."""

    values: Mapping[str, int] = field(default_factory=dict)
    """Cells that could be read."""
    faults: Mapping[str, int] = field(default_factory=dict)
    """Cells that could not."""
    unusable: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Keys that are filled and are no key, by class: masked, encrypted, virtual, forged, …"""
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Unknown words of code columns."""
    flagged: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """What a person should look for, and the first rows in which to look."""


def count_cells(
    frame: pl.DataFrame,
    faulty: pl.DataFrame,
    layout: Layout,
    sources: Mapping[str, pl.Series],
    cells: Mapping[str, pl.DataFrame],
) -> Tally:
    """Count over the parsed rows `frame`; `sources` holds the text of each column, `cells` what was made of it."""
    codes = sorted(target for target in sources if layout.columns[target].parse == "code")
    keys = sorted({key.column for key in layout.keys} & sources.keys())
    values = {target: frame[target].count() for target in sources}
    return Tally(
        values=values,
        faults=dict(faulty.group_by("column").len().iter_rows()),
        unusable={target: _classes(cells[target]) for target in keys},
        words={target: _unknown_words(sources[target], layout.columns[target]) for target in codes},
        flagged=_flagged(frame, layout),
    )


def add_up(tallies: Iterable[Tally]) -> Tally:
    """Add the counts of the parts of a file."""
    one = Tally()
    for other in tallies:
        one = Tally(
            values=_join(one.values, other.values, lambda a, b: a + b),
            faults=_join(one.faults, other.faults, lambda a, b: a + b),
            unusable=_join(one.unusable, other.unusable, lambda a, b: _join(a, b, lambda x, y: x + y)),
            words=_join(one.words, other.words, lambda a, b: frozenset(sorted(a | b)[:_MOST_CODES])),
            flagged=_join(one.flagged, other.flagged, lambda a, b: tuple(sorted({*a, *b})[:_MOST_CODES])),
        )
    return one


def drift_of(tally: Tally, layout: Layout) -> dict[str, object]:
    """Columns `changed` in type, `unknown_codes` by column, `unusable` keys by class, rows `flagged`."""
    filled = {target: count + tally.faults.get(target, 0) for target, count in tally.values.items()}
    return {
        "changed": sorted(
            target for target, count in tally.faults.items()
            if layout.columns[target].parse != "code" and count > _RETYPED_SHARE * filled[target]
        ),
        "unknown_codes": {target: sorted(words) for target, words in tally.words.items() if words},
        "unusable": {target: dict(classes) for target, classes in tally.unusable.items() if classes},
        "flagged": {why: list(rows) for why, rows in tally.flagged.items() if rows},
    }  # fmt: skip


def _join(
    one: Mapping[str, Value], other: Mapping[str, Value], both: Callable[[Value, Value], Value]
) -> dict[str, Value]:
    shared = {name: both(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _flagged(frame: pl.DataFrame, layout: Layout) -> dict[str, tuple[int, ...]]:
    looked = [flag for flag in layout.flags if {flag.column, *flag.unless} <= {*frame.columns}]
    rows = {flag.why: frame.filter(_is_flagged(flag))["row_number"] for flag in looked}
    return {why: tuple(found.sort().head(_MOST_CODES)) for why, found in rows.items() if found.len()}


def _is_flagged(flag: Flag) -> pl.Expr:
    told = pl.col(flag.column).str.contains(flag.pattern).fill_null(value=False)
    return told & ~all_of(flag.unless) if flag.unless else told


def _classes(cells: pl.DataFrame) -> dict[str, int]:
    """Filled cells without a value, by what is the matter with them."""
    why = cells.select(why=pl.coalesce("note", "fault")).drop_nulls()
    return dict(why.group_by("why").len().sort("why").iter_rows())


def _unknown_words(source: pl.Series, cell: Cell) -> frozenset[str]:
    strict = cell.model_copy(update={"otherwise": None, "lenient": False})
    read = read_code(source.unique().to_frame("text"), strict, "").filter(pl.col("fault").is_not_null())
    words = bare(pl.col("text")).str.slice(0, 40).str.replace_all(r"\d", "x")
    return frozenset(sorted(read.select(words).to_series().unique().to_list())[:_MOST_CODES])
