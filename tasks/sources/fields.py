"""The cells of a file as one wide frame: every mapped column parsed. What is built of them is building.py's.

One row per source row (per member of `each` in JSON), with `row_number` and `broken_rules`; column
names are the layout's own. Nothing is dropped here.
"""

import re
from dataclasses import dataclass

import polars as pl

from expectations.check import redact
from tasks.sources.cells import bare, read_cells
from tasks.sources.layouts import Cell, Layout
from tasks.sources.recognise import Match
from tasks.sources.tally import Tally, count_cells


@dataclass(frozen=True)
class Fields:
    """A file's rows, parsed."""

    frame: pl.DataFrame
    faulty: pl.DataFrame
    """One row per cell that could not be read: row_number, rule, column, value_redacted."""
    tally: Tally
    """What the cells show that the layout did not expect."""


def read_fields(text: pl.DataFrame, match: Match, zone: str) -> Fields:
    """Parse every mapped column of `text`; `zone` is the brand's, for times that name none."""
    layout = match.layout
    sources = {
        target: text.select(_text(layout.columns[target], names)).to_series() for target, names in match.sources.items()
    }
    cells = {target: _read(layout, target, source, zone) for target, source in sources.items()}
    faults = pl.DataFrame({target: one["fault"] for target, one in cells.items()})
    faulted = [target for target in faults.columns if faults[target].null_count() < faults.height]
    marks = [pl.format("{}:{}_{}", pl.lit(target), pl.lit(target), pl.col(target)) for target in faulted]
    frame = pl.DataFrame({"row_number": text["row_number"], **{t: one["value"] for t, one in cells.items()}})
    none = pl.lit([], pl.List(pl.String))
    broken = faults.select(pl.concat_list(marks).list.drop_nulls()).to_series() if marks else none
    frame = frame.with_columns(broken_rules=broken)
    faulty = _faulty(frame, sources)
    return Fields(frame.pipe(_fill_absent, layout), faulty, tally=count_cells(frame, faulty, layout, sources, cells))


def _text(cell: Cell, names: tuple[str, ...]) -> pl.Expr:
    """The text of a cell, wherever it stands: the first filled of its names, or several made one."""
    if cell.joined:
        text = pl.concat_str(names, separator=" ", ignore_nulls=True)
    elif cell.gathered:
        labelled = [pl.format("{}:{}", pl.lit(_label(cell, name)), bare(pl.col(name))) for name in names]
        text = pl.concat_str(labelled, separator="|", ignore_nulls=True)
    elif len(names) > 1:
        text = pl.coalesce(pl.when(bare(pl.col(name)).is_not_null()).then(name) for name in names)
    else:
        text = pl.col(names[0])
    return bare(text).str.extract(cell.extract) if cell.extract else text


def _label(cell: Cell, name: str) -> str:
    found = re.search(cell.gathered, name)
    return found["label"] if found else name


def _read(layout: Layout, target: str, source: pl.Series, zone: str) -> pl.DataFrame:
    cell = layout.columns[target]
    own = cell.zone or layout.zone
    return read_cells(source, cell, zone if own == "brand" else own)


def _faulty(frame: pl.DataFrame, sources: dict[str, pl.Series]) -> pl.DataFrame:
    """One row per unreadable cell with what stood there, masked."""
    texts = pl.DataFrame({"row_number": frame["row_number"], "mark": frame["broken_rules"], **sources})
    mark = pl.col("mark").str.split(":")
    marked = texts.filter(pl.col("mark").list.len() > 0).explode("mark")
    shown = pl.coalesce(pl.when(pl.col("column") == target).then(pl.col(target)) for target in sources)
    return marked.with_columns(rule=mark.list.last(), column=mark.list.first()).select(
        "row_number", "rule", "column", value_redacted=redact(shown)
    )


def _fill_absent(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Give optional columns that the file lacks their null."""
    types = {"money": pl.Int64(), "labelled_money": pl.Int64(), "integer": pl.Int64(), "phones": pl.List(pl.String())}
    instants = {"instant": pl.Datetime("us", "UTC"), "date": pl.Date()}
    absent = {name: cell for name, cell in layout.columns.items() if name not in frame.columns}
    return frame.with_columns(
        pl.lit(None, (types | instants).get(cell.parse, pl.String())).alias(name) for name, cell in absent.items()
    )
