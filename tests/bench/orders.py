"""Seeded orders for the bench: skewed customers, log-normal baskets, three years of months."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

AS_OF = date(2026, 10, 31)
MONTH_BEFORE = date(2026, 9, 30)
_MONTHS = 36
_PER_CUSTOMER = 9
"""Orders per customer over three years, on average."""
_WORTHLESS = 0.003
"""Share of orders without value: Complete Journey has 478 in 155,848."""


def write_orders(path: Path, count: int, seed: int = 7) -> None:
    """One row per order (one_id, paid_on, paid_fen), month by month as a lake holds them."""
    draw = np.random.default_rng(seed)
    customers = max(count // _PER_CUSTOMER, 1)
    first = AS_OF.toordinal() - _MONTHS * 30
    months = [_month(draw, n, customers, first + 30 * number) for number, n in enumerate(_sizes(count))]
    pl.concat(months).write_parquet(path, row_group_size=1_000_000)


def _sizes(count: int) -> list[int]:
    """Orders per month; the last takes what division leaves."""
    size = count // _MONTHS
    return [size] * (_MONTHS - 1) + [count - size * (_MONTHS - 1)]


def _month(draw: np.random.Generator, count: int, customers: int, start: int) -> pl.DataFrame:
    """Few customers buy often: the square of a uniform number crowds at the low ids, which are then spread out."""
    rank = (draw.random(count) ** 2 * customers).astype(np.int64)
    baskets = np.exp(draw.normal(9.0, 0.9, count)).astype(np.int64)
    baskets[draw.random(count) < _WORTHLESS] = 0
    epoch = date(1970, 1, 1).toordinal()
    days = (start + 1 + draw.integers(0, 30, count) - epoch).astype(np.int32)
    frame = pl.DataFrame({"one_id": rank * 7919 % customers, "paid_on": days, "paid_fen": baskets})
    return frame.with_columns(pl.col("paid_on").cast(pl.Date))
