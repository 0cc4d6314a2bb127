"""Net orders: versions, refunds, closings, kinds, buyers."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.orders import known_at, net_orders, with_closings
from tests.unit.transforms import builders

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)
PEOPLE = builders.identities("ann", "bob")
NOTHING_BACK = builders.refunds()


def net(orders: pl.LazyFrame, refunds: pl.LazyFrame = NOTHING_BACK, as_of: date = MARCH, maturity_days: int = 0):
    rows = net_orders(orders, refunds, PEOPLE, as_of=as_of, maturity_days=maturity_days)
    return (
        rows.select("order_id", "one_id", "refunded_fen", "net_fen", "is_qualifying").sort("order_id").collect().rows()
    )


def test_the_version_visible_at_an_instant_is_the_one_between_its_two_clocks():
    instants = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 5, 9)]
    versions = pl.LazyFrame(
        {"status": ["paid", "finished"], "known_from": instants[:2], "known_to": [instants[1], None]},
        schema_overrides={"known_to": pl.Datetime("us", "UTC")},
    )
    seen = [known_at(versions, instant).collect()["status"].to_list() for instant in instants]
    assert seen == [["paid"], ["finished"], ["finished"]]
    assert known_at(versions, datetime(2026, 2, 1, tzinfo=UTC)).collect().is_empty()


def test_what_only_grows_is_known_from_its_receipt_on():
    received = pl.LazyFrame({"key": ["a", "b"], "known_from": [datetime(2026, 3, d, tzinfo=UTC) for d in (1, 5)]})
    assert known_at(received, datetime(2026, 3, 4, tzinfo=UTC)).collect()["key"].to_list() == ["a"]


def test_refunds_up_to_the_date_are_taken_off_and_stop_at_nothing():
    orders = builders.orders(("1", "ann", MARCH, 500), ("2", "bob", MARCH, 300), ("3", None, MARCH, 200))
    refunds = builders.refunds(("1", MARCH, 100), ("1", APRIL, 400), ("2", MARCH, 350))
    assert net(orders, refunds) == [
        ("1", "ann", 100, 400, True),
        ("2", "bob", 350, 0, False),
        ("3", None, 0, 200, True),
    ]
    assert net(orders, refunds, as_of=APRIL)[0] == ("1", "ann", 500, 0, False)


def test_only_paid_purchases_count_and_only_once_they_have_matured():
    orders = builders.orders(("1", "ann", MARCH, 500), ("2", "ann", None, 500), ("3", "ann", APRIL, 500))
    assert [row[0] for row in net(orders)] == ["1"]
    assert net(orders, maturity_days=1) == []
    for kind in ("gift", "topup", "test", "wholesale"):
        assert net(builders.orders(("1", "ann", MARCH, 500), kind=kind)) == []
    for status in ("unpaid", "on_hold"):
        assert net(builders.orders(("1", "ann", MARCH, 500), status=status)) == []


def test_a_closed_order_counts_until_its_refund_and_was_paid_back_whole_if_nobody_says_otherwise():
    orders = builders.orders(("1", "ann", date(2026, 3, 2), 500), status="closed")
    exported = orders.with_columns(exported_at=pl.lit(builders.noon(date(2026, 4, 3))))
    back = with_closings(NOTHING_BACK, exported, zone="Asia/Shanghai")
    assert net(exported, back) == [("1", "ann", 0, 500, True)]
    assert net(exported, back, as_of=APRIL) == [("1", "ann", 500, 0, False)]
    partly = with_closings(builders.refunds(("1", MARCH, 200)), exported, zone="Asia/Shanghai")
    assert net(exported, partly, as_of=APRIL) == [("1", "ann", 200, 300, True)]


AMOUNTS = st.lists(st.tuples(st.integers(0, 1000), st.lists(st.integers(1, 700), max_size=3)), max_size=6)


@settings(max_examples=25, deadline=None)
@given(AMOUNTS)
def test_no_money_is_made_or_lost(amounts: list[tuple[int, list[int]]]):
    orders = builders.orders(*((str(n), "ann", MARCH, paid) for n, (paid, _) in enumerate(amounts)))
    refunds = builders.refunds(*((str(n), MARCH, back) for n, (_, backs) in enumerate(amounts) for back in backs))
    assert [row[3] for row in net(orders, refunds)] == [max(0, paid - sum(backs)) for paid, backs in amounts]
