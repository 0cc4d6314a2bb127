"""The plain comparisons in a condition: a column, an operator, a literal. What is more than that is not judged."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_LITERAL = r"-?\d+(?:\.\d+)?|'[^']*'"
_COMPARISON = re.compile(rf"\b([a-z_][a-z0-9_]*)\s*(<=|>=|<>|!=|=|<|>)\s*({_LITERAL})(?!\w|\s*[-+*/%.])", re.IGNORECASE)
_BETWEEN = re.compile(rf"\b(\w+)\s+between\s+({_LITERAL})\s+and\s+({_LITERAL})", re.IGNORECASE)
_IN = re.compile(r"\b(\w+)\s+in\s*\(([^()]*)\)", re.IGNORECASE)
_NOT_PLAIN = re.compile(r"\bor\b|\bnot\b|\bcase\b|\(", re.IGNORECASE)


@dataclass(frozen=True)
class Comparison:
    """`column operator value`; a text keeps its quotes off, a number is exact."""

    column: str
    operator: str
    value: str | Fraction


def comparisons(text: str) -> Iterator[Comparison]:
    """Every plain comparison, those of `BETWEEN` and `IN` included."""
    for column, low, high in _BETWEEN.findall(text):
        yield Comparison(column, ">=", _value(low))
        yield Comparison(column, "<=", _value(high))
    for column, values in _IN.findall(text):
        for literal in re.findall(_LITERAL, values):
            yield Comparison(column, "=", _value(literal))
    for column, operator, literal in _COMPARISON.findall(text):
        yield Comparison(column, operator, _value(literal))


def is_contradiction(text: str) -> bool:
    """Whether comparisons joined by AND alone leave no number for some column: `a > 30 AND a <= 30`."""
    if _NOT_PLAIN.search(_IN.sub("", text)):
        return False
    bounds: dict[str, list[tuple[str, Fraction]]] = {}
    for one in comparisons(_IN.sub("", text)):
        if isinstance(one.value, Fraction):
            bounds.setdefault(one.column, []).append((one.operator, one.value))
    return any(_is_empty(of_column) for of_column in bounds.values())


def _is_empty(bounds: list[tuple[str, Fraction]]) -> bool:
    """Whether no number meets all bounds of one column."""
    lows = [(value, operator == ">") for operator, value in bounds if operator in {">", ">=", "="}]
    highs = [(value, operator == "<") for operator, value in bounds if operator in {"<", "<=", "="}]
    return any(low > high or (low == high and (is_open or is_cut)) for low, is_open in lows for high, is_cut in highs)


def _value(literal: str) -> str | Fraction:
    return literal[1:-1] if literal.startswith("'") else Fraction(literal)


def plain(text: str) -> str:
    """The condition without what does not change its meaning: spaces and capitals outside of quotes."""
    parts = re.split(r"('[^']*')", text)
    return "".join(part if part.startswith("'") else re.sub(r"\s+", "", part).lower() for part in parts)
