"""A small shop at two dates: who bought what, when that became known, and the moves between the dates with causes."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.before import Before
from tasks.transforms.customers import layer_customers
from tasks.transforms.identity import resolve
from tasks.transforms.inputs import Inputs
from tasks.transforms.orders import known_at, known_refunds
from tasks.transforms.refresh import moves_of
from tests.unit.transforms import builders
from tests.unit.transforms.builders import ladder, noon

FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)
Day = date
Tables = dict[str, pl.DataFrame]


def night(day: date) -> datetime:
    """Knowledge at the end of a day."""
    return datetime.combine(day, time(23), UTC)


def policy(**parts: Any) -> Policy:
    """The demo's rules with a ladder in small money: silver from 500, gold from 2000, spend counts at once."""
    return builders.demo_policy().model_copy(update={"tiers": ladder(), **parts})


@dataclass(frozen=True)
class World:
    """What happened, and when the shop's files said so."""

    orders: tuple[tuple[str, str, date, int, date], ...]
    """order, customer, paid on, fen, known on."""
    refunds: tuple[tuple[str, date, int, date], ...] = ()
    """order, refunded on, fen, known on."""
    joined: tuple[tuple[str, str, date], ...] = ()
    """Two customers who turn out to be one, and the day on which they are seen together."""
    members: tuple[tuple[str, date], ...] = ()
    """Customers who only joined."""
    rules: tuple[Policy, Policy] = field(default_factory=lambda: (policy(), policy()))

    def months(self) -> tuple[Tables, Tables]:
        """February, and March after it."""
        first = _tables(self.inputs(FEBRUARY), self.rules[0], FEBRUARY)
        then = replace(
            self.inputs(MARCH),
            previous_as_of=FEBRUARY,
            previous_customers=first["customers"].lazy(),
            previous_identities=first["identities"].lazy(),
            previous_cutoffs=first["cutoffs"].lazy(),
            before=Before(self.rules[0], night(FEBRUARY), night(MARCH), self._orders(), self._refunds()),
        )
        return first, _tables(then, self.rules[1], MARCH)

    def ids(self) -> dict[str, str]:
        """The customer of each name, as February knows them."""
        seen = self.inputs(FEBRUARY)
        found = resolve(seen.sightings, seen.links, self.rules[0].identity, as_of=FEBRUARY, zone=seen.zone).identities
        return {key.split(":")[-1]: one_id for key, one_id in found.select("key", "one_id").collect().iter_rows()}

    def moves(self) -> pl.DataFrame:
        """Everybody's moves to March, customers under the names of this world."""
        _, march = self.months()
        names = march["identities"].select("one_id", who=pl.col("key").str.split(":").list.last())
        first = names.sort("who").unique("one_id", keep="first", maintain_order=True)
        return march["migrations"].join(first, on="one_id", how="left")

    def causes(self, dimension: str = "tier") -> dict[str, tuple[str, str, str | None]]:
        """Label before, label now and cause of everybody."""
        moves = self.moves().filter(dimension=dimension)
        return {who: told for who, *told in moves.select("who", "from_code", "to_code", "cause").iter_rows()}

    def inputs(self, day: date) -> Inputs:
        known = night(day)
        return Inputs(
            orders=self._orders().pipe(known_at, known_as_of=known),
            order_lines=builders.rows("order_lines"),
            refunds=self._refunds().pipe(known_refunds, known_as_of=known),
            products=builders.rows("products"),
            sightings=self._sightings().filter(pl.col("known_from") <= known),
            zone="Asia/Shanghai",
            currency="CNY",
        )

    def _orders(self) -> pl.LazyFrame:
        common = {"channel": "shop", "shop_id": "main", "kind": "purchase", "status": "finished", "currency": "CNY"}
        made = [
            {"order_id": order, "buyer_key": _key(who), "ordered_at": noon(day), "paid_at": noon(day), "paid_on": day,
             "paid_fen": fen, "gross_fen": fen, "refunded_fen": 0, "known_from": noon(known)}
            for order, who, day, fen, known in self.orders
        ]  # fmt: skip
        return builders.rows("orders", *made, **common)

    def _refunds(self) -> pl.LazyFrame:
        made = [
            {"order_id": order, "refund_id": f"r{n}", "refunded_on": day, "refund_fen": fen, "known_from": noon(known)}
            for n, (order, day, fen, known) in enumerate(self.refunds)
        ]
        common = {"channel": "shop", "shop_id": "main", "refund_state": "paid_back", "refund_basis": "itemised"}
        return builders.rows("refunds", *made, **common)

    def _sightings(self) -> pl.LazyFrame:
        seen = [_seen(f"order:shop:main:{order}", who, day, known) for order, who, day, _, known in self.orders]
        seen += [_seen(f"member:{who}", who, day, day) for who, day in self.members]
        for one, other, day in self.joined:
            seen += [_seen(f"bind:{one}:{other}", who, day, day, evidence=1) for who in (one, other)]
        return builders.rows("sightings", *seen)


def _key(who: str) -> str:
    """People whose name begins with a small letter are known by a card, others by a phone."""
    return f"member:shop:{who}" if who[0].islower() else f"phone::{who}"


def _seen(record: str, who: str, day: date, known: date, evidence: int = 3) -> dict[str, Any]:
    kind, scope, pseudonym = _key(who).split(":")
    return {"record": record, "key": _key(who), "key_type": kind, "key_scope": scope, "pseudonym": pseudonym,
            "key_role": "identity", "evidence_rank": evidence, "seen_at": noon(day), "channel": "shop",
            "known_from": noon(known)}  # fmt: skip


def _tables(inputs: Inputs, rules: Policy, day: date) -> Tables:
    """The tables that moves rest on, and the moves."""
    layers = layer_customers(inputs, rules, day)
    moves = moves_of(inputs, rules, layers.customers, layers.identities, layers.identity_changes, day)
    found = {"customers": layers.customers, "identities": layers.identities, "cutoffs": layers.cutoffs}
    return {name: rows.collect() for name, rows in (found | {"migrations": moves}).items()}
