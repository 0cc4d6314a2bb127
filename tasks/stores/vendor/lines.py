"""Files of lines: csv, and txt for machines alone.

The last line has no end: vendors' consoles count a blank line at the end as a bad number.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from tasks.policy.vendors import Vendor
from tasks.stores.vendor.limits import cuts

LINE_ENDS: Final = {"lf": "\n", "crlf": "\r\n"}
_TO_QUOTE: Final = r'[,"\r\n]'
_BOM: Final = {"utf-8-sig": b"\xef\xbb\xbf"}


def line_parts(cells: pl.DataFrame, vendor: Vendor, bytes_most: int | None) -> Iterator[tuple[bytes, int]]:
    """Bytes and rows of one part after the other."""
    end = LINE_ENDS[vendor.line_end]
    encoding = "utf-8" if vendor.encoding == "utf-8-sig" else vendor.encoding
    head = _BOM.get(vendor.encoding, b"") + _header(cells.columns, vendor).encode(encoding)
    lines = cells.select(_line(cells.columns, vendor)).to_series()
    spans = cuts(
        _sizes(lines, encoding), rows_most=vendor.rows_per_part, bytes_most=bytes_most, base=len(head), between=len(end)
    )
    for span in spans:
        part = lines[span]
        yield head + part.str.join(end).item().encode(encoding), part.len()


def _header(headers: list[str], vendor: Vendor) -> str:
    """The header's line with its end; nothing where the vendor wants none."""
    if not vendor.with_header:
        return ""
    named = pl.DataFrame({str(n): [header] for n, header in enumerate(headers)})
    return str(named.select(_line(named.columns, vendor)).item()) + LINE_ENDS[vendor.line_end]


def _line(columns: list[str], vendor: Vendor) -> pl.Expr:
    """One row as a line without its end."""
    return pl.concat_str([_quoted(pl.col(name), vendor) for name in columns], separator=",")


def _quoted(cell: pl.Expr, vendor: Vendor) -> pl.Expr:
    text = cell.fill_null("")
    if vendor.quoting == "never" or vendor.format == "txt":
        return text
    inside = pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return inside if vendor.quoting == "all" else pl.when(text.str.contains(_TO_QUOTE)).then(inside).otherwise(text)


def _sizes(lines: pl.Series, encoding: str) -> np.ndarray:
    """Bytes of each line in the file's encoding."""
    if encoding == "utf-8":
        return lines.str.len_bytes().to_numpy()
    return np.fromiter((len(line.encode(encoding)) for line in lines), dtype=np.int64, count=lines.len())
