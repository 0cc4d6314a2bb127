"""What stands in a cell of a workbook, as the text that an export in CSV would have.

A number that was an id of 16 digits or more has lost its last ones: it is handed on the way Excel shows
it, `6.91793E+18`, which every parser of ids refuses as destroyed.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

EXACT = 10**15
"""Spreadsheets keep 15 significant digits."""
_SECOND = timedelta(seconds=1)


def number_text(value: float) -> str:
    """Digits of a number without the noise of binary floats: `12345`, `1299.9`."""
    if abs(value) >= EXACT:
        return f"{value:.5E}"
    if value.is_integer():
        return str(int(value))
    short = f"{value:.15g}"
    return format(Decimal(short), "f") if "e" in short else short


def whole_text(value: int) -> str:
    """An old workbook keeps small numbers as integers."""
    return f"{value:.5E}" if abs(value) >= EXACT else str(value)


def instant_text(value: datetime) -> str:
    """Wall clock to the second; a day's fraction as a float is off by microseconds."""
    is_last = value > datetime.max - _SECOND  # noqa: DTZ901  wall clocks
    rounded = value if is_last else value + _SECOND / 2
    return rounded.strftime("%Y-%m-%d %H:%M:%S")


def date_text(value: date) -> str:
    """A date cell is an instant at midnight: its format alone says which it was meant to be."""
    return f"{value.isoformat()} 00:00:00"


def duration_text(value: timedelta) -> str:
    """Hours may be more than a day's."""
    seconds = round(value / _SECOND)
    sign = "-" if seconds < 0 else ""
    minutes, second = divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def time_text(value: time) -> str:
    """Time of day to the second."""
    return value.strftime("%H:%M:%S")


def _bool_text(value: bool) -> str:  # noqa: FBT001  a cell's value
    return "TRUE" if value else "FALSE"


TEXT_OF: Mapping[type, Callable[[Any], str]] = {
    float: number_text, int: whole_text, bool: _bool_text,
    datetime: instant_text, date: date_text, time: time_text, timedelta: duration_text,
}  # fmt: skip
"""Type of a cell as calamine hands it on, to its text; text itself stays as it is."""
