"""Small literal ground for tags: people called by number, their orders, lines, events and profiles."""

from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl

from expectations.tables import TABLES
from tasks.policy.base import Label
from tasks.policy.models import Policy
from tasks.policy.tags import Tag
from tasks.transforms.tags import tag_customers
from tasks.transforms.traits.ground import Ground
from tests.unit.transforms import builders

LABEL = Label(zh="标签", en="tag")
DAY = date(2026, 3, 31)
SHOP = {"channel": "shop", "shop_id": "main"}
_ORDERS = pl.Schema({
    "channel": pl.String(), "shop_id": pl.String(), "order_id": pl.String(), "one_id": pl.Int64(),
    "paid_on": pl.Date(), "gross_fen": pl.Int64(), "paid_fen": pl.Int64(), "refunded_fen": pl.Int64(),
    "has_coupon": pl.Boolean(), "net_fen": pl.Int64(), "is_qualifying": pl.Boolean(),
})  # fmt: skip


def tag(code: str, **kind: object) -> Tag:
    return Tag.model_validate({"code": code, "label": LABEL, "meaning": LABEL, **kind})


def policy_of(*tags: Tag) -> Policy:
    return builders.demo_policy().model_copy(update={"tags": tags})


def people(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Customers at DAY, with whatever columns the rows have."""
    schema = {**TABLES["traits"].schema, **TABLES["customers"].schema}
    return pl.DataFrame([{"as_of": DAY, **row} for row in rows], schema=schema, orient="row").sort("one_id").lazy()


def tagged(rows: list[dict[str, Any]], *tags: Tag, **seen: Any) -> pl.DataFrame:
    return tag_customers(people(*rows), policy_of(*tags), **seen).collect()


def order(one_id: int, paid_on: date, net_fen: int, **more: Any) -> dict[str, Any]:
    """One order of a customer, as `Ground.orders` has it."""
    made = {**SHOP, "order_id": f"{one_id}-{paid_on}", "one_id": one_id, "paid_on": paid_on, "gross_fen": net_fen}
    made |= {"paid_fen": net_fen, "refunded_fen": 0, "has_coupon": False, "net_fen": net_fen}
    return made | {"is_qualifying": net_fen > 0} | more


def event(one_id: int, on: date, kind: str, name: str = "", **more: Any) -> dict[str, Any]:
    """One event of a customer, as `Ground.events` has it."""
    made = {**SHOP, "one_id": one_id, "happened_on": on, "happened_at": datetime.combine(on, time(12), UTC)}
    return made | {"event": kind, "event_name": name or kind} | more


def ground(**given: list[dict[str, Any]]) -> Ground:
    """A ground of the given rows, at DAY; a kind that is not given has none."""
    owned = {
        name: {**TABLES[name].schema, "one_id": pl.Int64()} for name in ("events", "members", "follows", "touches")
    }
    schemas = {"orders": _ORDERS, "lines": TABLES["order_lines"].schema, "products": TABLES["products"].schema, **owned}
    frames = {
        name: pl.DataFrame(given.get(name, []), schema=dict(schema), orient="row").lazy()
        for name, schema in schemas.items()
    }
    nobody = pl.LazyFrame(schema={"one_id": pl.Int64(), "name": pl.String()})
    return Ground(
        as_of=DAY,
        policy=builders.demo_policy(),
        zone="UTC",
        names=nobody,
        customers=nobody,
        event_kinds=frozenset(),
        **frames,
    )
