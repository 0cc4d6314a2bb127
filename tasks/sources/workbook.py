"""Workbooks (xlsx, xls): which sheets hold the export, which row its headers, and its rows as text.

Sheets with the same headers run on: Kuaishou spreads one export over many. A sheet that no layout
knows is told of and left out. calamine itself works in a process apart, see `tasks.sources.apart`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.apart import ApartError, lines_from
from tasks.sources.headers import normalise_header, unique_names
from tasks.sources.opened import Chunk, Opened, Share, Wanted, undecodable

FEWEST_IN_HEADER = 2
"""A row is taken for the header, and what stands above it for titles, when it has so many known headers."""
FEWEST_KNOWN = 3
"""A sheet with fewer known headers than this, or less than half of them known, is a note beside the export."""

Message = dict[str, Any]


class _Table(NamedTuple):
    """One sheet, with the row that holds its headers."""

    sheet: int
    name: str
    header_row: int
    above: int
    headers: tuple[str, ...]
    known: int
    rows: int

    @property
    def names(self) -> tuple[str, ...]:
        return unique_names(self.headers)

    @property
    def is_export(self) -> bool:
        return self.known >= FEWEST_KNOWN and 2 * self.known >= len(self.headers)


def open_workbook(path: Path, name: str, known: frozenset[str]) -> Opened:
    """Take a workbook apart.

    Args:
        path: the file.
        name: what messages call it.
        known: normalised headers of every layout; the first row with most of them holds the headers.

    Raises:
        BadFileError: damaged, locked, hostile, empty, too large, or with sheets of two layouts.
    """
    stream = _messages(path, name)
    first = next(stream)
    tables = [table for at, sheet in enumerate(first["sheets"]) if (table := _table(at, sheet, known))]
    if not tables:
        raise BadFileError(f"{name} has no filled cell", expected="a header and rows", next_step="export it again")
    chosen = _chosen(tables, name)
    about = (*first["about"], *_told(tables, chosen))
    waiting = [stream]

    def chunks(wanted: Wanted) -> Iterator[Chunk]:
        share = Share(path.stat().st_size, sum(table.rows for table in chosen))
        return _chunks(waiting.pop() if waiting else _messages(path, name), chosen, wanted, share)

    return Opened("xlsx" if _is_zip(path) else "xls", None, chosen[0].headers, chunks, about)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _messages(path: Path, name: str) -> Iterator[Message]:
    """What the process apart says of a workbook; its end is checked."""
    message: Message = {}
    try:
        for line in lines_from("tasks.sources.workbook_child", str(path), name):
            message = json.loads(line)
            if "refused" in message:
                found, expected, next_step = message["refused"]
                raise BadFileError(found, expected=expected, next_step=next_step)
            yield message
    except ApartError as error:
        raise _unreadable(name, error.lacked) from error
    if "end" not in message:
        raise _unreadable(name, "sense")


def _unreadable(name: str, lacked: str) -> BadFileError:
    if lacked == "sense":
        return BadFileError(
            f"{name} cannot be read as a workbook", expected="a whole xlsx or xls file",
            next_step="fetch it again, or open it in a spreadsheet and save it anew",
        )  # fmt: skip
    return BadFileError(
        f"{name} needs more {lacked} than a workbook may have", expected="a workbook of a million rows at most",
        next_step="export it as CSV, or in several files",
    )  # fmt: skip


def _table(at: int, sheet: Message, known: frozenset[str]) -> _Table | None:
    """The sheet with its header row; None for a sheet without a filled cell."""
    if not sheet["head"]:
        return None
    counts = [len({normalise_header(cell) for cell in cells if cell} & known) for _, cells in sheet["head"]]
    above = counts.index(max(counts)) if max(counts) >= FEWEST_IN_HEADER else 0
    row, cells = sheet["head"][above]
    width = max(place for place, cell in enumerate(cells, start=1) if cell)
    headers = tuple(cell or "" for cell in cells[:width])
    return _Table(at, sheet["name"], row, above, headers, counts[above], sheet["rows"])


def _chosen(tables: Sequence[_Table], name: str) -> tuple[_Table, ...]:
    """The sheets that make up the export: the one that layouts know best, and those with the same headers."""
    best = max(tables, key=lambda table: table.known)
    other = next((x for x in tables if x.is_export and set(x.names) != set(best.names)), None)
    if other is not None:
        raise BadFileError(
            f"{name}: the sheets {best.name[:40]!r} and {other.name[:40]!r} have different headers",
            expected="one export a workbook", next_step="save each of these sheets as a workbook or CSV of its own",
        )  # fmt: skip
    return tuple(table for table in tables if set(table.names) == set(best.names))


def _told(tables: Sequence[_Table], chosen: Sequence[_Table]) -> Iterator[str]:
    """What a person should know: lines above the header, and sheets left out."""
    for table in tables:
        if table not in chosen:
            yield f"sheet {table.name[:40]!r} was left out: no layout knows it ({table.rows} rows)"
        elif table.above:
            yield f"sheet {table.name[:40]!r}: {table.above} lines above the header were skipped"


def _chunks(stream: Iterator[Message], tables: Sequence[_Table], wanted: Wanted, share: Share) -> Iterator[Chunk]:
    """One chunk per block of rows; row numbers count through all sheets."""
    by_sheet = {table.sheet: table for table in tables}
    above = {table.sheet: sum(other.rows for other in tables[:at]) for at, table in enumerate(tables)}
    before = 0
    for message in stream:
        table = by_sheet.get(message.get("sheet", -1))
        if table is not None and (chunk := _chunk(message, table, tables[0].names, before)).rows_read:
            before += chunk.rows_read
            place = above[table.sheet] + max(message["at"] + message["too_long"]) + 1
            told = chunk._replace(bytes_read=share.up_to(place))
            yield told if wanted.columns is None else _projected(told, wanted.columns)


def _chunk(message: Message, table: _Table, names: tuple[str, ...], before: int) -> Chunk:
    """The rows of a block below the header, under the names of the first sheet."""
    rows = pl.DataFrame({"at": pl.Series(message["at"], dtype=pl.Int64)} | _columns(message["columns"]))
    long = pl.DataFrame({"at": pl.Series(message["too_long"], dtype=pl.Int64)})
    both = pl.concat([rows, long], how="diagonal").filter(pl.col("at") > table.header_row).sort("at")
    numbered = both.with_row_index("row_number", before + 1).with_columns(pl.col("row_number").cast(pl.Int64))
    read = numbered.join(long, on="at", how="anti")
    beyond = [column for column in read.columns if column.isdigit() and int(column) >= len(table.names)]
    ragged = pl.any_horizontal(pl.lit(value=False), *(pl.col(column).is_not_null() for column in beyond))
    kept = read.filter(~ragged)
    named = kept.select("row_number", *(_column(kept, table, name).alias(name) for name in names))
    return Chunk(named, _refused(numbered.join(long, on="at", how="semi"), read.filter(ragged)), both.height)


def _columns(columns: Sequence[Sequence[str | None]]) -> dict[str, pl.Series]:
    return {str(place): pl.Series(cells, dtype=pl.String) for place, cells in enumerate(columns)}


def _column(rows: pl.DataFrame, table: _Table, name: str) -> pl.Expr:
    """A column by its header; a block in which every row was too long has none."""
    place = str(table.names.index(name))
    return pl.col(place) if place in rows.columns else pl.lit(None, pl.String())


def _refused(too_long: pl.DataFrame, ragged: pl.DataFrame) -> pl.DataFrame:
    """Rows that are no rows of this table: a cell beyond the last header, or one that no spreadsheet can hold."""
    texts = [",".join(cell or "" for cell in row[2:]) for row in ragged.rows()]
    return undecodable(
        [*((number, "record_too_long", "") for number in too_long["row_number"]),
         *((number, "wrong_field_count", text) for number, text in zip(ragged["row_number"], texts, strict=True))]
    )  # fmt: skip


def _projected(chunk: Chunk, columns: frozenset[str]) -> Chunk:
    return chunk._replace(rows=chunk.rows.select("row_number", *(x for x in chunk.rows.columns if x in columns)))
