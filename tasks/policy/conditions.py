"""Conditions that operators write: SQL expressions over a customer's columns, checked before they run."""

import difflib
import re
from collections.abc import Iterable

import polars as pl
from polars.exceptions import PolarsError

from tasks.errors import BadPolicyError

_NOT_AN_EXPRESSION = re.compile(r";|--|/\*|\bselect\b", re.IGNORECASE)


def parse(text: str, columns: Iterable[str], *, where: str, of: str = "a column of customers or a tag") -> pl.Expr:
    """Turn the text into an expression over `columns`; `of` says in a message what they are.

    Raises:
        BadPolicyError: the text is no expression, or names a column that does not exist.
    """
    known = frozenset(columns)
    if _NOT_AN_EXPRESSION.search(text):
        raise BadPolicyError(
            f"{where}: `{text}` is not one expression", expected="a condition such as `m_score >= 3`",
            next_step="remove comments, semicolons and sub-queries",
        )  # fmt: skip
    try:
        expression = pl.sql_expr(text)
        names = expression.meta.root_names()
    except PolarsError as error:
        raise BadPolicyError(
            f"{where}: `{text}` cannot be read ({error})",
            expected="an SQL expression",
            next_step='correct it; a column named like a word of SQL, such as "cluster", goes in double quotes',
        ) from error
    for name in names:
        if name not in known:
            raise _unknown_column(name, known, where, of)
    return expression


def names_in(text: str) -> frozenset[str]:
    """The columns that a condition reads."""
    return frozenset(pl.sql_expr(text).meta.root_names())


def _unknown_column(name: str, known: frozenset[str], where: str, of: str) -> BadPolicyError:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "see docs/dictionary.md for the columns"
    return BadPolicyError(f"{where}: there is no column `{name}`", expected=of, next_step=hint)
