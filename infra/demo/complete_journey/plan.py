"""When the files of Complete Journey arrive: each month's folder on the first of the next month."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from infra.demo.receipts import Receipt, day_after

CHANNEL = "complete_journey"
ZONE = ZoneInfo("America/New_York")
"""The shop's business zone, the same as in policy/brand.yaml."""
MONTHS = tuple(f"2017-{number:02d}" for number in range(1, 13))
MORNING = time(6, 0)
"""Local hour of the nightly export; midnight UTC would lie before the last baskets of the month."""


def ends_at(month: str) -> datetime:
    """Return the UTC instant at which the business month is over."""
    return datetime.combine(day_after(month), time(), ZONE).astimezone(UTC)


def receipt_of(month: str) -> Receipt:
    """Return what arrives for one month: exported and received at six in the morning of the next first."""
    morning = datetime.combine(day_after(month), MORNING, ZONE).astimezone(UTC)
    return Receipt(month=month, channel=CHANNEL, paths=(month,), exported_at=morning, received_at=morning)


RECEIPTS: tuple[Receipt, ...] = tuple(receipt_of(month) for month in MONTHS)
