"""One person's rows in an export file: found by what the file itself says, and the file written without them.

Finding parses every row, refused ones too, as an ingest does. Writing keeps the format, so that what is
left can be read again: text and JSON as they stood, workbooks as cells of text, Parquet with its schema.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from tasks.errors import BadFileError
from tasks.sources.building import build
from tasks.sources.context import ReadContext
from tasks.sources.correcting import documents_in, line_of, separator_of
from tasks.sources.corrections import Corrector, corrector
from tasks.sources.decode import open_export
from tasks.sources.fields import read_fields
from tasks.sources.headers import unique_names
from tasks.sources.layouts import Layout
from tasks.sources.lines import fill_down
from tasks.sources.links import declared
from tasks.sources.opened import Chunk, Opened, Wanted
from tasks.sources.people import Naming, keys_seen, name_people
from tasks.sources.read import stamp_of
from tasks.sources.recognise import Match, known_headers, recognise

SHORTEST = 6
"""Shorter values say nothing of anybody where no column says what they are."""
SHORTEST_DIGITS = 11
"""Shorter runs of digits may be amounts, dates or anybody's numbers."""


@dataclass(frozen=True)
class Sought:
    """By what a person's rows are known."""

    keys: frozenset[str]
    records: frozenset[str]
    """`order:<channel>:<shop>:<number>` and `event:<channel>:<number>`."""


@dataclass
class Found:
    """A person's rows in one file, and what stood there in clear."""

    rows: set[int] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    """Normalised values of the person's keys, and names."""


def find_person(path: Path, context: ReadContext, layouts: Sequence[Layout], sought: Sought) -> Found:
    """Find the rows that are the person's: by their key, or by the number of their order or event.

    Raises:
        BadFileError: no layout knows the file, or it cannot be taken apart.
    """
    opened = open_export(path, context.name, known_headers(layouts), context.chunk_bytes)
    match = recognise(opened, layouts, context.name, context.channel)
    reading = _Reading(match, context)
    found = Found()
    for chunk in opened.chunks(Wanted(match.layout.each, _wanted(match))):
        reading.look(chunk, sought, found)
    if match.layout.grain == "line":
        for chunk in opened.chunks(Wanted(match.layout.each, _wanted(match))):
            reading.add_siblings(chunk, found)
    return found


def _wanted(match: Match) -> frozenset[str]:
    return frozenset(name for names in match.sources.values() for name in names)


class _Reading:
    """Rows of one file as its layout reads them."""

    def __init__(self, match: Match, context: ReadContext) -> None:
        self.match, self.context = match, context
        self.stamp = stamp_of(match, context)
        named = context.pseudonymise, context.phone_hashes
        self.naming = Naming(match.layout, self.stamp.channel, self.stamp.shop_id, *named)
        self.corrector = self._corrector()
        self.above: str | None = None
        self.orders: set[str] = set()

    def _corrector(self) -> Corrector:
        stamp = self.stamp
        told = (self.context.corrections, self.match.layout, stamp.shop_id, stamp.exported_at)
        return corrector(*told, self.context.zone, self.context.name)

    def look(self, chunk: Chunk, sought: Sought, found: Found) -> None:
        """Add the person's rows of a chunk."""
        rows = self._rows(chunk)
        if "order_id" in rows.columns:
            order = pl.lit(self.naming.fill("order:{channel}:{shop}:"))
            rows = rows.with_columns(_order=pl.concat_str(order, "order_id"))
        mine = self._mine(rows, sought)
        found.rows.update(mine["row_number"].to_list())
        if "order_id" in mine.columns:
            self.orders.update(mine["order_id"].drop_nulls().to_list())
        found.values.update(self._values(rows, mine, sought))

    def add_siblings(self, chunk: Chunk, found: Found) -> None:
        """Add the other lines of the person's orders."""
        rows = self._rows(chunk)
        found.rows.update(rows.filter(pl.col("order_id").is_in(sorted(self.orders)))["row_number"].to_list())

    def _rows(self, chunk: Chunk) -> pl.DataFrame:
        """Every row that can be taken apart, with the person's key and record where the layout names one."""
        layout = self.match.layout
        parsed = read_fields(chunk.rows, self.match, self.context.zone).frame
        if layout.fill_down:
            parsed, self.above = fill_down(parsed, self.above)
        parsed, _ = self.corrector.apply(parsed)
        return parsed.pipe(build, layout).pipe(name_people, self.naming)

    def _mine(self, rows: pl.DataFrame, sought: Sought) -> pl.DataFrame:
        person = self.match.layout.person
        named = [(person, sought.keys), ("record", sought.records), ("_order", sought.records)]
        if self.match.layout.grain == "link":
            rows, named = declared(rows, self.naming), [("key_a", sought.keys), ("key_b", sought.keys)]
        tests = [pl.col(name).is_in(sorted(wanted)) for name, wanted in named if name in rows.columns]
        return rows.filter(pl.any_horizontal(pl.lit(value=False), *tests))

    def _values(self, rows: pl.DataFrame, mine: pl.DataFrame, sought: Sought) -> set[str]:
        """What the person's keys read in clear anywhere in the chunk, and their name on their own rows."""
        layout = self.match.layout
        names = [rule.column for rule in layout.contacts if rule.type == "name" and rule.column in mine.columns]
        values = {value for name in names for value in mine[name].drop_nulls()}
        if layout.keys and "record" in rows.columns:
            seen = keys_seen(rows, self.naming, pl.lit(self.stamp.exported_at))
            values |= set(seen.filter(pl.col("key").is_in(sorted(sought.keys)))["value"])
        return values


def telling(values: Collection[str]) -> tuple[str, ...]:
    """Values that give the person away wherever they stand, longest first."""
    long = {value for value in values if len(value) >= (SHORTEST_DIGITS if value.isdigit() else SHORTEST)}
    return tuple(sorted(long, key=lambda value: (-len(value), value)))


def write_without(
    path: Path, name: str, known: frozenset[str], rows: Collection[int], values: Sequence[str], target: Path
) -> frozenset[int]:
    """Write the file without these rows; return their numbers and those of broken rows that hold a value.

    In other people's rows the values are blanked: a parcel that went to the person stays its buyer's.

    Raises:
        BadFileError: the file cannot be taken apart.
    """
    opened = open_export(path, name, known)
    leaving = _Leaving(frozenset(rows), tuple(values))
    _WRITERS.get(opened.format, _write_text)(path, name, known, opened, leaving, target)
    return frozenset(leaving.gone)


class _Leaving:
    """What leaves a file."""

    def __init__(self, rows: frozenset[int], values: tuple[str, ...]) -> None:
        self.rows, self.values = rows, values
        self.gone: set[int] = set(rows)

    def sound(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that stay, the person's values blanked."""
        kept = rows.filter(~pl.col("row_number").is_in(sorted(self.rows)))
        if not self.values:
            return kept
        texts = [column for column, dtype in kept.schema.items() if dtype == pl.String]
        return (
            kept.with_columns(pl.col(texts).str.replace_many(list(self.values), [""] * len(self.values)))
            if texts
            else kept
        )

    def broken(self, chunk: Chunk) -> Iterator[tuple[int, str]]:
        """Number and text of the rows that could not be taken apart and stay."""
        for number, raw in chunk.undecodable.select("row_number", "value").iter_rows():
            if number in self.rows or self.tells(raw):
                self.gone.add(number)
            else:
                yield number, raw

    def tells(self, text: str) -> bool:
        """Whether a text gives the person away."""
        return any(value in text for value in self.values)

    def blanked(self, document: str) -> str:
        """JSON text without the person's values; a run of digits may be a number, which cannot be empty."""
        for value in self.values:
            filler = "0" if value.isdigit() else ""
            document = document.replace(value, filler).replace(json.dumps(value)[1:-1], filler)
        return document


def holds(path: Path, name: str, known: frozenset[str], values: Sequence[str]) -> bool:
    """Whether any cell or broken row of a file holds one of the values."""
    if not values:
        return False
    for chunk in open_export(path, name, known).chunks(Wanted()):
        texts = [column for column, dtype in chunk.rows.schema.items() if dtype == pl.String]
        cells = chunk.rows.select(pl.col(texts).str.contains_any(list(values)).any()) if texts else pl.DataFrame()
        broken = chunk.undecodable["value"].str.contains_any(list(values)).any()
        if broken or any(cells.row(0) if cells.height else ()):
            return True
    return False


def _write_text(path: Path, name: str, known: frozenset[str], opened: Opened, leaving: _Leaving, target: Path) -> None:
    encoding = opened.encoding or "utf-8"
    separator = separator_of(path, name, known)
    names = unique_names(opened.headers)
    with target.open("w", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as out:
        out.write(line_of(opened.headers, separator))
        for chunk in opened.chunks(Wanted()):
            sound = leaving.sound(chunk.rows.select("row_number", *names))
            lines = [(number, line_of(cells, separator)) for number, *cells in sound.iter_rows()]
            lines += [(number, f"{raw}\r\n") for number, raw in leaving.broken(chunk)]
            out.writelines(text for _, text in sorted(lines))


def _write_json(path: Path, name: str, known: frozenset[str], opened: Opened, leaving: _Leaving, target: Path) -> None:
    del known
    with target.open("w", encoding="utf-8", newline="") as out:
        for number, text in documents_in(path, name, opened.format):
            if number not in leaving.rows:
                out.write(leaving.blanked(text) + "\n")


def _write_book(path: Path, name: str, known: frozenset[str], opened: Opened, leaving: _Leaving, target: Path) -> None:
    """Cells of text: that is what reading a workbook gives."""
    del path, name, known
    names = unique_names(opened.headers)
    with xlsxwriter.Workbook(target, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, opened.headers)
        at = 1
        for chunk in opened.chunks(Wanted()):
            for cells in leaving.sound(chunk.rows.select("row_number", *names)).drop("row_number").iter_rows():
                for place, cell in enumerate(cells):
                    if cell is not None:
                        sheet.write_string(at, place, cell)
                at += 1
            leaving.gone.update(chunk.undecodable["row_number"])


def _write_parquet(
    path: Path, name: str, known: frozenset[str], opened: Opened, leaving: _Leaving, target: Path
) -> None:
    del known, opened
    first = 1
    try:
        with pq.ParquetFile(path) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as out:
            for batch in file.iter_batches():
                numbers = pa.array(range(first, first + batch.num_rows))
                first += batch.num_rows
                keep = [number not in leaving.rows for number in numbers.to_pylist()]
                out.write_batch(_blanked(batch.filter(pa.array(keep)), leaving))
    except (pa.ArrowException, OSError) as error:
        raise BadFileError(f"{name} cannot be read as Parquet", next_step="fetch it again") from error


def _blanked(batch: pa.RecordBatch, leaving: _Leaving) -> pa.RecordBatch:
    for place, kind in enumerate(batch.schema):
        if leaving.values and (pa.types.is_string(kind.type) or pa.types.is_large_string(kind.type)):
            texts = pl.Series(batch.column(place)).str.replace_many(list(leaving.values), [""] * len(leaving.values))
            batch = batch.set_column(place, kind, texts.to_arrow().cast(kind.type))
    return batch


_Writer = Callable[[Path, str, frozenset[str], Opened, _Leaving, Path], None]
_WRITERS: dict[str, _Writer] = {
    "json": _write_json, "jsonl": _write_json, "xlsx": _write_book, "xls": _write_book, "parquet": _write_parquet,
}  # fmt: skip
