"""Columns of text as CSV."""

from collections.abc import Iterable, Iterator

import polars as pl

from infra.exports.quirks import Quirks

_FORMULA = r'^="[^"]*"$'
"""A long id as spreadsheets are told to keep it; it stands between the commas as it is."""


def csv_parts(headers: Iterable[str], slices: Iterable[pl.DataFrame], quirks: Quirks) -> Iterator[bytes]:
    """The bytes of a CSV file, one part per slice of rows; the first part holds title lines and header."""
    names = list(headers)
    titles = [f"# 样例导出 {number}" for number in range(quirks.title_lines)]
    head = pl.DataFrame([names], schema=[f"c{number}" for number in range(len(names))], orient="row")
    first = [*titles, *_lines(head, quirks)]
    bom = b"\xef\xbb\xbf" if quirks.encoding == "utf-8-sig" else b""
    yield bom + _encoded(first, quirks)
    for rows in slices:
        if not rows.is_empty():
            yield _encoded(_lines(rows, quirks), quirks)


def _lines(rows: pl.DataFrame, quirks: Quirks) -> list[str]:
    cells = [_quoted(name, quirks) for name in rows.columns]
    end = [pl.lit("")] if quirks.trailing_comma else []
    return rows.select(pl.concat_str(*cells, *end, separator=",")).to_series().to_list()


def _quoted(name: str, quirks: Quirks) -> pl.Expr:
    text = pl.col(name)
    inside = pl.format('"{}"', text.str.replace_all('"', '""', literal=True))
    needs = pl.lit(value=True) if quirks.quote_all else text.str.contains(r'[",\r\n]')
    return pl.when(text.str.contains(_FORMULA)).then(text).when(needs).then(inside).otherwise(text)


def _encoded(lines: list[str], quirks: Quirks) -> bytes:
    encoding = "gb18030" if quirks.encoding == "gb18030" else "utf-8"
    return "".join(line + quirks.line_end for line in lines).encode(encoding)
