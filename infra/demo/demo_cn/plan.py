"""When the files of the invented brand arrive, March to June 2026."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from infra.demo.receipts import Receipt

EXPORTS = Path(__file__).parent / "exports"
ZONE = ZoneInfo("Asia/Shanghai")
MONTHS = ("2026-03", "2026-04", "2026-05", "2026-06")


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
