"""Conditions that operators write: SQL expressions over a customer's columns, checked before they run."""

import difflib
import io
import json
import re
from collections.abc import Iterable
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from tasks.errors import BadPolicyError

_NOT_AN_EXPRESSION = re.compile(r";|--|/\*|\bselect\b", re.IGNORECASE)


def parse(text: str, columns: Iterable[str], *, where: str, of: str = "a column of customers or a tag") -> pl.Expr:
    """Turn the text into an expression over `columns`; `of` says in a message what they are.

    What is divided by zero is not known: null, which is more than nothing and less than nothing to no condition.

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
        expression = _divided_safely(text)
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


def _divided_safely(text: str) -> pl.Expr:
    """The expression; Polars divides by zero to infinity or to no number, and both are larger than every bound."""
    expression = pl.sql_expr(text)
    if not any(sign in text for sign in "/%") and "mod" not in text.lower():
        return expression
    told = json.loads(expression.meta.serialize(format="json"))
    return pl.Expr.deserialize(io.StringIO(json.dumps(_with_safe_divisors(told))), format="json")


def _with_safe_divisors(node: Any) -> Any:
    """The tree of an expression, each divisor null where it is 0."""
    match node:
        case {"Function": {"input": [dividend, divisor], "function": {"Sql": {"Binary": "Div" | "IntDiv" | "Rem"}}}}:
            inputs = [_with_safe_divisors(dividend), _null_where_zero(_with_safe_divisors(divisor))]
            return {"Function": {**node["Function"], "input": inputs}}
        case dict():
            return {name: _with_safe_divisors(part) for name, part in node.items()}
        case list():
            return [_with_safe_divisors(part) for part in node]
        case _:
            return node


def _null_where_zero(divisor: Any) -> Any:
    column = pl.col("_")
    nulled = pl.when(column == 0).then(None).otherwise(column).meta.serialize(format="json")
    return json.loads(nulled, object_hook=lambda node: divisor if node == {"Column": "_"} else node)


def names_in(text: str) -> frozenset[str]:
    """The columns that a condition reads."""
    return frozenset(pl.sql_expr(text).meta.root_names())


def _unknown_column(name: str, known: frozenset[str], where: str, of: str) -> BadPolicyError:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "see docs/dictionary.md for the columns"
    return BadPolicyError(f"{where}: there is no column `{name}`", expected=of, next_step=hint)
