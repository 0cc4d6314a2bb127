"""Refused rows taken out of an export file again, with their header, so that a person can correct them.

Delimited text, workbooks and Parquet give a CSV with the cells as they stood; a row that could not be
taken apart is written as its raw text. JSON gives JSON lines. PERSONAL DATA in clear: for a named role alone.
"""

import csv
import io
import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from tasks.sources.decode import open_export
from tasks.sources.delimited import find_header
from tasks.sources.headers import unique_names
from tasks.sources.json_stream import read_list
from tasks.sources.opened import Chunk, Opened, Wanted
from tasks.sources.texts import sniff

_BLOCK = 1 << 22
_TITLE_LINES = 20


def refused_text(path: Path, name: str, known: frozenset[str], rows: Collection[int]) -> Iterator[bytes]:
    """The header and those rows of a file, in file order, in pieces; in the file's own encoding.

    Args:
        path: the file in clear, out of its archive.
        name: what messages call it.
        known: every header of every layout, as `read_export` was given it: rows are numbered from the header on.
        rows: numbers of the rows that are wanted.

    Raises:
        BadFileError: the file cannot be taken apart at all.
    """
    opened = open_export(path, name, known)
    if opened.format in {"json", "jsonl"}:
        yield from (line.encode() for line in _documents(path, name, opened.format, frozenset(rows)))
        return
    encoding = opened.encoding or "utf-8"
    yield b"\xef\xbb\xbf" if encoding == "utf-8" else b""  # spreadsheets take UTF-8 without a mark for something else
    separator = separator_of(path, name, known) if opened.format == "csv" else ","
    yield from (text.encode(encoding) for text in _table(opened, separator, frozenset(rows)))


def separator_of(path: Path, name: str, known: frozenset[str]) -> str:
    """Return what separates the fields of the file: a row that could not be taken apart keeps its own."""
    head = (line for line in _lines(path, name) if line.strip())
    return find_header(list(islice(head, _TITLE_LINES)), known, name).separator


def _table(opened: Opened, separator: str, wanted: frozenset[int]) -> Iterator[str]:
    yield line_of(opened.headers, separator)
    names = unique_names(opened.headers)
    for chunk in opened.chunks(Wanted()):
        yield from (text for _, text in sorted(_of_chunk(chunk, names, separator, wanted)))


def _of_chunk(
    chunk: Chunk, names: tuple[str, ...], separator: str, wanted: frozenset[int]
) -> Iterator[tuple[int, str]]:
    """Row number and text of the wanted rows of a chunk."""
    sound = chunk.rows.filter(pl.col("row_number").is_in(wanted)).select("row_number", *names)
    yield from ((number, line_of(cells, separator)) for number, *cells in sound.iter_rows())
    broken = chunk.undecodable.filter(pl.col("row_number").is_in(wanted)).select("row_number", "value")
    yield from ((number, f"{raw}\r\n") for number, raw in broken.iter_rows())


def line_of(cells: Collection[str | None], separator: str) -> str:
    """One line of delimited text."""
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _documents(path: Path, name: str, kind: str, wanted: frozenset[int]) -> Iterator[str]:
    """The wanted documents, one a line."""
    yield from (f"{text}\n" for number, text in documents_in(path, name, kind) if number in wanted)


def documents_in(path: Path, name: str, kind: str) -> Iterator[tuple[int, str]]:
    """Number and text of every document: lines as they stood; members of a list with their numbers as text."""
    if kind == "jsonl":
        yield from enumerate((line for line in _lines(path, name) if line.strip()), start=1)
        return
    for one in read_list(_blocks(path, name), name):
        yield one.number, one.raw if one.document is None else json.dumps(one.document, ensure_ascii=False)


def _blocks(path: Path, name: str) -> Iterator[str]:
    return (block.decode() for block in sniff(path, name).blocks(_BLOCK))


def _lines(path: Path, name: str) -> Iterator[str]:
    rest = ""
    for block in _blocks(path, name):
        *lines, rest = (rest + block).split("\n")
        yield from lines
    yield rest
