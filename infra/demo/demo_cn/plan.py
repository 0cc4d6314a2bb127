"""When the invented brand's files arrive, March to June 2026: a month's folder on the first of the next."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from infra.demo.receipts import Receipt, day_after

EXPORTS = Path(__file__).parent / "exports"
"""The small samples, as they are under version control."""
ZONE = ZoneInfo("Asia/Shanghai")
MONTHS = ("2026-03", "2026-04", "2026-05", "2026-06")
EXPORTED, RECEIVED = time(8), time(9)
"""Local hours at which the back offices export, and at which Strata gets the files."""


def _at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE).astimezone(UTC)


RECEIPTS: tuple[Receipt, ...] = (
    Receipt(
        month="2026-03",
        channel="taobao",
        paths=("taobao_ExportOrderList202603211200.csv", "taobao_ExportOrderDetailList202603211200.csv"),
        exported_at=_at(3, 21, 12),
        received_at=_at(3, 21, 18),
    ),
    Receipt(
        month="2026-05",
        channel="youzan",
        paths=("youzan_orders_20260601.csv", "youzan_customers_20260601.csv"),
        exported_at=_at(6, 1, 8),
        received_at=_at(6, 1, 9),
    ),
    Receipt(
        month="2026-06",
        channel="wecom",
        paths=("wecom_external_contacts.jsonl",),
        exported_at=_at(6, 2, 8),
        received_at=_at(6, 2, 9),
    ),
)
"""The samples alone, each on the day for which it was made."""


def first_of(month: str) -> datetime:
    """Return the instant at which the business month begins."""
    return datetime.combine(date.fromisoformat(f"{month}-01"), time(), ZONE).astimezone(UTC)


def exported_at(month: str) -> datetime:
    """Return the instant at which the files of a month are made: in the morning after its end."""
    return datetime.combine(day_after(month), EXPORTED, ZONE).astimezone(UTC)


def receipt_of(month: str) -> Receipt:
    """Return what arrives for one month; each file tells by its name when it was made, or was made when it came."""
    received = datetime.combine(day_after(month), RECEIVED, ZONE).astimezone(UTC)
    return Receipt(month=month, channel="demo_cn", paths=(month,), exported_at=None, received_at=received)


MONTHLY: tuple[Receipt, ...] = tuple(receipt_of(month) for month in MONTHS)
"""Generated files and samples together, as the demo takes them in."""
