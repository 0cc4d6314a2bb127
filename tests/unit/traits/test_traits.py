"""The table traits from known rows: whose an event is, what lies ahead of the date, one row for everybody."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.transforms.customers import Layers, layer_customers
from tasks.transforms.inputs import Inputs
from tasks.transforms.traits import ground_of, traits_of
from tests.unit.traits.worlds import AS_OF, at, on, policy
from tests.unit.transforms import builders


def key(name: str) -> str:
    return f"member:shop:{name}"


def login(name: str, days_ago: int) -> dict[str, object]:
    return {"channel": "site", "event_id": f"{name}{days_ago}", "event": "login", "customer_key": key(name),
            "happened_at": at(days_ago), "happened_on": on(days_ago)}  # fmt: skip


def receipt(recipient: str, one_id: str | None, kind: str, days_ago: int) -> dict[str, object]:
    return {"send_id": "v/winback/2026-03-01", "campaign": "winback", "recipient_key": recipient, "one_id": one_id,
            "kind": kind, "happened_at": at(days_ago), "send_on": on(days_ago)}  # fmt: skip


EVENTS = [login("p", 25), login("p", 15), login("a", 40), login("b", -1)]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """Ann and Bea, and a number `p` with which somebody logged in."""
    empty = {name: TABLES[name].empty() for name in ("order_lines", "refunds", "products")}
    orders = builders.orders(("o1", key("a"), on(3), 500))
    seen = builders.sightings(*((name, datetime(2024, 1, 1, tzinfo=UTC)) for name in "ab"))
    events = builders.rows("events", *EVENTS)
    return Inputs(**empty, orders=orders, sightings=seen, events=events, zone="Asia/Shanghai", currency="CNY")


@pytest.fixture(scope="module")
def layers(inputs: Inputs) -> Layers:
    return layer_customers(inputs, policy(), AS_OF)


def told(inputs: Inputs, layers: Layers, identities: pl.LazyFrame) -> dict[str, dict[str, Any]]:
    """Member name to their row."""
    rows = traits_of(inputs, policy(), AS_OF, identities, layers.customers).collect()
    assert rows.schema == TABLES["traits"].schema
    assert rows["one_id"].to_list() == layers.customers.collect()["one_id"].to_list()
    ids = dict(layers.identities.select("one_id", "key").collect().iter_rows())
    return {ids[row["one_id"]][-1]: row for row in rows.to_dicts()}


def test_everybody_has_a_row_and_what_lies_ahead_has_not_happened(inputs: Inputs, layers: Layers):
    rows = told(inputs, layers, layers.identities)
    assert [(rows[name]["days_since_login"], rows[name]["activity"]) for name in "ab"] == [(40, "none"), (None, "none")]


def test_an_event_is_of_whoever_had_the_number_then(inputs: Inputs, layers: Layers):
    """A number that changed hands 20 days ago: what was done with it before was somebody else's doing."""
    ids = dict(layers.identities.select("key", "one_id").collect().iter_rows())
    epochs = builders.rows(
        "identities",
        {"key": key("p"), "epoch": 1, "one_id": ids[key("a")], "own_id": ids[key("a")], "valid_to": at(20)},
        {"key": key("p"), "epoch": 2, "one_id": ids[key("b")], "own_id": ids[key("b")], "valid_from": at(20)},
    )
    rows = told(inputs, layers, pl.concat([layers.identities, epochs]))
    assert [rows[name]["days_since_login"] for name in "ab"] == [25, 15]


def test_a_message_is_of_whoever_its_receiver_is_now_and_a_receipt_of_who_has_the_number(
    inputs: Inputs, layers: Layers
):
    ids = dict(layers.identities.select("key", "one_id").collect().iter_rows())
    merged = builders.rows("identities", {"key": key("z"), "epoch": 1, "one_id": ids[key("a")], "own_id": "c_old"})
    sent = builders.rows(
        "touches",
        receipt("phone::1", "c_old", "handed_over", 9), receipt(key("b"), None, "delivered", 9),
        receipt("phone::2", None, "delivered", 9), receipt(key("a"), None, "delivered", -1),
    )  # fmt: skip
    rows = ground_of(
        replace(inputs, touches=sent), policy(), AS_OF, pl.concat([layers.identities, merged]), layers.customers
    )
    reached = rows.touches.join(rows.names, on="one_id").select("name", "kind").collect()
    assert sorted(reached.rows()) == sorted([(ids[key("a")], "handed_over"), (ids[key("b")], "delivered")])
