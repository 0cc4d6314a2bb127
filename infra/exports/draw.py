"""Seeded draws as Polars expressions: a row's draw depends on its number and the question, on nothing beside it."""

import hashlib

import polars as pl

ROW = "number"
"""The column of whole numbers that names a row in every frame of this package."""
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_ALL = 1 << 64


def draw(question: str, below: int, by: str | pl.Expr = ROW) -> pl.Expr:
    """A whole number from 0 to `below` - 1 for each row: SplitMix64 of `by`, salted with the question."""
    row = pl.col(by) if isinstance(by, str) else by
    mixed = row.cast(pl.UInt64) * _word(_GOLDEN) + _word(_salt(question))
    mixed = (mixed ^ (mixed // _word(1 << 30))) * _word(_FIRST)
    mixed = (mixed ^ (mixed // _word(1 << 27))) * _word(_SECOND)
    return ((mixed ^ (mixed // _word(1 << 31))) % _word(below)).cast(pl.Int64)


def chance(question: str, in_1000: int, by: str | pl.Expr = ROW) -> pl.Expr:
    """True for about `in_1000` rows of a thousand."""
    return draw(question, 1000, by) < in_1000


def pick(question: str, choices: tuple[str, ...] | list[str], by: str | pl.Expr = ROW) -> pl.Expr:
    """One of the choices for each row."""
    if len(choices) == 1:
        return pl.lit(choices[0])
    return draw(question, len(choices), by).replace_strict(
        list(range(len(choices))), list(choices), return_dtype=pl.String
    )


def drawn(question: str, below: int) -> int:
    """One draw that belongs to no row."""
    return _salt(question) % below


def _salt(question: str) -> int:
    return int.from_bytes(hashlib.sha256(question.encode()).digest()[:8], "big") % _ALL


def _word(number: int) -> pl.Expr:
    return pl.lit(number, pl.UInt64())
