"""Split orders: parts count once and keep their money, as literal rows, by a law, and by SQL."""

from datetime import date, timedelta

import duckdb
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.facts import only_mature, sum_orders
from tasks.transforms.orders import net_orders
from tasks.transforms.split_orders import counted_once, without_parents
from tasks.transforms.tier_spend import TIER_SPEND, in_spend_window, with_counting_days
from tests.support.examples import examples
from tests.unit.transforms import builders

AS_OF = date(2026, 3, 31)
PEOPLE = builders.identities("ann", "bob")
Order = tuple[str, str, date, int]
MEASURES = (
    "one_id", "recency_days", "frequency", "monetary_fen", "gross_orders", "life_orders", "life_net_fen",
    "first_order_on", "last_order_on", "weekday_rate", "tier_spend_fen",
)  # fmt: skip


def day(number: int) -> date:
    return date(2026, 3, number)


def bought(rows: list[Order], parents: dict[str, str]) -> pl.LazyFrame:
    named = pl.col("order_id").replace_strict(parents, default=None, return_dtype=pl.String)
    return builders.orders(*rows).with_columns(parent_order_id=named)


def net(rows: list[Order], parents: dict[str, str], *back: tuple[str, date, int], as_of: date = AS_OF) -> pl.LazyFrame:
    return net_orders(bought(rows, parents), builders.refunds(*back), PEOPLE, as_of=as_of)


def told(orders: pl.LazyFrame) -> dict[str, tuple[bool, bool]]:
    rows = orders.select("order_id", "is_whole", "is_counted").collect().rows()
    return {order: (is_whole, is_counted) for order, is_whole, is_counted in rows}


def measured(orders: pl.LazyFrame, window_days: int = 365) -> list[tuple]:
    tiers = builders.ladder()
    counting = with_counting_days(orders, None, as_of=AS_OF, tiers=tiers).with_columns(in_spend_window(AS_OF, tiers))
    sums = sum_orders(counting, as_of=AS_OF, window_days=window_days, also=[TIER_SPEND])
    return sums.select(MEASURES).sort("one_id").collect().rows()


PARTS = [("1", "ann", day(2), 500), ("2", "ann", day(2), 300), ("3", "ann", day(4), 200), ("4", "ann", day(9), 100)]


def test_two_parts_and_their_parent_are_one_order_with_the_money_of_all():
    """1 is the parent, 2 and 3 name it; 4 is an order of its own."""
    orders = net(PARTS, {"2": "1", "3": "1"})
    assert told(orders) == {"1": (False, False), "2": (False, False), "3": (True, True), "4": (True, True)}
    row = sum_orders(orders, as_of=AS_OF, window_days=365).collect().row(0, named=True)
    assert (row["frequency"], row["life_orders"], row["gross_orders"]) == (2, 2, 2)
    assert (row["monetary_fen"], row["first_order_on"], row["last_order_on"]) == (1_100, day(2), day(9))


def test_a_part_that_came_back_leaves_the_count_to_another_until_all_came_back():
    parents, back = {"1": "9", "2": "9", "3": "9"}, [("3", day(20), 200), ("2", day(21), 300), ("1", day(22), 500)]
    assert [told(net(PARTS[:3], parents, *back[:n])) for n in (1, 2, 3)] == [
        {"1": (False, False), "2": (True, True), "3": (False, False)},
        {"1": (True, True), "2": (False, False), "3": (False, False)},
        {"1": (False, False), "2": (False, False), "3": (True, False)},
    ]
    assert told(net(PARTS[:3], parents, *back, as_of=day(20)))["2"] == (True, True)


def test_parents_are_of_one_shop():
    orders = pl.concat([bought(PARTS[:2], {"1": "9", "2": "9"}), bought(PARTS[2:3], {"3": "9"}).with_columns(
        shop_id=pl.lit("second")
    )])  # fmt: skip
    assert told(net_orders(orders, builders.refunds(), PEOPLE, as_of=AS_OF)) == {
        "1": (False, False), "2": (True, True), "3": (True, True),
    }  # fmt: skip


def test_an_order_of_which_a_part_is_young_counts_by_the_mature_ones():
    orders = net(PARTS, {"2": "1", "3": "1"}).pipe(only_mature, as_of=day(5), maturity_days=2)
    assert told(orders) == {"1": (False, False), "2": (True, True), "3": (False, False), "4": (True, False)}


def test_net_orders_of_a_later_date_are_marked_anew():
    later = net(PARTS, {"2": "1", "3": "1"})
    assert told(net_orders(later, builders.refunds(), PEOPLE, as_of=day(3))) == {"1": (False, False), "2": (True, True)}


def test_without_parents_nothing_is_asked_and_every_order_is_whole():
    plain = without_parents(bought(PARTS, {}))
    assert "parent_order_id" not in plain.collect_schema()
    assert "parent_order_id" in without_parents(bought(PARTS, {"2": "1"})).collect_schema()
    assert set(told(net_orders(plain, builders.refunds(), PEOPLE, as_of=AS_OF)).values()) == {(True, True)}


BUYERS, MONEY = st.sampled_from(["ann", "bob"]), st.lists(st.integers(1, 900), min_size=1, max_size=4)
ORDERS = st.lists(st.tuples(BUYERS, st.integers(0, 400), MONEY), max_size=6)
"""Buyer, days ago, money of the parts."""
PARTS_OF_ANY = st.lists(
    st.tuples(BUYERS, st.integers(0, 60), st.integers(0, 2), st.sampled_from([None, 0, 1, 2])), max_size=8
)
"""Buyer, days ago, money, and the place of the parent among the first three."""


def placed(drawn: list[tuple[str, int, list[int]]]) -> list[Order]:
    return [(f"{n}0", who, AS_OF - timedelta(ago), sum(parts)) for n, (who, ago, parts) in enumerate(drawn)]


def split(drawn: list[tuple[str, int, list[int]]], *, with_parent: bool) -> tuple[list[Order], dict[str, str]]:
    """The same orders in parts, the first of which may have the number of the whole."""
    rows, parents = [], {}
    for n, (who, ago, parts) in enumerate(drawn):
        for place, fen in enumerate(parts):
            order = f"{n}{place if with_parent else place + 1}"
            rows.append((order, who, AS_OF - timedelta(ago), fen))
            parents |= {order: f"{n}0"} if order != f"{n}0" else {}
    return rows, parents


@settings(max_examples=examples(25), deadline=None)
@given(drawn=ORDERS, with_parent=st.booleans(), window_days=st.sampled_from([30, 365]))
def test_splitting_orders_moves_no_measure(*, drawn: list, with_parent: bool, window_days: int):
    """Nor any score or tier, which rest on these alone."""
    whole, parts = net(placed(drawn), {}), net(*split(drawn, with_parent=with_parent))
    assert measured(parts, window_days) == measured(whole, window_days)


_SQL = """
select one_id, count(distinct whole) filter (where net_fen > 0) as life, count(distinct whole) as gross,
  count(distinct whole) filter (where net_fen > 0 and paid_on > $since) as recent
from (select *, coalesce(parent_order_id, order_id) as whole from orders) group by one_id order by one_id
"""


@settings(max_examples=examples(25), deadline=None)
@given(PARTS_OF_ANY)
def test_the_counts_are_those_of_sql(drawn: list[tuple[str, int, int, int | None]]):
    """Parts of one person, on any days and with any money; the number of the whole is that of the first orders."""
    rows = [(str(n), who, AS_OF - timedelta(ago), fen) for n, (who, ago, fen, _) in enumerate(drawn)]
    parents = {
        str(n): str(one) for n, (who, _, _, one) in enumerate(drawn)
        if one is not None and n > 2 and drawn[one][0] == who
    }  # fmt: skip
    orders = net(rows, parents).collect()
    sums = sum_orders(orders.lazy(), as_of=AS_OF, window_days=30).sort("one_id").collect()
    found = duckdb.sql(_SQL, params={"since": AS_OF - timedelta(30)}).fetchall()
    assert sums.select("one_id", "life_orders", "gross_orders", "frequency").rows() == found


def test_marks_of_frames_without_the_column_are_plain():
    rows = pl.LazyFrame({"is_qualifying": [True, False]})
    assert counted_once(rows).select("is_whole", "is_counted").collect().rows() == [(True, True), (True, False)]
