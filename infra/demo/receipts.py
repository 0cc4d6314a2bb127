"""What both demo brands say about the arrival of a file. No file is read here."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Receipt:
    """Export files that arrive together."""

    month: str
    """Business month (YYYY-MM) whose refresh is the first to know these files."""
    channel: str
    paths: tuple[str, ...]
    """Files, or one folder of files, below the brand's export folder."""
    exported_at: datetime | None
    """UTC instant at which the back office made the files; None where each tells by itself."""
    received_at: datetime
    """UTC instant at which Strata gets them."""


def day_after(month: str) -> date:
    """Return the first day after a month: the date on which its files arrive and its refresh runs."""
    year, number = (int(part) for part in month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1)
