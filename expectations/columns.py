"""What a column of the house is, and short ways to write down one of each usual type."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

Pii = Literal["none", "pseudonym", "sealed"]
INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One column of the house, declared once."""

    name: str
    dtype: pl.DataType
    meaning: str
    null_meaning: str = "not known"
    unit: str = ""
    codes: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    pii: Pii = "none"
    logical: bool = True
    """False for what depends on when or by whom a thing was recorded: left out of digests."""


MAX_FEN = 10**15
"""Ten trillion yuan: no order, sum or reward of a retailer comes near, an overflow does."""


def text(name: str, meaning: str, null: str = "not known", codes: tuple[str, ...] = (), pii: Pii = "none") -> Column:
    """Text, of `codes` alone where there are any."""
    return Column(name, pl.String(), meaning, null, codes=codes, pii=pii)


def fen(name: str, meaning: str, null: str = "not known", minimum: int = 0) -> Column:
    """Money in fen."""
    return Column(name, pl.Int64(), meaning, null, unit="fen", minimum=minimum, maximum=MAX_FEN)


def count(name: str, meaning: str, null: str = "not known") -> Column:
    """A number of things."""
    return Column(name, pl.Int64(), meaning, null, unit="count", minimum=0)


def days(name: str, meaning: str, null: str) -> Column:
    """A number of days."""
    return Column(name, pl.Int64(), meaning, null, unit="days", minimum=0)


def score(name: str, meaning: str) -> Column:
    """A score from 1; 0 is outside the scored base."""
    return Column(name, pl.Int64(), meaning, "never null; 0 is outside the scored base", minimum=0, maximum=10)


def rate(name: str, meaning: str, null: str) -> Column:
    """A share between 0 and 1."""
    return Column(name, pl.Float64(), meaning, null, unit="rate 0-1, rounded to 4 digits", minimum=0, maximum=1)


def on(name: str, meaning: str, null: str = "not known") -> Column:
    """A day of the business zone."""
    return Column(name, pl.Date(), meaning, null, unit="business date")


def at(name: str, meaning: str, null: str = "not known", *, logical: bool = True) -> Column:
    """An instant in UTC."""
    return Column(name, INSTANT, meaning, null, unit="instant, UTC", logical=logical)


def flag(name: str, meaning: str, null: str = "not known") -> Column:
    """Yes or no."""
    return Column(name, pl.Boolean(), meaning, null)
