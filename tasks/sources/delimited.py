"""CSV and TSV: lines become records, records are counted and checked, and only then read by Polars.

Polars fills short rows with nulls, drops the end of long ones when told to, and shifts rows after
a stray quote. So every record's fields are counted here first; what does not fit is refused as a
row with its raw text, never repaired.
"""

import csv
import io

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.headers import unique_names
from tasks.sources.opened import UNDECODABLE, Opened

MAX_RECORD_BYTES = 1 << 20
"""A record longer than this is damage or an attack: the widest real export has 90 short columns."""
MAX_COLUMNS = 2_000
_QUOTED = r'(^|[,\t])=?"[^"]*(?:""[^"]*)*"'
"""A quoted field at the place where a field begins; `="…"` is how spreadsheets are told to keep an id."""

RAW = pl.col("raw")


def open_delimited(text: str, encoding: str, name: str) -> Opened:
    """Take a CSV or TSV file apart.

    Raises:
        BadFileError: an unbalanced quote, a quote that swallows lines, no usable header.
    """
    records = _records(text, name)
    headers, separator = _header(records["raw"][0], name)
    body = records.slice(1).with_row_index("row_number", offset=1).with_columns(pl.col("row_number").cast(pl.Int64))
    judged = body.with_columns(rule=_rule(len(headers), separator))
    _refuse_swallowed(judged, name)
    kept, refused = judged.filter(pl.col("rule").is_null()), judged.filter(pl.col("rule").is_not_null())
    rows = _read(kept, unique_names(headers), separator, name)
    bad = refused.select("row_number", "rule", value="raw").cast(UNDECODABLE)
    return Opened("csv", encoding, headers, lambda _: rows, body.height, bad)


def _records(text: str, name: str) -> pl.DataFrame:
    """One row per record: `raw` and the number of `lines`; a quoted field may hold line ends. Blank lines are none."""
    lines = pl.Series("raw", [text]).str.split("\n").explode().to_frame()
    if '"' in text:
        quotes = lines["raw"].str.count_matches('"', literal=True)
        before = quotes.cum_sum() - quotes
        starts = before % 2 == 0
        if quotes.sum() % 2:
            raise BadFileError(
                f"{name}: the quote opened in line {_last_true(starts)} is never closed", expected="balanced quotes",
                next_step="export it again; rows behind an open quote cannot be told apart",
            )  # fmt: skip
        lines = lines.with_columns(record=starts.cum_sum())
        records = lines.group_by("record", maintain_order=True).agg(RAW.str.join("\n"), lines=pl.len()).drop("record")
    else:
        records = lines.with_columns(lines=pl.lit(1, pl.UInt32))
    return records.filter(RAW.str.strip_chars() != "")


def _last_true(starts: pl.Series) -> int:
    return int(starts.arg_true().max() or 0) + 1  # type: ignore[arg-type]


def _header(raw: str, name: str) -> tuple[tuple[str, ...], str]:
    """Return the header cells and the separator, which is the one of comma and TAB that is used more."""
    separator = "\t" if raw.count("\t") > raw.count(",") else ","
    if len(raw.encode()) > MAX_RECORD_BYTES or raw.count(separator) >= MAX_COLUMNS:
        raise BadFileError(
            f"{name}: the first line is {len(raw)} characters long", expected="a header row", next_step="look at it"
        )
    return tuple(next(csv.reader([raw], delimiter=separator))), separator


def _rule(columns: int, separator: str) -> pl.Expr:
    """The reason why a record cannot be taken apart, null where it can."""
    bare = RAW.str.replace_all(_QUOTED, "$1")
    return (
        pl.when(RAW.str.contains("\0", literal=True))
        .then(pl.lit("nul_byte"))
        .when(RAW.str.len_bytes() > MAX_RECORD_BYTES)
        .then(pl.lit("record_too_long"))
        .when(bare.str.contains('"', literal=True))
        .then(pl.lit("stray_quote"))
        .when(bare.str.count_matches(separator, literal=True) != columns - 1)
        .then(pl.lit("wrong_field_count"))
    )


def _refuse_swallowed(judged: pl.DataFrame, name: str) -> None:
    """Refuse the file when a stray quote joined lines that may be rows of their own."""
    swallowed = judged.filter(pl.col("lines") > 1, pl.col("rule").is_not_null())
    if not swallowed.is_empty():
        raise BadFileError(
            f"{name}: from row {swallowed['row_number'][0]} on, a quote joins {swallowed['lines'][0]} lines",
            expected="quotes around whole fields", next_step="export it again; those rows cannot be told apart",
        )  # fmt: skip


def _read(kept: pl.DataFrame, names: tuple[str, ...], separator: str, name: str) -> pl.DataFrame:
    """Let Polars split the good records; everything stays text, schema inference would eat leading zeros."""
    schema = dict.fromkeys(names, pl.String())
    if kept.is_empty():
        return pl.DataFrame(schema={"row_number": pl.Int64(), **schema})
    data = kept["raw"].str.join("\n")[0].encode()
    try:
        rows = pl.read_csv(io.BytesIO(data), has_header=False, schema=schema, separator=separator)
    except pl.exceptions.PolarsError as error:
        raise BadFileError(f"{name} cannot be split into fields", next_step="export it again") from error
    if rows.height != kept.height:
        raise BadFileError(f"{name}: {kept.height} records, but {rows.height} rows", next_step="report this file")
    return rows.select(kept["row_number"], pl.all())
