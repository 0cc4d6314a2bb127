"""Known errors of a source, declared: which rows are wrong, what they should say, why, and until when.

A correction changes parsed columns before anything is built from them, so sums and rules see the
corrected value. Its guard fails the file when the source is mended or the declaration has grown old:
a correction that nobody needs any more would one day change good rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import polars as pl
from polars.exceptions import PolarsError
from pydantic import Field, model_validator

from expectations.vocabulary import INSTANT
from tasks.errors import BadFileError, BadPolicyError
from tasks.policy import conditions
from tasks.sources.cells import read_cells
from tasks.sources.layouts import Layout, Part

_ACROSS_ROWS = re.compile(r'"(Agg|Over|Quantile)":|(?<!"String":)"(Len|NullCount)"')
"""Marks in Polars' own account of an expression: what sums or counts over rows depends on how a file is cut."""


class Correction(Part):
    """One known error of a source: a file of `corrections/` beside the brand's policy.

    Conditions and values are SQL expressions over the layout's `columns`; instants stand in them as wall clock of
    the brand's zone, money in fen. Dates are those of the export, not of the row.
    """

    name: str = Field(description="the file's own name; the receipt counts the corrected rows under it")
    why: str = Field(min_length=10, description="what is wrong with the source, for people; name the ticket")
    owner: str = Field(description="team that answers for the correction")
    layout: str = Field(description="layout whose files have the error")
    shop: str | None = Field(default=None, description="only files of this shop; every shop when left out")
    among: str = Field(description="condition: rows in which the error can occur")
    where: str = Field(description="condition: rows of those that show it")
    set: dict[str, str] = Field(min_length=1, description="column to the expression that gives its right value")
    since: date = Field(description="first export date with the error; older files are left alone")
    until: date = Field(description="last export date for which this was looked at; a later file with such rows fails")
    mended: date | None = Field(default=None, description="first export date without the error; from then on unused")
    at_least: int = Field(
        default=1, ge=1, description="a file with so many rows of `among` and not one of `where` fails: it is mended"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse dates that leave no day on which the correction holds."""
        if self.since > self.until:
            raise ValueError(f"since {self.since} is after until {self.until}")
        if self.mended is not None and self.mended <= self.since:
            raise ValueError(f"mended {self.mended} is not after since {self.since}")
        return self

    def concerns(self, layout: str, shop_id: str, exported_on: date) -> bool:
        """True for a file that may have the error."""
        is_its_time = self.since <= exported_on and (self.mended is None or exported_on < self.mended)
        return self.layout == layout and self.shop in {None, shop_id} and is_its_time


class Tally(NamedTuple):
    """Rows of a file, or of a part of one: in which the error could occur, and in which it was corrected."""

    among: int = 0
    corrected: int = 0


Tallies = dict[str, Tally]


@dataclass(frozen=True)
class Corrector:
    """The corrections that one file needs, ready to be applied to its rows part by part."""

    corrections: tuple[Correction, ...]
    exported_on: date
    zone: str
    file_name: str

    def apply(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Tallies]:
        """Correct parsed rows, and count them by correction.

        `frame` has the layout's columns, `row_number` and `broken_rules`. A cell that could not be read
        is null to a condition; once corrected, it is no fault any more.

        Raises:
            BadFileError: an expression fails on a value of this file.
        """
        tallies: Tallies = {}
        for correction in self.corrections:
            try:
                frame, tallies[correction.name] = _correct(frame, correction, self.zone)
            except BadPolicyError as error:
                raise BadFileError(
                    f"{self.file_name}: {error.found}", expected=error.expected, next_step=error.next_step
                ) from error
        return frame, tallies

    def guard(self, tallies: Mapping[str, Tally]) -> None:
        """Say whether the corrections still fit the file, once all its rows have been seen.

        Raises:
            BadFileError: a correction is older than its `until`, or the source seems mended.
        """
        for correction in self.corrections:
            _guard(correction, tallies.get(correction.name, Tally()), self.exported_on, self.file_name)


def corrector(
    corrections: Sequence[Correction], layout: Layout, shop_id: str, exported_at: datetime, zone: str, file_name: str
) -> Corrector:
    """Choose the corrections that concern one file, by its layout, shop and business date of export in `zone`."""
    day = exported_at.astimezone(ZoneInfo(zone)).date()
    chosen = tuple(one for one in corrections if one.concerns(layout.name, shop_id, day))
    return Corrector(chosen, day, zone, file_name)


def add_tallies(one: Mapping[str, Tally], other: Mapping[str, Tally]) -> Tallies:
    """Add the counts of two parts of a file."""
    nothing = Tally()
    return {
        name: Tally(*map(sum, zip(one.get(name, nothing), other.get(name, nothing), strict=True)))
        for name in sorted({*one, *other})
    }


def corrected_rows(tallies: Mapping[str, Tally]) -> dict[str, int]:
    """Correction to number of corrected rows, for the file's receipt; those that changed nothing are left out."""
    return {name: tally.corrected for name, tally in tallies.items() if tally.corrected}


def check_correction(correction: Correction, layouts: Sequence[Layout]) -> None:
    """Try a correction on rows without values, so that a mistake shows before any file is read.

    Raises:
        BadPolicyError: no such layout or column, no condition, a value of another type, or one across rows.
    """
    layout = next((one for one in layouts if one.name == correction.layout), None)
    if layout is None:
        raise BadPolicyError(
            f"{_file(correction)}: there is no layout {correction.layout}",
            expected="the name of a layout", next_step="`strata sources list` shows them",
        )  # fmt: skip
    nothing = pl.Series("text", [None, None], pl.String())
    cells = {name: read_cells(nothing, cell, "UTC")["value"] for name, cell in layout.columns.items()}
    _correct(pl.DataFrame({"row_number": [1, 2], **cells}), correction, "UTC")


def _correct(frame: pl.DataFrame, correction: Correction, zone: str) -> tuple[pl.DataFrame, Tally]:
    seen = _as_wall_clock(frame, zone)
    among = _evaluate(seen, correction, "among", correction.among, pl.Boolean()).fill_null(value=False)
    where = _evaluate(seen, correction, "where", correction.where, pl.Boolean()).fill_null(value=False)
    hit = among & where
    values = [_value(seen, correction, name, frame.schema[name], zone) for name in _settable(frame, correction)]
    corrected = frame.with_columns(
        pl.when(hit).then(value).otherwise(pl.col(value.name)).alias(value.name) for value in values
    )
    rows = frame["row_number"]
    tally = Tally(rows.filter(among).n_unique(), rows.filter(hit).n_unique())
    return corrected.pipe(_without_marks, hit, correction), tally


def _as_wall_clock(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Instants as people of the brand read them."""
    instants = [name for name, kind in frame.schema.items() if kind == INSTANT]
    return frame.with_columns(pl.col(instants).dt.convert_time_zone(zone).dt.replace_time_zone(None))


def _settable(frame: pl.DataFrame, correction: Correction) -> list[str]:
    for name in correction.set:
        if name not in frame.columns or name in {"row_number", "broken_rules"} or frame.schema[name].is_nested():
            raise BadPolicyError(
                f"{_file(correction)}: `{name}` cannot be set", expected=f"a column of layout {correction.layout}",
                next_step="name one of its `columns`; what is built from them follows",
            )  # fmt: skip
    return list(correction.set)


def _value(seen: pl.DataFrame, correction: Correction, name: str, kind: pl.DataType, zone: str) -> pl.Series:
    """The right value of a column for every row; an instant is read back from the brand's wall clock."""
    is_instant = kind == INSTANT
    local = _evaluate(seen, correction, f"set {name}", correction.set[name], pl.Datetime("us") if is_instant else kind)
    if is_instant:
        local = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return local.alias(name)


def _evaluate(seen: pl.DataFrame, correction: Correction, part: str, text: str, kind: pl.DataType) -> pl.Series:
    """One value of `kind` for every row.

    Raises:
        BadPolicyError: the text cannot be read, gives another type, or looks beyond its row.
    """
    where = f"{_file(correction)}: {part}"
    columns = [name for name in seen.columns if name not in {"row_number", "broken_rules"}]
    expression = conditions.parse(text, columns, where=where, of=f"a column of layout {correction.layout}")
    if _ACROSS_ROWS.search(expression.meta.serialize(format="json")):
        raise _unusable(where, text, "looks beyond its row", "an expression over one row")
    try:
        found = seen.select(expression.alias("value")).to_series()
    except PolarsError as error:
        raise _unusable(where, text, "does not fit its columns", "types that go together") from error
    if not _fits(found.dtype, kind):
        hint = "; DIV(a, b) divides whole numbers" if found.dtype.is_float() else ""
        raise _unusable(where, text, f"gives {found.dtype}", f"{kind}{hint}")
    return found.cast(kind).new_from_index(0, seen.height) if len(found) != seen.height else found.cast(kind)


def _fits(found: pl.DataType, kind: pl.DataType) -> bool:
    return found in {kind, pl.Null()} or (found.is_integer() and kind == pl.Int64())


def _unusable(where: str, text: str, found: str, expected: str) -> BadPolicyError:
    return BadPolicyError(f"{where}: `{text}` {found}", expected=expected, next_step="correct the expression")


def _without_marks(frame: pl.DataFrame, hit: pl.Series, correction: Correction) -> pl.DataFrame:
    """Corrected cells are no faults any more, whatever could not be read in them."""
    if "broken_rules" not in frame.columns:
        return frame
    is_of_corrected = pl.element().str.split(":").list.first().is_in(list(correction.set))
    left = pl.col("broken_rules").list.eval(pl.element().filter(~is_of_corrected))
    return frame.with_columns(broken_rules=pl.when(hit).then(left).otherwise("broken_rules"))


def _guard(correction: Correction, tally: Tally, exported_on: date, name: str) -> None:
    if tally.among and exported_on > correction.until:
        raise BadFileError(
            f"{name} has {tally.among} rows under the correction {correction.name}, which was looked at until "
            f"{correction.until} only",
            expected="a correction that somebody has looked at since",
            next_step=f"is the source still wrong? give {_file(correction)} a later `until`, "
            "else the date from which it is `mended`",
        )
    if tally.among >= correction.at_least and not tally.corrected:
        raise BadFileError(
            f"{name} has {tally.among} rows in which {correction.name} can occur, and it occurs in none",
            expected=f"the known error: {correction.why}",
            next_step=f"the source seems mended: write `mended: {exported_on}` into {_file(correction)}, "
            "or raise its `at_least`",
        )


def _file(correction: Correction) -> str:
    return f"corrections/{correction.name}.yaml"
