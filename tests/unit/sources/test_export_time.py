"""When a file was exported, as its name tells; a name that tells nonsense stops no ingest."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.sources.read import _as_named

RECEIVED = datetime(2026, 6, 2, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("202603211200", "%Y%m%d%H%M", datetime(2026, 3, 21, 4, tzinfo=UTC)),
        ("20260531", "%Y%m%d", datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC)),
        ("20260602", "%Y%m%d", RECEIVED),
        ("1780000000", "epoch_s", datetime.fromtimestamp(1_780_000_000, UTC)),
        ("202613991200", "%Y%m%d%H%M", RECEIVED),
        ("99999999999999999999", "epoch_s", RECEIVED),
    ],
)
def test_a_name_tells_an_instant_or_nothing(text: str, pattern: str, expected: datetime):
    assert _as_named(text, pattern, SHANGHAI, RECEIVED) == expected
