"""Every tag and stage of every household of Complete Journey, and of 5,000 customers of demo_cn, by hand."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from tests.support.demo_run import Demo
from tests.unit.tags import oracle_buying, oracle_people
from tests.unit.tags.oracle import every_tag
from tests.unit.tags.world import Known, world_of

assert oracle_buying, oracle_people  # they hold the laws
pytestmark = pytest.mark.proof
RAW = ("orders", "order_lines", "refunds", "products", "sightings", "events", "members", "follows")
BRANDS = {
    "complete_journey": ("America/New_York", "USD", (date(2017, 4, 30), date(2017, 8, 31), date(2017, 12, 31))),
    "demo_cn": ("Asia/Shanghai", "CNY", (date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30))),
}
HOUSEHOLDS = dict(zip(BRANDS["complete_journey"][2], (2_327, 2_430, 2_469), strict=True))
"""Those of Complete Journey who had been seen by then."""
MOST = 5_000
"""Customers of demo_cn who are compared: the first by id, and ids are hashes."""
CASES = [(brand, day) for brand, (_, _, days) in BRANDS.items() for day in days]


@pytest.fixture(autouse=True)
def _served() -> None:
    """The demo starts a server of its own; these tests run no flow in process."""


@pytest.mark.parametrize(("brand", "day"), CASES, ids=[f"{brand} {day}" for brand, day in CASES])
def test_every_tag_and_stage_is_what_comes_out_by_hand(demo: Demo, brand: str, day: date):
    stored = demo.rows("tags", day, brand).drop("as_of").sort("one_id")
    tables = made(demo, brand, day)
    world = world_of(known(demo, brand, day), tables, before(demo, brand, day))
    expected = every_tag(world)
    stages = dict(tables["customers"].select("one_id", "stage").iter_rows())
    assert stages == {name: person.fact("stage") for name, person in world.people.items()}
    assert stored.height == len(expected) == HOUSEHOLDS.get(day, stored.height)
    differ: dict[str, list[Any]] = {}
    for row in stored.head(len(expected) if brand == "complete_journey" else MOST).iter_rows(named=True):
        told = expected[row.pop("one_id")]
        for code, value in row.items():
            if told[code] != value:
                differ.setdefault(code, []).append((value, told[code]))
    assert {code: (len(pairs), pairs[:3]) for code, pairs in differ.items()} == {}


def known(demo: Demo, brand: str, day: date) -> Known:
    """What the newest refresh of the date knew."""
    zone, currency, _ = BRANDS[brand]
    runs = demo.rows("runs", brand=brand).filter(flow="refresh", as_of=day).sort("started_at")
    return Known({table: demo.rows(table, brand=brand) for table in RAW}, day, runs["known_as_of"][-1], zone, currency)


def made(demo: Demo, brand: str, day: date) -> dict[str, pl.DataFrame]:
    return {table: demo.rows(table, day, brand) for table in ("identities", "customers", "traits")}


def before(demo: Demo, brand: str, day: date) -> pl.DataFrame | None:
    """The tags of the date before under the ids of today: who kept theirs goes on, else who was seen first."""
    customers = demo.rows("customers", brand=brand)
    earlier = customers.filter(pl.col("as_of") < day)["as_of"].max()
    if earlier is None:
        return None
    names = dict(demo.rows("identities", day, brand).select("own_id", "one_id").iter_rows())
    heirs: dict[str, tuple[Any, ...]] = {}
    for one_id, first_seen_at in customers.filter(as_of=earlier).select("one_id", "first_seen_at").iter_rows():
        if now := names.get(one_id):
            rank = (one_id != now, first_seen_at, one_id)
            heirs[now] = min(heirs.get(now, rank), rank)
    present = pl.DataFrame({"now": list(heirs), "one_id": [rank[2] for rank in heirs.values()]})
    return demo.rows("tags", earlier, brand).join(present, on="one_id").drop("one_id").rename({"now": "one_id"})
