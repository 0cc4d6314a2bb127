"""Split orders: parts are one order again, as literal rows, by laws, and by SQL."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.policy.rfm import Rfm, Winsorise
from tasks.transforms.facts import sum_orders
from tasks.transforms.inputs import Inputs, lines_of, orders_at, refunds_of, settled
from tasks.transforms.rfm_values import with_scored_values
from tasks.transforms.split_orders import joined, numbered_as_placed, parts_of
from tasks.transforms.value.histories import LARGEST_ORDER
from tests.support.examples import examples
from tests.unit.transforms import builders

AS_OF = date(2026, 3, 31)
PEOPLE = builders.identities("ann", "bob")
Row = dict[str, Any]


def day(number: int) -> date:
    return date(2026, 3, number)


def order(name: str, who: str | None, on: date | None, fen: int, **more: object) -> Row:
    common = {"channel": "shop", "shop_id": "main", "kind": "purchase", "status": "finished", "currency": "CNY"}
    at = None if on is None else builders.noon(on)
    made = {"order_id": name, "buyer_key": who, "paid_on": on, "paid_at": at, "ordered_at": at, "paid_fen": fen}
    return {**common, **made, "gross_fen": fen, "refunded_fen": 0, **more}


def line(name: str, number: str, product: str, fen: int) -> Row:
    common = {"channel": "shop", "shop_id": "main", "quantity": 1, "gross_fen": fen}
    return {**common, "order_id": name, "line_id": number, "product_id": product, "paid_fen": fen}


def back(name: str, number: str, on: date, fen: int, basis: str = "itemised") -> Row:
    common = {"channel": "shop", "shop_id": "main", "refund_state": "paid_back", "refund_basis": basis}
    return {**common, "order_id": name, "refund_id": number, "refunded_on": on, "refund_fen": fen}


def inputs(orders: list[Row], lines: Sequence[Row] = (), refunds: Sequence[Row] = ()) -> Inputs:
    told = {"orders": orders, "order_lines": list(lines), "refunds": list(refunds), "products": [], "sightings": []}
    frames = {name: pl.DataFrame(rows, TABLES[name].schema, orient="row").lazy() for name, rows in told.items()}
    return Inputs(**frames, zone="UTC", currency="CNY")


def placed(given: Inputs) -> dict[str, tuple[str | None, date, int, int, bool]]:
    rows = orders_at(given, PEOPLE, AS_OF).select("order_id", "one_id", "paid_on", "paid_fen", "net_fen", "has_coupon")
    return {name: tuple(rest) for name, *rest in rows.collect().rows()}


PARTS = [
    order("1", "ann", day(2), 500),
    order("2", None, day(2), 300, parent_order_id="1", coupon_fen=5),
    order("3", "ann", day(4), 200, parent_order_id="1"),
    order("4", "ann", day(9), 100),
]


def test_parts_and_their_parent_are_one_order_paid_when_the_first_part_was():
    refunds = [back("3", "r", day(20), 50), back("1", "r", day(21), 25)]
    assert placed(inputs(PARTS, refunds=refunds)) == {
        "1": ("ann", day(2), 1_000, 925, True), "4": ("ann", day(9), 100, 100, False),
    }  # fmt: skip


def test_what_a_file_shows_of_each_part_adds_up_and_each_later_total_replaces_that_of_its_own_part():
    shown = [back("1", "s", day(10), 20, "shown"), back("3", "s", day(11), 30, "shown")]
    later = [back("1", "s", day(12), 25, "shown")]
    assert placed(inputs(PARTS, refunds=shown + later))["1"][3] == 1_000 - 25 - 30


def test_parts_without_their_parent_go_by_its_number_and_so_does_what_is_told_under_it():
    lines = [line("2", "a", "milk", 300), line("1", "b", "bread", 200)]
    given = inputs(PARTS[1:], lines, [back("1", "r", day(20), 50)])
    assert placed(given)["1"] == ("ann", day(2), 500, 450, True)
    assert set(lines_of(given).select("order_id", "product_id").collect().rows()) == {("1", "milk"), ("1", "bread")}


def test_a_parent_that_was_never_paid_gives_the_parts_neither_money_nor_lines_nor_refunds():
    unpaid = order("1", "bob", None, 1_000, status="cancelled")
    given = inputs([unpaid, *PARTS[1:]], [line("1", "a", "milk", 9), line("2", "b", "milk", 8)], [
        back("1", "r", day(20), 50)
    ])  # fmt: skip
    assert placed(given)["1"] == ("ann", day(2), 500, 500, True)
    assert lines_of(given).select("order_id", "paid_fen").collect().rows() == [("1", 8)]


def test_a_part_that_was_never_paid_is_left_out_with_its_lines():
    given = inputs([PARTS[0], order("2", "ann", None, 300, parent_order_id="1")], [line("2", "a", "milk", 300)])
    assert placed(given) == {"1": ("ann", day(2), 500, 500, False)}
    assert lines_of(given).collect()["order_id"].to_list() == ["2"]


def test_parents_are_of_one_shop_and_currency():
    elsewhere = order("3", "ann", day(4), 200, parent_order_id="1", shop_id="second")
    abroad = order("2", "ann", day(2), 300, parent_order_id="1", currency="USD")
    assert sorted(orders_at(inputs([PARTS[0], elsewhere, abroad]), PEOPLE, AS_OF).collect()["paid_fen"]) == [200, 500]


def test_a_part_of_a_part_is_one_of_whom_it_names():
    chain = [order("1", "ann", day(2), 1), order("2", "ann", day(2), 2, parent_order_id="1")]
    grandchild = order("3", "ann", day(2), 4, parent_order_id="2")
    assert {name: row[2] for name, row in placed(inputs([*chain, grandchild])).items()} == {"1": 3, "2": 4}


def test_without_parents_nothing_is_put_together():
    plain = builders.rows("orders", PARTS[0], PARTS[3])
    assert parts_of(plain) is None
    assert parts_of(plain.drop("parent_order_id")) is None
    assert joined(plain, None).collect().equals(plain.drop("parent_order_id").collect())


def test_a_purchase_in_parts_is_capped_and_compared_as_one():
    """The largest order, and the cap on single large purchases: 1,000 in three parts, and four of 100."""
    small = [order(f"{n}", "bob", day(n), 100) for n in range(5, 9)]
    orders = orders_at(inputs(PARTS + small), PEOPLE, AS_OF)
    facts = sum_orders(orders, as_of=AS_OF, window_days=365, also=[LARGEST_ORDER])
    assert dict(facts.select("one_id", "largest_order_fen").collect().iter_rows()) == {"ann": 1_000, "bob": 100}
    rfm = Rfm(winsorise=Winsorise(percentile=Decimal(80)), window_days=365)
    scored = with_scored_values(facts, orders, rfm, as_of=AS_OF).select("one_id", "monetary_scored_fen").collect()
    assert dict(scored.iter_rows()) == {"ann": 200, "bob": 400}


def test_different_numbers_count_orders():
    numbered = numbered_as_placed(builders.rows("orders", *PARTS)).collect()
    assert numbered["order_id"].to_list() == ["1", "1", "1", "4"]


BUYERS, MONEY = st.sampled_from(["ann", "bob", None]), st.lists(st.integers(1, 900), min_size=1, max_size=4)
BASES = st.sampled_from(["itemised", "shown"])
BACK = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(1, 300), BASES), max_size=3)
"""The place of the part, days after the payment, fen, and how it is told."""
ORDERS = st.lists(st.tuples(BUYERS, st.integers(0, 400), MONEY, st.booleans(), BACK), max_size=5)
"""Buyer, days ago, money of the parts, whether by coupon, and what came back."""


def whole_and_split(drawn: list, *, with_parent: bool) -> tuple[Inputs, Inputs]:
    """The same orders as placed, and in parts of which the first may have the number of the whole.

    Every part is a line of the whole. What came back of a part is an own refund of the whole.
    """
    whole, split = ([[], [], []] for _ in range(2))
    for n, (who, ago, money, has_coupon, came_back) in enumerate(drawn):
        on, coupon = AS_OF - timedelta(ago), 10 if has_coupon else None
        whole[0].append(order(f"{n}0", who, on, sum(money), coupon_fen=coupon))
        for place, fen in enumerate(money):
            name = f"{n}{place if with_parent else place + 1}"
            parent = None if name == f"{n}0" else f"{n}0"
            told = {"parent_order_id": parent, "coupon_fen": None if place else coupon}
            split[0].append(order(name, who if place == 0 else None, on, fen, **told))
            split[1].append(line(name, "a", f"p{fen % 3}", fen))
            whole[1].append(line(f"{n}0", str(place), f"p{fen % 3}", fen))
        for number, (place, later, fen, basis) in enumerate(came_back):
            at = place % len(money)
            name = f"{n}{at if with_parent else at + 1}"
            split[2].append(back(name, f"r{number}", on + timedelta(later), fen, basis))
    changes = refunds_of(inputs(*split)).collect()  # what came back of each part, by the law of bases that others test
    whole[2] = [back(name, f"r{n}", on, fen) for n, (name, fen, on) in enumerate(
        changes.select("order_id", "refund_fen", "refunded_on").rows())]  # fmt: skip
    return inputs(*whole), inputs(*split)


def rows_of(frame: pl.LazyFrame) -> list[tuple]:
    kept = [name for name in frame.collect_schema().names() if name not in {"line_id", "unsaid"}]
    return sorted(frame.select(kept).collect().rows(), key=repr)


@settings(max_examples=examples(10), deadline=None)
@given(drawn=ORDERS, with_parent=st.booleans(), ago=st.sampled_from([0, 30, 200]))
def test_splitting_orders_changes_nothing_that_anything_is_told_from(*, drawn: list, with_parent: bool, ago: int):
    """Orders with money, day, buyer and coupon, lines, and net value at any date: facts to tags read nothing else."""
    whole, split = whole_and_split(drawn, with_parent=with_parent)
    assert rows_of(settled(split, PEOPLE).orders) == rows_of(settled(whole, PEOPLE).orders)
    assert rows_of(lines_of(split)) == rows_of(lines_of(whole))
    at = AS_OF - timedelta(ago)
    assert rows_of(orders_at(split, PEOPLE, at)) == rows_of(orders_at(whole, PEOPLE, at))


_SQL = """
with paid as (select *, coalesce(parent_order_id, order_id) as whole from orders),
back as (select order_id, sum(refund_fen) as fen from refunds where refunded_on <= $day group by order_id)
select whole, min(paid_on), sum(paid_fen), greatest(sum(paid_fen) - sum(coalesce(fen, 0)), 0)
from paid left join back using (order_id) group by whole having min(paid_on) <= $day order by whole
"""
LOOSE = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 5), st.sampled_from([None, "0", "1", "x"]), st.integers(0, 2)),
    max_size=8,
)
"""Days ago, money, the number of the whole, and what came back: parts of other days too."""


@settings(max_examples=examples(10), deadline=None)
@given(drawn=LOOSE, ago=st.sampled_from([0, 30]))
def test_the_money_of_wholes_is_that_of_sql(drawn: list, ago: int):
    rows = [
        order(str(n), "ann", AS_OF - timedelta(days), fen, parent_order_id=parent if n > 1 else None)
        for n, (days, fen, parent, _) in enumerate(drawn)
    ]
    refunds = [back(str(n), "r", AS_OF - timedelta(days // 2), fen) for n, (days, *_, fen) in enumerate(drawn) if fen]
    given, at = inputs(rows, refunds=refunds), AS_OF - timedelta(ago)
    with duckdb.connect() as sql:
        sql.register("orders", given.orders.collect())
        sql.register("refunds", given.refunds.collect())
        found = sql.execute(_SQL, {"day": at}).fetchall()
    made = orders_at(given, PEOPLE, at).select("order_id", "paid_on", "paid_fen", "net_fen").sort("order_id")
    assert made.collect().rows() == [tuple(row) for row in found]
