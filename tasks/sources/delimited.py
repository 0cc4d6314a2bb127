"""CSV and its kin: which line is the header, what separates the fields, and the rows behind it in chunks.

Separators are comma, TAB, semicolon and pipe. records.py finds and checks the records; Polars only
splits those that are sound, and everything stays text: schema inference would eat leading zeros.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from tasks.errors import BadFileError
from tasks.sources import gb18030
from tasks.sources.headers import normalise_header, unique_names
from tasks.sources.opened import CHUNK_BYTES, UNDECODABLE, Chunk, Opened, Wanted
from tasks.sources.records import MAX_RECORD_BYTES, Dialect, Records, read_records
from tasks.sources.texts import Text

MAX_COLUMNS = 2_000
_TITLE_LINES = 20
"""Among so many first records the header is looked for: bills and reports print titles above it."""
_FEWEST_KNOWN = 2
"""A row is taken for the header, and what stands above it for titles, when it has so many known headers."""
_SEPARATORS = (",", "\t", ";", "|")
_HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True)
class Header:
    """The header row: its cells, what separates them, and how many records stand above it."""

    cells: tuple[str, ...]
    separator: str
    above: int


def open_delimited(text: Text, known: frozenset[str], chunk_bytes: int = CHUNK_BYTES) -> Opened:
    """Take a file of delimited text apart.

    Raises:
        BadFileError: no usable header; later an unbalanced quote, or one that swallows lines.
    """
    header = find_header(_first_records(text), known, text.name)
    lines = "line" if header.above == 1 else "lines"
    verb = "was" if header.above == 1 else "were"
    about = (f"{header.above} {lines} above the header {verb} skipped",) if header.above else ()
    return Opened("csv", text.encoding, header.cells, lambda wanted: _chunks(text, header, wanted, chunk_bytes), about)


def _first_records(text: Text) -> list[str]:
    """The first records that are not blank, without looking further than a record may be long."""
    head = b""
    records: list[bytes] = []
    for block in text.blocks(_HEAD_BYTES):
        head += block
        *records, rest = _split(head)
        if len(records) >= _TITLE_LINES or len(head) > MAX_RECORD_BYTES:
            break
    else:
        records.append(rest)
    if not records:
        raise _no_header(text.name, len(head))
    return [record.decode() for record in records[:_TITLE_LINES]]


def _split(head: bytes) -> list[bytes]:
    """Records with balanced quotes, blank ones left out, and what follows the last."""
    records, record = [], b""
    *lines, rest = head.split(b"\n")
    for line in lines:
        record = record + b"\n" + line if record else line
        if record.count(b'"') % 2 == 0:
            records += [record] if record.strip() else []
            record = b""
    return [*records, record + b"\n" + rest if record else rest]


def find_header(records: list[str], known: frozenset[str], name: str) -> Header:
    """The record with most known headers, by whichever separator; the first record when none has two.

    Raises:
        BadFileError: the header is too long, or has too many columns, to be one.
    """
    tried = [
        (_score(record, separator, known), -above, Header((), separator, above))
        for above, record in enumerate(records)
        for separator in _SEPARATORS
        if record.count(separator) < MAX_COLUMNS and len(record) <= MAX_RECORD_BYTES
    ]
    most, _, best = max(tried, key=lambda one: one[:2], default=(0, 0, Header((), ",", 0)))
    if most < _FEWEST_KNOWN:
        best = Header((), max(_SEPARATORS, key=records[0].count), 0)
    raw = records[best.above]
    if len(raw.encode()) > MAX_RECORD_BYTES or raw.count(best.separator) >= MAX_COLUMNS:
        raise _no_header(name, len(raw))
    return Header(_cells(raw, best.separator), best.separator, best.above)


def _score(record: str, separator: str, known: frozenset[str]) -> int:
    return len({normalise_header(cell) for cell in _cells(record, separator)} & known) if known else 0


def _cells(record: str, separator: str) -> tuple[str, ...]:
    """The cells of a record; one that quotes tear apart is a single cell, and no header."""
    try:
        return tuple(next(csv.reader([record], delimiter=separator)))
    except csv.Error:
        return (record,)


def _no_header(name: str, length: int) -> BadFileError:
    return BadFileError(
        f"{name}: the first line is {length} characters long", expected="a header row", next_step="look at it"
    )


def _chunks(text: Text, header: Header, wanted: Wanted, chunk_bytes: int) -> Iterator[Chunk]:
    """Take text apart in blocks that the processor's cache can hold, and hand on as many rows as are worth it.

    The first are handed on sooner, so that whoever takes them is not idle meanwhile.
    """
    names = unique_names(header.cells)
    is_raw = text.encoding == "utf-8" or header.separator in gb18030.SAFE_SEPARATORS
    dialect = Dialect(header.separator, len(names), header.above + 1, text.encoding if is_raw else "utf-8")
    blocks = (text.raw_blocks if is_raw else text.blocks)(min(chunk_bytes, _BLOCK_BYTES))
    waiting: list[Chunk] = []
    taken, enough = 0, min(chunk_bytes, _BLOCK_BYTES)
    for records in read_records(blocks, dialect, text.name):
        bad = pl.DataFrame(records.refused, schema=UNDECODABLE, orient="row")
        rows = _read(records, names, wanted, dialect, text.name)
        waiting.append(Chunk(rows, bad, rows.height + bad.height, len(records.text)))
        taken += len(records.text)
        if taken >= enough:
            yield _together(waiting)
            waiting, taken, enough = [], 0, min(2 * enough, chunk_bytes)
    if waiting:
        yield _together(waiting)


def _together(parts: list[Chunk]) -> Chunk:
    rows, bad, counts, sizes = zip(*parts, strict=True)
    return Chunk(pl.concat(rows, rechunk=True), pl.concat(bad), sum(counts), sum(sizes))


def _read(records: Records, names: tuple[str, ...], wanted: Wanted, dialect: Dialect, name: str) -> pl.DataFrame:
    """Let Polars split the sound records into the columns wanted, and decode those alone.

    Polars splits UTF-8: in another encoding each byte stands for a character until then, as in Latin-1.
    """
    asked = [i for i, column in enumerate(names) if wanted.columns is None or column in wanted.columns]
    schema = dict.fromkeys(names, pl.String())
    if not records.numbers.size:
        return pl.DataFrame(schema={"row_number": pl.Int64(), **{names[i]: pl.String() for i in asked}})
    is_utf8 = dialect.encoding == "utf-8"
    text = records.text if is_utf8 else records.text.decode("latin-1").encode()
    try:
        rows = pl.read_csv(text, has_header=False, schema=schema, columns=asked or [0], separator=dialect.separator)
    except pl.exceptions.PolarsError as error:
        raise BadFileError(f"{name} cannot be split into fields", next_step="export it again") from error
    if rows.height != records.numbers.size:
        raise BadFileError(
            f"{name}: {records.numbers.size} records, but {rows.height} rows", next_step="report this file"
        )
    cells = [rows.get_column(names[i]) for i in asked]
    decoded = cells if is_utf8 else [_decoded(column, dialect.encoding) for column in cells]
    return rows.select(pl.Series("row_number", records.numbers, pl.Int64), *decoded)


def _decoded(cells: pl.Series, encoding: str) -> pl.Series:
    """Cells of which each character stands for a byte, decoded; no sound record holds a NUL."""
    if cells.str.len_bytes().sum() == cells.str.len_chars().sum():  # ASCII, as most columns are
        return cells
    whole = cells.fill_null("").str.join("\0").item().encode("latin-1").decode(encoding)
    texts = pl.Series(cells.name, [whole]).str.split("\0").explode()
    return texts.set(cells.is_null(), None) if cells.null_count() else texts
