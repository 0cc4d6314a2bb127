"""The invented shop: the same every time, lives that only move on, money that adds up, nobody real."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.exports.people import key_value
from infra.exports.shop import Plan, between, known_at, open_shop
from infra.exports.together import Together
from tests.support.examples import examples

PLAN = Plan("law", "taobao", "main", 400, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), people=60)
STATES = ["unpaid", "paid", "shipped", "finished", "closed"]


def test_the_same_plan_is_the_same_shop():
    first, second = open_shop(PLAN), open_shop(PLAN)
    assert first.orders.equals(second.orders)
    assert first.lines.equals(second.lines)
    assert not open_shop(replace(PLAN, seed="other")).orders.equals(first.orders)


def test_everything_happens_in_order():
    orders = open_shop(PLAN).orders
    assert orders["ordered_at"].is_sorted()
    assert orders["order_id"].n_unique() == orders.height == 400
    steps = ("ordered_at", "paid_at", "shipped_at", "finished_at")
    for before, after in pairwise(steps):
        assert (orders[before] < orders[after]).drop_nulls().all()


def test_all_that_can_happen_to_an_order_does():
    seen = known_at(open_shop(replace(PLAN, unpaid_in_1000=300)), datetime(2026, 4, 1, tzinfo=UTC))
    assert sorted(seen.orders["state"].unique()) == sorted(STATES)
    assert seen.orders["person"].null_count() > 0
    assert seen.lines["is_gift"].any()
    assert (seen.lines["coupon_fen"] > 0).any()


BUNDLED = replace(PLAN, together=Together(presale_in_1000=200, bundled_in_1000=300))


def test_orders_paid_together_are_of_one_person_at_one_time_and_keep_their_own_amounts():
    shop, alone = open_shop(BUNDLED), open_shop(PLAN)
    payments = shop.orders.group_by("paid_under").agg(pl.len(), pl.col("person", "ordered_at", "paid_at").n_unique())
    assert payments["len"].max() > 1
    assert payments.select("person", "ordered_at", "paid_at").max().row(0) == (1, 1, 1)
    assert shop.orders["order_id"].equals(alone.orders["order_id"])
    assert shop.lines.select("order_id", "gross_fen", "net_fen").equals(
        alone.lines.select("order_id", "gross_fen", "net_fen")
    )


def test_parts_of_a_split_order_name_it_and_merged_ones_do_not():
    orders = open_shop(BUNDLED).orders
    bundles = orders.group_by("paid_under").agg(pl.len(), pl.col("split_from").null_count().alias("without"))
    several = bundles.filter(pl.col("len") > 1)
    assert {without == 0 for without in several["without"]} == {True, False}
    assert (several["without"].is_in([0]) | (several["without"] == several["len"])).all()
    assert bundles.filter(len=1)["without"].eq(1).all()
    assert set(orders["split_from"].drop_nulls()) <= set(orders["order_id"])


def test_a_deposit_is_no_payment_and_the_balance_comes_days_later_or_never():
    orders = open_shop(BUNDLED).orders.filter(pl.col("deposit_at").is_not_null())
    assert (orders["paid_at"] - orders["deposit_at"]).drop_nulls().min() > timedelta(hours=12)
    assert orders["paid_at"].null_count() > 0
    soon = known_at(open_shop(BUNDLED), PLAN.until)
    owed = soon.orders.filter(pl.col("deposit_at").is_not_null() & pl.col("paid_at").is_null())
    lines = soon.lines.join(owed.select(order="number"), on="order", how="semi")
    assert owed.height > 0
    assert lines["paid_fen"].sum() == 0


def test_a_refund_is_at_most_what_was_paid():
    lines = open_shop(PLAN).lines
    assert (lines["refund_fen"] <= lines["net_fen"]).all()
    assert (lines["refund_fen"] > 0).any()


@settings(max_examples=examples(20), deadline=None)
@given(hours=st.integers(0, 24 * 40), later=st.integers(0, 24 * 10))
def test_a_state_never_goes_back(hours: int, later: int):
    at = PLAN.since + timedelta(hours=hours)
    shop = open_shop(PLAN)
    rank = pl.col("state").replace_strict(STATES, range(5), return_dtype=pl.Int64)
    before, after = (
        known_at(shop, moment).orders.with_columns(rank=rank) for moment in (at, at + timedelta(hours=later))
    )
    both = before.join(after, on="number", suffix="_after", validate="1:1")
    assert both.height == before.height
    assert (both["rank_after"] >= both["rank"]).all()


def test_an_export_knows_nothing_of_its_future():
    at = datetime(2026, 3, 15, tzinfo=UTC)
    orders = known_at(open_shop(PLAN), at).orders
    moments = orders.select(pl.col("ordered_at", "paid_at", "shipped_at", "finished_at", "refunded_at").max())
    assert all(moment is None or moment <= at for moment in moments.row(0))


def test_a_window_cuts_orders_and_their_lines():
    since, until = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC)
    part = between(open_shop(PLAN), since, until)
    assert part.orders["ordered_at"].is_between(since, until, closed="left").all()
    assert set(part.lines["order"]) == set(part.orders["number"])


@pytest.mark.parametrize("number", [0, 7, 29_999])
def test_nobody_can_be_called(number: int):
    """Prefix 154 was never given to a carrier."""
    (phone,) = pl.select(key_value("phone", pl.lit(number), "seed")).to_series()
    assert phone == f"154{number:08d}"


def test_a_person_has_one_phone_on_every_channel():
    shops = [open_shop(replace(PLAN, channel=channel, people=5)) for channel in ("youzan", "shopify")]
    phones = [set(shop.orders.select(key_value("phone", "person", "seed")).to_series().drop_nulls()) for shop in shops]
    assert phones[0] == phones[1]
