"""Content hashes of rows: equal content has an equal hash, on every machine and in every order of rows."""

from typing import cast

import polars as pl
import polars_hash as plh

_SEPARATOR, _NULL = "\x1f", "\x00"
"""Control characters that `fields.py` lets into no cell, so that no two rows share a text."""


def sha256(text: pl.Expr) -> pl.Expr:
    """SHA-256 of text, hex; null stays null."""
    return cast("plh.HExpr", text).chash.sha2_256()


def content(columns: list[str]) -> pl.Expr:
    """The columns of a row as one text that differs when any value does; instants count in microseconds."""
    texts = [pl.col(name).to_physical().cast(pl.String).fill_null(_NULL) for name in columns]
    return pl.concat_str(texts, separator=_SEPARATOR)
