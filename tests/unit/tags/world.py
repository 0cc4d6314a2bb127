"""Raw rows to people, by hand: whose a row is, what an order was worth at a date, what was said and done by then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from tests.unit.tags.by_hand import facts_by_hand, scores_by_hand
from tests.unit.tags.oracle import Person, Row, World

PAID = {"paid", "shipped", "finished", "closed", "cancelled"}
Order = tuple[str, str, str]


@dataclass(frozen=True)
class Known:
    """What a refresh knew: every version of every row of a lake, its date, and up to when it knew them."""

    tables: Mapping[str, pl.DataFrame]
    day: date
    known: datetime
    zone: str
    currency: str

    def rows(self, table: str) -> Iterable[Row]:
        """The versions that held at the time."""
        return (row for row in self.versions(table) if not row.get("known_to") or row["known_to"] > self.known)

    def versions(self, table: str) -> Iterable[Row]:
        return (row for row in self.tables[table].iter_rows(named=True) if row["known_from"] <= self.known)


class Owners:
    """Whose key it is at an instant."""

    def __init__(self, identities: pl.DataFrame) -> None:
        """Note every stretch of every key."""
        self._stretches: dict[str, list[Row]] = defaultdict(list)
        for row in identities.iter_rows(named=True):
            self._stretches[row["key"]].append(row)

    def knows(self, key: str) -> bool:
        return key in self._stretches

    def of(self, key: str | None, at: datetime | None) -> str | None:
        for row in self._stretches.get(key or "", ()):
            if _is_within(at, row["valid_from"], row["valid_to"]):
                return str(row["one_id"])
        return None


def _is_within(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if at is None:
        return since is None
    return (since is None or since <= at) and (until is None or at < until)


def world_of(known: Known, made: Mapping[str, pl.DataFrame], before: pl.DataFrame | None = None) -> World:
    """Everybody at the date. What is worked out by hand takes the place of what the tables customers and traits say.

    Args:
        known: the raw rows.
        made: identities, customers and traits of the date.
        before: the tags of the date before.
    """
    owners = Owners(made["identities"])
    traits = {row["one_id"]: row for row in made["traits"].iter_rows(named=True)}
    people = {
        row["one_id"]: Person(known.day, traits[row["one_id"]] | row) for row in made["customers"].iter_rows(named=True)
    }
    for row in () if before is None else before.iter_rows(named=True):
        if row["one_id"] in people:
            people[row["one_id"]].before = row
    paid, kinds = _bought(known, owners, people), _did(known, owners, people)
    _said(known, owners, people)
    for name, person in people.items():
        person.facts = person.facts | facts_by_hand(person, paid[name], kinds, known.zone)
    for name, scores in scores_by_hand(people).items():
        people[name].facts |= scores
    return World(people)


def _bought(known: Known, owners: Owners, people: Mapping[str, Person]) -> dict[str, int]:
    """Give everybody their qualifying orders, and count all that they ever paid."""
    back, lines, lost = _paid_back(known), _lines(known), _next_keys(known, owners)
    paid: dict[str, int] = defaultdict(int)
    for row in known.rows("orders"):
        order = (row["channel"], row["shop_id"], row["order_id"])
        counts = row["kind"] == "purchase" and row["status"] in PAID and row["currency"] == known.currency
        if not counts or row["paid_on"] is None or row["paid_on"] > known.day:
            continue
        key = row["buyer_key"]
        if key and key.startswith(("phone:", "email:")) and not owners.knows(key):
            key = lost.get(order, key)
        name = owners.of(key, row["ordered_at"])
        if name is None:
            continue
        paid[name] += 1
        net = max(row["paid_fen"] - back.get(order, 0), 0)
        if net > 0:
            has_coupon = (row["coupon_fen"] or 0) > 0
            people[name].orders.append(row | {"net_fen": net, "has_coupon": has_coupon, "lines": lines.get(order, [])})
    return paid


def _paid_back(known: Known) -> dict[Order, int]:
    """What had been paid back on each order by the date: the larger of all refunds and of the latest total shown."""
    open_until: dict[tuple[Any, ...], date] = {}
    for row in known.rows("refunds"):
        if row["refunded_on"] is not None:
            name = _refund(row)
            open_until[name] = max(open_until.get(name, row["refunded_on"]), row["refunded_on"])
    held: dict[Order, list[Row]] = defaultdict(list)
    for row in known.versions("refunds"):
        is_open = row["known_to"] is None or row["known_to"] > known.known
        latest = open_until.get(_refund(row))
        is_earlier = row["refund_basis"] != "itemised" and latest is not None and row["refunded_on"] is not None
        if is_open or (is_earlier and row["refunded_on"] < latest):
            held[(row["channel"], row["shop_id"], row["order_id"])].append(row)
    return {order: _back(rows, known.day) for order, rows in held.items()}


def _refund(row: Row) -> tuple[Any, ...]:
    return row["channel"], row["shop_id"], row["order_id"], row["refund_id"], row["refund_basis"]


def _back(rows: list[Row], day: date) -> int:
    is_proven = any(row["refund_basis"] != "status" for row in rows)
    done = [
        row for row in rows
        if row["refund_state"] == "paid_back" and row["refunded_on"] <= day
        and not (is_proven and row["refund_basis"] == "status")
    ]  # fmt: skip
    itemised = sum(row["refund_fen"] for row in done if row["refund_basis"] == "itemised")
    totals = [(row["refunded_on"], row["refund_fen"]) for row in done if row["refund_basis"] != "itemised"]
    return max(itemised, max(totals)[1] if totals else 0)


def _lines(known: Known) -> dict[Order, list[Row]]:
    products = {(row["channel"], row["shop_id"], row["product_id"]): row for row in known.rows("products")}
    lines: dict[Order, list[Row]] = defaultdict(list)
    for row in known.rows("order_lines"):
        product = products.get((row["channel"], row["shop_id"], row["product_id"]), {})
        named = {"product_name": row["product_name"] or product.get("product_name")}
        named |= {"category": product.get("category"), "brand": product.get("brand")}
        lines[(row["channel"], row["shop_id"], row["order_id"])].append(row | named)
    return lines


def _next_keys(known: Known, owners: Owners) -> dict[Order, str]:
    """For each order of which some key is nobody's: the strongest other key of its record."""
    found: dict[Order, tuple[Any, ...]] = {}
    for row in known.rows("sightings"):
        kind, *order = row["record"].split(":", 3)
        if kind != "order" or row["key_role"] != "identity" or owners.of(row["key"], row["seen_at"]) is None:
            continue
        is_weaker = row["key_type"] in {"phone", "email"}
        found[tuple(order)] = min(found.get(tuple(order), (2,)), (is_weaker, row["evidence_rank"], row["key"]))
    return {order: str(best[2]) for order, best in found.items()}


def _did(known: Known, owners: Owners, people: Mapping[str, Person]) -> set[str]:
    """Give everybody their events; which kinds of event the brand has at all."""
    kinds = set()
    for row in known.rows("events"):
        if row["happened_on"] <= known.day:
            kinds.add(row["event"])
            if name := owners.of(row["customer_key"], row["happened_at"]):
                people[name].events.append(row)
    return kinds


def _said(known: Known, owners: Owners, people: Mapping[str, Person]) -> None:
    """Give everybody their profiles and the advisers who follow them."""
    for row in known.rows("members"):
        if name := owners.of(row["member_key"], row["exported_at"]):
            people[name].profiles.append(row)
    for row in known.rows("follows"):
        if name := owners.of(row["customer_key"], row["followed_at"]):
            people[name].contacts.append(row)
