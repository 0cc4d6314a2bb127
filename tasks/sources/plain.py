"""The text of a cell before anything is read from it: what spreadsheets wrap around it, and what counts as blank.

The steps of a parser are stages of a frame, because Polars evaluates a sub-expression anew
wherever it is used. The columns of that frame are `text` (as it stands in the file), `plain`
(unwrapped and folded; null is blank), `value`, `fault` and `note`.
"""

from collections.abc import Callable

import polars as pl

from tasks.sources.layouts import Cell

EDGES = " \t\r\n\u00a0\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
BLANK = ("", "-", "--", "—", "——", "/")
WIDE = dict(zip("０１２３４５６７８９．，－−（）＋", "0123456789.,--()+", strict=True))

TEXT, VALUE, PLAIN = pl.col("text"), pl.col("value"), pl.col("plain")
NOTHING = pl.lit(None, pl.String())

Parser = Callable[[pl.DataFrame, Cell, str], pl.DataFrame]
"""(frame with `text`, the layout's cell, zone of times without one) to the frame with `value` and `fault`.

A parser may add `note`: why a filled cell has no value although nothing is wrong with its row.
"""


def bare(text: pl.Expr) -> pl.Expr:
    """Take off what spreadsheets put around text: `="…"`, a leading `'`, TABs and white space; blank is null."""
    stripped = text.str.strip_chars(EDGES).str.strip_chars_start(EDGES + "'")
    formula = stripped.str.strip_chars_start(EDGES + "'=\"").str.strip_suffix('"')
    clean = pl.when(stripped.str.starts_with('="')).then(formula).otherwise(stripped).str.strip_chars(EDGES)
    return pl.when(~clean.is_in(BLANK)).then(clean)


def unless(is_good: pl.Expr, fault: str) -> pl.Expr:
    """Name the fault where `is_good` is false; null, a blank cell, is good."""
    return pl.when(~is_good).then(pl.lit(fault)).otherwise(NOTHING)


def unreadable() -> pl.Expr:
    """The fault of a cell that holds something of which no value could be made."""
    return pl.when(PLAIN.is_not_null() & VALUE.is_null()).then(pl.lit("unreadable")).otherwise(NOTHING)
