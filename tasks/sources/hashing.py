"""Content hashes of rows: equal content has an equal hash, on every machine and in every order of rows."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import cast

import polars as pl
import polars_hash as plh

_SEPARATOR, _NULL = "\x1f", "\x00"
"""Control characters that `fields.py` lets into no cell, so that no two rows share a text."""

NONE_SAME: Mapping[str, pl.Expr] = MappingProxyType({})


def sha256(text: pl.Expr) -> pl.Expr:
    """SHA-256 of text, hex; null stays null."""
    return cast("plh.HExpr", text).chash.sha2_256()


def content(columns: Sequence[str], same: Mapping[str, pl.Expr] = NONE_SAME) -> pl.Expr:
    """The columns of a row as one text that differs when any value does; instants count in microseconds.

    `same` are literals in the place of columns that have one value in all rows; neighbours are put together once.
    """
    parts: list[pl.Expr] = []
    for is_same, names in groupby(columns, same.__contains__):
        texts = [_text(same[name] if is_same else pl.col(name)) for name in names]
        parts += [pl.lit(_SEPARATOR.join(pl.select(text).item() for text in texts))] if is_same else texts
    return pl.concat_str(parts, separator=_SEPARATOR)


def _text(value: pl.Expr) -> pl.Expr:
    return value.to_physical().cast(pl.String).fill_null(_NULL)
