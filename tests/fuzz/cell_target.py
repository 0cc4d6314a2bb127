"""What atheris runs: every parser of cells, and the reader of delimited text, on bytes that its coverage suggests.

Coverage guides it through our Python alone: Polars is compiled, its branches are not seen.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["tasks.sources"]):
    import polars as pl

    from tasks.errors import StrataError
    from tasks.sources.cells import PARSERS, read_cells
    from tasks.sources.decode import open_export
    from tasks.sources.layouts import Cell
    from tasks.sources.opened import Wanted

NEEDED = {"code": {"codes": {"是": "yes"}}, "reply": {"codes": {"R": "withdrawn"}}}
CELLS = [Cell.model_validate({"header": "x", "parse": parse} | NEEDED.get(parse, {})) for parse in sorted(PARSERS)]
ZONES = ("Asia/Shanghai", "America/New_York", "UTC")
FIRST_OF_TEXT, BETWEEN = 192, "\x1e"
FOLDER = TemporaryDirectory(prefix="strata-fuzz-")


def one_input(data: bytes) -> None:
    """The first two bytes choose what is fuzzed, the rest is its input."""
    kind, zone = (*data[:2], 0, 0)[:2]
    if kind < FIRST_OF_TEXT:
        cells(CELLS[kind % len(CELLS)], ZONES[zone % len(ZONES)], data[2:].decode(errors="ignore").split(BETWEEN))
    else:
        text(data[2:])


def cells(cell: Cell, zone: str, texts: list[str]) -> None:
    """One row out for each text in, whatever it is; never an exception."""
    read = read_cells(pl.Series(texts, dtype=pl.String), cell, zone)
    if read.height != len(texts):
        raise AssertionError(f"{cell.parse}: {len(texts)} texts, {read.height} rows")


def text(data: bytes) -> None:
    """Delimited text or JSON: every row is handed on or named, or the file is refused."""
    path = Path(FOLDER.name) / "input"
    path.write_bytes(data)
    try:
        for chunk in open_export(path, "input", frozenset({"a", "b"}), chunk_bytes=64).chunks(Wanted()):
            seen = {*chunk.rows["row_number"], *chunk.undecodable["row_number"]}
            if len(seen) != chunk.rows_read:
                raise AssertionError(f"{chunk.rows_read} rows read, {len(seen)} told")
    except StrataError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
