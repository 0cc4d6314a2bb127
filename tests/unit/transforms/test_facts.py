"""Customer facts on literal orders, every number worked out by hand."""

import re
from datetime import date

import polars as pl

from tasks.transforms.facts import customer_facts, only_mature, preferred_categories
from tasks.transforms.orders import net_orders
from tests.unit.transforms import builders
from tests.unit.transforms.builders import noon

AS_OF = date(2026, 3, 31)
ORDERS = builders.orders(
    ("1", "ann", date(2025, 1, 2), 900),  # before the window
    ("2", "ann", date(2026, 1, 3), 100),  # Saturday, the first of three months
    ("3", "ann", date(2026, 3, 30), 250),  # Monday
    ("4", "ann", date(2026, 3, 30), 0),
    ("5", "bob", date(2026, 3, 31), 400),
    ("6", "dan", date(2025, 2, 1), 700),
)
REFUNDS = builders.refunds(("5", AS_OF, 400), ("3", AS_OF, 50))


def facts_of(orders: pl.LazyFrame = ORDERS, maturity_days: int = 0, **frames: pl.LazyFrame) -> dict[str, dict]:
    people = pl.LazyFrame({"one_id": ["ann", "bob", "cat", "dan"], "first_seen_at": [noon(date(2025, 1, 1))] * 4})
    net = net_orders(orders, REFUNDS, builders.identities("ann", "bob", "cat", "dan"), as_of=AS_OF)
    net = net.pipe(only_mature, as_of=AS_OF, maturity_days=maturity_days)
    lines, products = (
        frames.get("lines", builders.rows("order_lines")),
        frames.get("products", builders.rows("products")),
    )
    facts = customer_facts(people, net, lines, products, as_of=AS_OF, window_days=365)
    return {row.pop("one_id"): row for row in facts.collect().iter_rows(named=True)}


def test_a_buyer_s_facts():
    ann = facts_of()["ann"]
    del ann["first_seen_at"]
    assert ann == {
        "recency_days": 1, "days_since_order": 1, "frequency": 2, "monetary_fen": 300,
        "gross_orders": 4, "life_orders": 3, "life_net_fen": 1200, "purchase_days": 3, "first_day_fen": 900,
        "first_order_on": date(2025, 1, 2), "last_order_on": date(2026, 3, 30),
        "coupon_rate": 0.0, "weekday_rate": 0.5, "spend_3m_fen": 300, "preferred_category": None,
    }  # fmt: skip


def test_who_kept_nothing_never_bought_or_bought_long_ago_has_zeros_and_nulls():
    facts = facts_of()
    columns = ("recency_days", "days_since_order", "frequency", "gross_orders", "life_orders", "coupon_rate")
    assert [facts["bob"][name] for name in columns] == [None, None, 0, 1, 0, None]
    assert [facts["cat"][name] for name in columns] == [None, None, 0, 0, 0, None]
    assert [facts["dan"][name] for name in columns] == [None, 423, 0, 1, 1, None]


def test_the_window_is_open_at_its_start():
    inside, outside = date(2025, 4, 1), date(2025, 3, 31)
    orders = builders.orders(("1", "ann", inside, 5), ("2", "bob", outside, 5))
    facts = net_orders(orders, builders.refunds(), builders.identities("ann", "bob"), as_of=AS_OF).pipe(
        lambda net: customer_facts(
            pl.LazyFrame({"one_id": ["ann", "bob"], "first_seen_at": [noon(outside)] * 2}), net,
            builders.rows("order_lines"), builders.rows("products"), as_of=AS_OF, window_days=365,
        )
    )  # fmt: skip
    assert facts.sort("one_id").collect()["recency_days"].to_list() == [364, None]


def test_an_order_that_has_not_matured_weighs_nothing():
    ann = facts_of(maturity_days=7)["ann"]
    assert (ann["frequency"], ann["monetary_fen"], ann["recency_days"]) == (1, 100, 87)


def test_coupons_count_by_order():
    ann = facts_of(ORDERS.with_columns(coupon_fen=pl.when(pl.col("order_id") == "2").then(1).otherwise(0)))["ann"]
    assert ann["coupon_rate"] == 0.5


def line(order_id: str, product: str, fen: int) -> dict[str, object]:
    return {"order_id": order_id, "line_id": product, "product_id": product, "paid_fen": fen}


def product(name: str, category: str | None) -> dict[str, object]:
    return {"product_id": name, "category": category}


def test_the_preferred_category_takes_net_spend_and_ties_go_by_name():
    shop = {"channel": "shop", "shop_id": "main"}
    lines = builders.rows(
        "order_lines", line("2", "tea", 80), line("2", "cup", 20), line("3", "cup", 100), line("3", "gift", 150),
        line("1", "tea", 900), **shop,
    )  # fmt: skip
    products = builders.rows("products", product("tea", "Tea"), product("cup", "Cups"), product("gift", None), **shop)
    # Order 3 keeps 200 of 250: its cup weighs 80, with 20 before it 100; tea has 80.
    assert facts_of(lines=lines, products=products)["ann"]["preferred_category"] == "Cups"
    tied = lines.with_columns(paid_fen=pl.when(pl.col("order_id") == "3").then(75).otherwise("paid_fen"))
    assert facts_of(lines=tied, products=products)["ann"]["preferred_category"] == "Cups"


def test_orders_and_products_never_meet_but_through_a_line():
    """Polars once joined all orders of a shop with all its products first: 22 GB."""
    net = net_orders(ORDERS, REFUNDS, builders.identities("ann"), as_of=AS_OF).collect().lazy()
    lines = builders.rows("order_lines").collect().lazy()
    plan = preferred_categories(net, lines, builders.rows("products"), as_of=AS_OF, window_days=365).explain()
    on = re.findall(r"LEFT PLAN ON: \[(.*)\]", plan)
    assert len(on) == 3
    assert all("order_id" in keys or "product_id" in keys or keys == 'col("number")' for keys in on)
