"""An order that came with a clerk's phone belongs to the card beside it, or to nobody; never to the clerk."""

from datetime import date
from typing import Any

import polars as pl

from tasks.transforms.buyers import with_next_key
from tests.unit.transforms import builders
from tests.unit.transforms.builders import noon

DAY = date(2026, 3, 10)
CLERK, CARD, MAIL = "phone::clerk", "member:shop:card", "email::mail"


def seen(order_id: str, key: str, evidence: int = 3) -> dict[str, Any]:
    return {"record": f"order:shop:main:{order_id}", "key": key, "key_role": "identity", "evidence_rank": evidence,
            "seen_at": noon(DAY)}  # fmt: skip


def buyers(*sightings: dict[str, Any], owned: tuple[str, ...]) -> dict[str, str | None]:
    classes = [{"key": key, "one_id": key, "key_class": "linking" if key == MAIL else "strong"} for key in owned]
    orders = builders.orders(("1", CLERK, DAY, 100), ("2", "phone::ann", DAY, 100), ("3", None, DAY, 100))
    named = with_next_key(orders, builders.rows("sightings", *sightings), builders.rows("identities", *classes))
    return dict(named.select("order_id", "buyer_key").collect().iter_rows())


def test_the_strongest_key_of_the_record_that_is_somebodys_names_the_buyer():
    record = (seen("1", CLERK), seen("1", MAIL, 1), seen("1", CARD))
    assert buyers(*record, owned=("phone::ann", CARD, MAIL)) == {"1": CARD, "2": "phone::ann", "3": None}
    assert buyers(*record, owned=("phone::ann", MAIL))["1"] == MAIL


def test_without_another_key_the_order_stays_anonymous():
    assert buyers(seen("1", CLERK), owned=("phone::ann", CARD)) == {"1": CLERK, "2": "phone::ann", "3": None}


def test_a_phone_of_somebody_is_left_alone():
    both = (seen("1", CLERK), seen("1", CARD))
    assert buyers(*both, owned=("phone::ann", CLERK, CARD))["1"] == CLERK


def test_no_order_is_lost_or_doubled():
    record = [seen("1", key) for key in (CLERK, CARD, MAIL)]
    orders = builders.orders(*((str(n), CLERK, DAY, n) for n in range(5)))
    classes = builders.rows("identities", *({"key": key, "one_id": key, "key_class": "strong"} for key in (CARD, MAIL)))
    named = with_next_key(orders, builders.rows("sightings", *record), classes).collect()
    assert (named.height, named["paid_fen"].sum()) == (5, 10)
    assert named.columns == orders.collect_schema().names()
    assert named.filter(pl.col("buyer_key") != CLERK)["order_id"].to_list() == ["1"]
