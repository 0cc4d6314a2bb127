"""The process apart in which calamine reads a workbook. It writes lines of JSON: the sheets' heads, then their rows.

Nothing of it is interpreted here: which row holds the headers is for the process that listens.
"""

import gc
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import python_calamine

from tasks.errors import BadFileError
from tasks.sources.apart import OUT_OF_MEMORY, confine
from tasks.sources.workbook_cells import TEXT_OF
from tasks.sources.workbook_errors import Errors, errors_in_xls, errors_in_xlsx
from tasks.sources.workbook_package import check_package

HEAD_ROWS = 20
BLOCK_CHARACTERS = 16 << 20
BLOCK_ROWS = 50_000
LONGEST_CELL = 65_536
"""A spreadsheet lets a cell have 32,767 characters."""
MOST_COLUMNS = 2_000
Cells = list[str | None]
Message = dict[str, Any]


def messages(path: Path, name: str) -> Iterator[Message]:
    """Yield `sheets` once, then blocks of rows of each sheet, then `end`.

    Raises:
        BadFileError: no workbook that can be read.
    """
    errors, about = _looked_through(path, name)
    with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
        sheets = [book.get_sheet_by_index(at) for at in range(len(book.sheet_names))]
        for sheet in sheets:
            _refuse_wide(sheet, name)
        heads = [_head(sheet, errors.get(at, {})) for at, sheet in enumerate(sheets)]
        yield {"sheets": heads, "about": about}
        for at, sheet in enumerate(sheets):
            yield from _blocks(at, sheet, errors.get(at, {}))
    yield {"end": True}


def _looked_through(path: Path, name: str) -> tuple[Errors, tuple[str, ...]]:
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if not is_zip:
        return errors_in_xls(path), ()
    package = check_package(path, name)
    return errors_in_xlsx(path, package.suspects), package.about


def _refuse_wide(sheet: python_calamine.CalamineSheet, name: str) -> None:
    if sheet.width > MOST_COLUMNS:
        raise BadFileError(
            f"{name}: a sheet has {sheet.width} columns", expected=f"at most {MOST_COLUMNS}",
            next_step="export it again with the columns of its back office",
        )  # fmt: skip


def _head(sheet: python_calamine.CalamineSheet, errors: dict[int, dict[int, str]]) -> Message:
    """Name, number of rows, and the first that are filled: row from 0 and cells."""
    head = islice(_filled(sheet, errors), HEAD_ROWS)
    shown = [(row, [cell and cell[:LONGEST_CELL] for cell in cells]) for row, cells in head]
    return {"name": sheet.name, "rows": sheet.height, "head": shown}


def _filled(sheet: python_calamine.CalamineSheet, errors: dict[int, dict[int, str]]) -> Iterator[tuple[int, Cells]]:
    """Every row that is not blank, with its number from 0, as text."""
    left = sheet.start[1] if sheet.start else 0
    for row, values in enumerate(sheet.iter_rows()):
        cells = [(value or None) if type(value) is str else TEXT_OF[type(value)](value) for value in values]
        for column, word in errors.get(row, {}).items():
            if 0 <= column - left < len(cells):
                cells[column - left] = word
        if any(cells):
            yield row, cells


def _blocks(at: int, sheet: python_calamine.CalamineSheet, errors: dict[int, dict[int, str]]) -> Iterator[Message]:
    """Rows by column; a row with a cell that no spreadsheet can hold is named instead."""
    rows: list[tuple[int, Cells]] = []
    too_long: list[int] = []
    size = 0
    for row, cells in _filled(sheet, errors):
        length = sum(map(len, filter(None, cells)))
        if length > LONGEST_CELL and any(cell and len(cell) > LONGEST_CELL for cell in cells):
            too_long.append(row)
            continue
        rows.append((row, cells))
        size += length
        if size > BLOCK_CHARACTERS or len(rows) == BLOCK_ROWS:
            yield _block(at, rows, too_long)
            rows, too_long, size = [], [], 0
    if rows or too_long:
        yield _block(at, rows, too_long)


def _block(at: int, rows: list[tuple[int, Cells]], too_long: list[int]) -> Message:
    columns = list(zip(*(cells for _, cells in rows), strict=True))
    return {"sheet": at, "at": [row for row, _ in rows], "columns": columns, "too_long": too_long}


def main() -> int:
    """Read the workbook that the command line names; exit code 0 also when it is refused in words."""
    confine()
    gc.disable()  # millions of cells and not one cycle: it took a third of the time
    out = sys.stdout.buffer
    try:
        for message in messages(Path(sys.argv[1]), sys.argv[2]):
            out.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        out.flush()
    except BadFileError as error:
        refused = {"refused": [error.found, error.expected, error.next_step]}
        out.write(json.dumps(refused, ensure_ascii=False).encode() + b"\n")
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
