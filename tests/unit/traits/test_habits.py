"""Habits against a plain reading of their definitions, order by order."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.policy.habits import Habits
from tasks.transforms.traits.habits import judge_price, keep_habits
from tests.support.examples import examples
from tests.unit.traits.grounds import AS_OF, POLICY, by_customer, ground, orders

ZONE = ZoneInfo("Asia/Shanghai")
BANDS = {0: "night", 6: "morning", 11: "noon", 14: "afternoon", 18: "evening", 22: "night"}
CODES = ("night", "morning", "noon", "afternoon", "evening")


def paid(one_id: int, at: datetime, fen: int = 100, **more: Any) -> dict[str, Any]:
    """An order paid at an instant of the business zone."""
    return {"one_id": one_id, "paid_at": at.astimezone(UTC), "paid_on": at.date(), "paid_fen": fen, **more}


def june(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=ZONE)


def test_hours_weekdays_and_bands():
    evening, morning = june(5, 20, 30), june(6, 9)
    rows = orders(
        paid(1, evening), paid(1, evening + timedelta(days=7, hours=1)), paid(1, morning), paid(1, morning),
        paid(2, evening),
        paid(3, june(5)), paid(3, june(12)),
    )  # fmt: skip
    told = by_customer(keep_habits(ground(orders=rows)))
    names = ("preferred_hour", "preferred_hour_band", "preferred_weekday")
    # Two each: the earlier band and weekday; 9 o'clock has two by itself.
    assert [told[1][name] for name in names] == [9, "morning", 5]
    assert [told[2][name] for name in names] == [None, None, None], "one order is no habit"
    assert [told[3][name] for name in names] == [None, None, 5], "midnight sharp tells no hour"


def test_windows_of_spend():
    days = (0, 29, 30, 89, 90, 179, 180)
    rows = orders(*(paid(1, june(30, 12) - timedelta(days=n), 10**i) for i, n in enumerate(days)))
    told = by_customer(keep_habits(ground(orders=rows)))[1]
    names = ("orders_30d", "orders_90d", "spend_90d_fen", "spend_prev_90d_fen")
    assert [told[name] for name in names] == [2, 4, 1111, 110_000]
    assert told["max_month_spend_fen"] == 1_100_000, "the first two days of January"


def test_price_sensitivity_by_discount_or_by_coupons():
    rows = pl.LazyFrame(
        {"frequency": [1, 1, 1, 1, 0], "discount_rate": [0.2, 0.19, 0.0, None, None],
         "coupon_rate": [0.0, 0.0, 0.5, 0.1999, None]}
    )  # fmt: skip
    told = judge_price(rows, ground()).collect().get_column("price_sensitivity").to_list()
    assert told == ["high", "middle", "high", "low", None]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hour_bands": [{"code": "night", "from_hour": 1}]}, "must start at 0"),
        ({"hour_bands": [{"code": "dawn", "from_hour": 0}]}, "band dawn has no label"),
    ],
)
def test_bands_cover_the_day_and_have_names(change, words):
    with pytest.raises(ValidationError, match=words):
        Habits.model_validate(POLICY.habits.model_dump() | change)


INSTANTS = st.builds(
    lambda days, hours, minutes: june(30, hours * 4, minutes) - timedelta(days=days),
    st.integers(0, 425), st.integers(0, 5), st.integers(0, 1),
)  # fmt: skip
ROWS = st.lists(
    st.builds(paid, st.integers(1, 3), INSTANTS, st.integers(0, 9), gross_fen=st.integers(0, 12)), max_size=12
)


@settings(max_examples=examples(40), deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_equal_to_a_plain_reading_whatever_the_order_of_rows(rows, random):
    random.shuffle(rows)
    told = by_customer(keep_habits(ground(orders=orders(*rows))))
    assert told == {one_id: expected for one_id in (1, 2, 3) if (expected := plainly(rows, one_id))}


def plainly(rows: list[dict[str, Any]], one_id: int) -> dict[str, Any] | None:
    own = [row for row in rows if row["one_id"] == one_id and row["paid_fen"] > 0]
    months = [f"{2025 + (m - 1) // 12}-{(m - 1) % 12 + 1:02}" for m in range(7, 19)]
    by_month = Counter()
    for row in own:
        by_month[f"{row['paid_on']:%Y-%m}"] += row["paid_fen"]
    window = [row for row in own if row["paid_on"] > AS_OF - timedelta(days=365)]
    if not window and not any(by_month[month] for month in months):
        return None
    local = [row["paid_at"].astimezone(ZONE) for row in window]
    hours = [at.hour for at in local if (at.hour, at.minute, at.second) != (0, 0, 0)]
    prices = [max(row["gross_fen"], row["paid_fen"]) for row in window]
    return {
        "preferred_hour": _most(hours, int),
        "preferred_hour_band": _most((BANDS[max(h for h in BANDS if h <= hour)] for hour in hours), CODES.index),
        "preferred_weekday": _most((row["paid_on"].isoweekday() for row in window), int),
        "orders_30d": sum(_days(row) < 30 for row in own),
        "orders_90d": sum(_days(row) < 90 for row in own),
        "spend_90d_fen": sum(row["paid_fen"] for row in own if _days(row) < 90),
        "spend_prev_90d_fen": sum(row["paid_fen"] for row in own if 90 <= _days(row) < 180),
        "max_month_spend_fen": max(by_month[month] for month in months),
        "discount_rate": round(1 - sum(row["paid_fen"] for row in window) / sum(prices), 4) if window else None,
    }


def _most(values: Iterable[Any], place: Callable[[Any], int]) -> Any:
    counts = Counter(values)
    if counts.total() < 2:
        return None
    return min(counts, key=lambda value: (-counts[value], place(value)))


def _days(row: dict[str, Any]) -> int:
    return (AS_OF - date.fromisoformat(str(row["paid_on"]))).days
