"""A Ground of literal rows, with everything else empty."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.traits.ground import Ground
from tests.unit.transforms.builders import demo_policy

AS_OF = date(2026, 6, 30)
POLICY = demo_policy()
_NET = {
    "channel": pl.String, "shop_id": pl.String, "order_id": pl.String, "one_id": pl.Int64,
    "payment_method": pl.String, "paid_at": pl.Datetime("us", "UTC"), "paid_on": pl.Date,
    "gross_fen": pl.Int64, "paid_fen": pl.Int64,
    "refunded_fen": pl.Int64, "net_fen": pl.Int64, "has_coupon": pl.Boolean, "is_qualifying": pl.Boolean,
}  # fmt: skip


def ground(policy: Policy = POLICY, as_of: date = AS_OF, **frames: Any) -> Ground:
    """The given frames; rows of orders may leave out what `order` fills in."""
    empty = {name: _owned(TABLES[name].empty()) for name in ("events", "members", "follows", "touches", "customers")}
    given = {
        "names": pl.LazyFrame(schema={"one_id": pl.Int64, "name": pl.String}),
        "orders": orders(), "lines": TABLES["order_lines"].empty(), "products": TABLES["products"].empty(),
        "event_kinds": frozenset(), "zone": "Asia/Shanghai",
    }  # fmt: skip
    return Ground(as_of=as_of, policy=policy, **{**empty, **given, **frames})


def _owned(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(one_id=pl.lit(None, pl.Int64))


def orders(*given: dict[str, Any]) -> pl.LazyFrame:
    """Net orders; what is not given follows from what is."""
    return pl.LazyFrame([_order(number, row) for number, row in enumerate(given)], _NET, orient="row")


def _order(number: int, row: dict[str, Any]) -> dict[str, Any]:
    paid_fen = row.get("paid_fen", 100)
    day = row.get("paid_on", AS_OF)
    common = {
        "channel": "shop", "shop_id": "main", "order_id": str(number), "paid_on": day, "paid_fen": paid_fen,
        "gross_fen": paid_fen, "refunded_fen": 0, "net_fen": paid_fen, "has_coupon": False,
        "is_qualifying": row.get("net_fen", paid_fen) > 0,
        "paid_at": datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
    }  # fmt: skip
    return {**common, **row}


def events(*given: tuple[int, str, date]) -> pl.LazyFrame:
    """Events of (one_id, event, happened_on)."""
    return pl.LazyFrame(list(given), {"one_id": pl.Int64, "event": pl.String, "happened_on": pl.Date}, orient="row")


def by_customer(rows: pl.LazyFrame) -> dict[int, dict[str, Any]]:
    """Each customer's row."""
    found = rows.collect()
    made = {row.pop("one_id"): row for row in found.iter_rows(named=True)}
    assert len(made) == found.height
    return made
