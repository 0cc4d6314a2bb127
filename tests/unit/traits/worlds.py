"""Small worlds for the traits: numbered customers who order, do things and get messages, days counted back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.traits import Ground, Measure, Verdict, tell
from tests.unit.transforms import builders

AS_OF = date(2026, 3, 31)
Row = dict[str, object]
ORDER_TYPES = {"has_coupon": pl.Boolean, "is_qualifying": pl.Boolean, "net_fen": pl.Int64}


@cache
def policy() -> Policy:
    return builders.demo_policy()


def on(days_ago: int) -> date:
    return AS_OF - timedelta(days=days_ago)


def at(days_ago: int, hour: int = 4) -> datetime:
    """An instant so many business days before as_of; 4:00 UTC is noon in Shanghai."""
    return datetime.combine(on(days_ago), time(hour), UTC)


def event(who: int, kind: str, days_ago: int) -> Row:
    return {"one_id": who, "event": kind, "happened_at": at(days_ago), "happened_on": on(days_ago)}


def order(who: int, days_ago: int, fen: int = 10_000, **more: object) -> Row:
    made = {"one_id": who, "paid_at": at(days_ago), "paid_on": on(days_ago), "paid_fen": fen, "gross_fen": fen}
    return {**made, "payment_method": None, "net_fen": fen, "has_coupon": False, "is_qualifying": fen > 0, **more}


def touch(who: int, campaign: str, kind: str, days_ago: int) -> Row:
    made = {"one_id": who, "campaign": campaign, "kind": kind, "send_on": on(days_ago), "happened_at": at(days_ago)}
    return {**made, "send_id": f"vendor/{campaign}/{on(days_ago)}", "recipient_key": f"phone::{who}"}


def _frame(table: str, rows: Sequence[Row], **types: Any) -> pl.LazyFrame:
    schema = {**TABLES[table].schema, **types, "one_id": pl.Int64}
    return pl.DataFrame(list(rows), schema=schema, orient="row").lazy()


def ground(
    count: int, *, customers: Sequence[Row] = (), rules: Policy | None = None, **tables: Sequence[Row]
) -> Ground:
    """So many customers, with what is given of them (rows may name `one_id` and columns of customers) and happened."""
    given = {row["one_id"]: row for row in customers}
    people = [{"one_id": number, **given.get(number, {})} for number in range(count)]
    return Ground(
        as_of=AS_OF,
        policy=rules or policy(),
        zone="Asia/Shanghai",
        names=pl.LazyFrame({"one_id": range(count), "name": [f"c_{n:03}" for n in range(count)]}),
        customers=_frame("customers", people, max_month_spend_fen=pl.Int64),
        orders=_frame("orders", tables.get("orders", ()), **ORDER_TYPES),
        lines=TABLES["order_lines"].empty(),
        products=TABLES["products"].empty(),
        events=_frame("events", tables.get("events", ())),
        event_kinds=frozenset(str(row["event"]) for row in tables.get("events", ())),
        members=_frame("members", tables.get("members", ())),
        follows=_frame("follows", tables.get("follows", ())),
        touches=_frame("touches", tables.get("touches", ())),
    )


def told(world: Ground, measures: Sequence[Measure], verdicts: Sequence[Verdict] = ()) -> list[dict[str, Any]]:
    """One row per customer in their order: what the measures found, and the verdicts on it."""
    return tell(world, measures, verdicts).sort("one_id").collect().to_dicts()
