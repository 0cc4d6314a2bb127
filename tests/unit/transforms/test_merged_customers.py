"""Two customers become one in March: facts from the orders, the state of the id that stands, nobody lost."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from tasks.policy.models import Policy
from tasks.transforms.inputs import Inputs
from tasks.transforms.refresh import refresh
from tests.unit.transforms import builders
from tests.unit.transforms.builders import ladder, noon

FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)
CARD, PHONE, CLERK = "member:shop:card", "phone::ann", "phone::clerk"
POLICY: Policy = builders.demo_policy().model_copy(update={"tiers": ladder(qualify_window_days=90)})
Tables = dict[str, pl.DataFrame]


def seen(record: str, key: str, at: datetime, evidence: int = 3) -> dict[str, Any]:
    kind, scope, pseudonym = key.split(":")
    return {"record": record, "key": key, "key_type": kind, "key_scope": scope, "pseudonym": pseudonym,
            "key_role": "identity", "evidence_rank": evidence, "seen_at": at, "channel": "shop"}  # fmt: skip


BOUGHT = (
    ("1", CARD, date(2026, 1, 10), 300),
    ("2", PHONE, date(2026, 2, 12), 600),
    ("3", PHONE, date(2026, 3, 3), 100),
    ("4", CLERK, date(2026, 3, 4), 70),
)
ON_ORDERS = [seen(f"order:shop:main:{order}", key, noon(day)) for order, key, day, _ in BOUGHT]
CARDS = [seen(f"till:{n}", key, noon(MARCH)) for n in range(4) for key in (f"member:shop:other{n}", CLERK)]
BOUND = [seen("bind:1", key, noon(date(2026, 3, 20)), 1) for key in (CARD, PHONE)]


def inputs() -> Inputs:
    """A card and a phone that bought apart are bound on 20 March; a clerk's phone is beside four other cards."""
    return Inputs(
        orders=builders.orders(*BOUGHT), order_lines=builders.rows("order_lines"), refunds=builders.refunds(),
        products=builders.rows("products"), sightings=builders.rows("sightings", *ON_ORDERS, *CARDS, *BOUND),
        zone="Asia/Shanghai", currency="CNY",
    )  # fmt: skip


@pytest.fixture(scope="module")
def months() -> tuple[Tables, Tables]:
    """February, and March after it."""
    first = {name: rows.collect() for name, rows in refresh(inputs(), POLICY, FEBRUARY).items()}
    then = replace(
        inputs(), previous_as_of=FEBRUARY, previous_customers=first["customers"].lazy(),
        previous_identities=first["identities"].lazy(),
    )  # fmt: skip
    return first, {name: rows.collect() for name, rows in refresh(then, POLICY, MARCH).items()}


def owner(tables: Tables, key: str) -> str:
    return str(tables["identities"].filter(key=key)["one_id"].item())


def test_two_are_one_under_the_id_of_the_earlier_key(months: tuple[Tables, Tables]):
    february, march = months
    assert owner(february, CARD) != owner(february, PHONE)
    assert {owner(march, CARD), owner(march, PHONE)} == {owner(february, CARD)}
    assert march["identity_changes"].select("old_id", "new_id", "change", "keys").rows() == [
        (owner(february, PHONE), owner(february, CARD), "merged_into", 1)
    ]


def test_facts_are_worked_out_from_the_orders(months: tuple[Tables, Tables]):
    _, march = months
    merged = march["customers"].filter(one_id=owner(march, CARD)).row(0, named=True)
    assert (merged["life_orders"], merged["life_net_fen"], merged["purchase_days"]) == (3, 1000, 3)
    assert (merged["first_order_on"], merged["last_order_on"]) == (date(2026, 1, 10), date(2026, 3, 3))


def test_the_tier_goes_on_from_the_id_that_stands(months: tuple[Tables, Tables]):
    """The card was at the base tier, the phone at silver; together they spent enough for silver since March alone."""
    february, march = months
    tiers = {key: february["customers"].filter(one_id=owner(february, key))["tier"].item() for key in (CARD, PHONE)}
    assert tiers == {CARD: "base", PHONE: "silver"}
    merged = march["customers"].filter(one_id=owner(march, CARD)).row(0, named=True)
    assert (merged["tier"], merged["tier_cause"]) == ("silver", "upgrade")
    moves = march["migrations"].filter(dimension="tier").select("one_id", "from_code", "to_code").rows()
    assert (owner(february, PHONE), "silver", "MERGED_INTO") in moves
    assert (owner(march, CARD), "base", "silver") in moves


def test_a_clerks_phone_is_nobody_and_its_order_is_money_without_a_customer(months: tuple[Tables, Tables]):
    _, march = months
    assert march["identities"].filter(key=CLERK).is_empty()
    assert march["identity_conflicts"]["rule"].unique().to_list() == ["hub"]
    figures = dict(march["metrics"].filter(segment_code="all").select("metric", "value").iter_rows())
    assert (figures["revenue_in_month_fen"], figures["identified_revenue_in_month_fen"]) == (170, 100)
    assert march["customers"]["life_net_fen"].sum() == 1000


def test_before_the_hub_showed_the_clerk_bought_under_her_number():
    """As of 10 March nobody had seen the other cards."""
    early = refresh(inputs(), POLICY, date(2026, 3, 10))
    known = early["identities"].collect()
    assert known.filter(key=CLERK).height == 1
    assert early["customers"].collect()["life_net_fen"].sum() == 1070
