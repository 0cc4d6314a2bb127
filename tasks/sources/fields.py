"""The cells of a file as one wide frame: every mapped column parsed, every built column made.

One row per source row (per member of `each` in JSON), with `row_number`, `row_money_fen` and
`broken_rules`; column names are the layout's own. Nothing is dropped here.
"""

from dataclasses import dataclass
from functools import reduce
from operator import add

import polars as pl

from expectations.check import redact
from tasks.sources.cells import bare, read_cells, read_code
from tasks.sources.hashing import content, sha256
from tasks.sources.layouts import Cell, Layout, Sum
from tasks.sources.recognise import Match

_MOST_CODES = 20
"""Unknown words listed for one column; a column of free text must not fill the receipt."""
_RETYPED_SHARE = 0.5
"""A column that cannot be read in more than half of its filled rows has changed its type."""


@dataclass(frozen=True)
class Fields:
    """A file's rows, parsed."""

    frame: pl.DataFrame
    faulty: pl.DataFrame
    """One row per cell that could not be read: row_number, rule, column, value_redacted."""
    money_unreadable: int
    drift: dict[str, object]
    """Columns `changed` in type, `unknown_codes` by column, `unusable` keys by column with their count."""


def read_fields(text: pl.DataFrame, match: Match, zone: str) -> Fields:
    """Parse every mapped column of `text` and build the columns that the layout derives.

    `zone` is the brand's, for times that name none.
    """
    layout = match.layout
    sources = {target: text.select(pl.coalesce(names)).to_series() for target, names in match.sources.items()}
    cells = {target: _read(layout, target, source, zone) for target, source in sources.items()}
    faults = pl.DataFrame({target: one["fault"] for target, one in cells.items()})
    marks = [pl.format("{}:{}_{}", pl.lit(target), pl.lit(target), pl.col(target)) for target in faults.columns]
    frame = pl.DataFrame({"row_number": text["row_number"], **{t: one["value"] for t, one in cells.items()}})
    broken = faults.select(pl.concat_list(marks).list.drop_nulls()).to_series()
    frame = frame.with_columns(broken_rules=broken)
    faulty = _faulty(frame, sources)
    return Fields(
        frame.pipe(_fill_absent, layout).pipe(_build, layout), faulty,
        money_unreadable=faulty.filter(column=layout.money)["row_number"].n_unique() if layout.money else 0,
        drift=_drift(frame, faulty, layout, sources),
    )  # fmt: skip


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
    types = {"money": pl.Int64(), "integer": pl.Int64(), "phones": pl.List(pl.String())}
    instants = {"instant": pl.Datetime("us", "UTC"), "date": pl.Date()}
    absent = {name: cell for name, cell in layout.columns.items() if name not in frame.columns}
    return frame.with_columns(
        pl.lit(None, (types | instants).get(cell.parse, pl.String())).alias(name) for name, cell in absent.items()
    )


def _build(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Add constants, sums, price times pieces, templates and ids, in that order."""
    frame = frame.with_columns(pl.lit(text).alias(name) for name, text in layout.constants.items())
    frame = frame.with_columns(
        (pl.col(price) * pl.col(pieces)).alias(name) for name, (price, pieces) in layout.products.items()
    )
    for name, one in layout.sums.items():
        frame = frame.with_columns(add_up(one).alias(name))
    for name, template in layout.templates.items():
        frame = frame.with_columns(_fill_in(template).alias(name))
    money = pl.col(layout.money) if layout.money else pl.lit(None, pl.Int64())
    for name, columns in layout.numbered.items():
        frame = frame.pipe(_number, name, list(columns))
    return frame.with_columns(row_money_fen=money)


def add_up(one: Sum) -> pl.Expr:
    """The sum in fen; see `Sum` for blanks and for what is subtracted.

    Paid 106 less freight 8 is 98; paid 0 less freight 8 is 0; paid -5 less freight 8 is -5.
    """
    parts = [pl.col(name) for name in one.plus]
    plus = reduce(add, (part.fill_null(0) for part in parts))
    minus = reduce(add, (pl.col(name).fill_null(0) for name in one.minus), pl.lit(0, pl.Int64()))
    total = pl.max_horizontal(plus - minus, pl.min_horizontal(plus, pl.lit(0, pl.Int64())))
    known = pl.when(pl.any_horizontal(part.is_not_null() for part in parts)).then(total)
    return pl.when(pl.col(one.only_if).is_null()).then(pl.lit(0, pl.Int64())).otherwise(known) if one.only_if else known


def _fill_in(template: str) -> pl.Expr:
    """`cj_{campaign_id}` with each name replaced by its column; null if any of them is."""
    pieces = template.replace("}", "{").split("{")
    return pl.concat_str(
        pl.col(piece).cast(pl.String) if index % 2 else pl.lit(piece) for index, piece in enumerate(pieces)
    )


def _number(frame: pl.DataFrame, name: str, columns: list[str]) -> pl.DataFrame:
    """Give rows without an id one: a hash of `columns`, and a number among rows that are equal in them.

    Rows equal in `columns` are numbered in the order of all their text, so the order of the file does not matter.
    """
    whole = [other for other, kind in frame.schema.items() if other != "row_number" and not kind.is_nested()]
    named = frame.with_columns(_hash=sha256(content(columns)).str.slice(0, 24), _whole=content(whole))
    number = pl.col("_whole").rank("ordinal").over("_hash")
    return named.with_columns(pl.format("{}-{}", "_hash", number).alias(name)).drop("_hash", "_whole")


def _drift(
    frame: pl.DataFrame, faulty: pl.DataFrame, layout: Layout, sources: dict[str, pl.Series]
) -> dict[str, object]:
    """What the cells show that the layout did not expect; only code words are quoted, never other values."""
    faults = dict(faulty.group_by("column").len().iter_rows())
    codes = {target for target in sources if layout.columns[target].parse == "code"}
    keys = sorted({key.column for key in layout.keys} & sources.keys())
    unusable = {target: _filled(sources[target]) - frame[target].count() for target in keys}
    unknown = {target: _unknown_words(sources[target], layout.columns[target]) for target in sorted(codes)}
    return {
        "changed": sorted(
            target for target, count in faults.items()
            if target not in codes and count > _RETYPED_SHARE * _filled(sources[target])
        ),
        "unknown_codes": {target: words for target, words in unknown.items() if words},
        "unusable": {target: count for target, count in unusable.items() if count > 0},
    }  # fmt: skip


def _filled(source: pl.Series) -> int:
    return int(source.to_frame("text").select(bare(pl.col("text")).count()).item())


def _unknown_words(source: pl.Series, cell: Cell) -> list[str]:
    strict = cell.model_copy(update={"otherwise": None})
    read = read_code(source.unique().to_frame("text"), strict, "").filter(pl.col("fault").is_not_null())
    words = bare(pl.col("text")).str.slice(0, 40).str.replace_all(r"\d", "x")
    return sorted(read.select(words).to_series().unique().to_list())[:_MOST_CODES]
