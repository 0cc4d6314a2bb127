"""Wallet, brand, stock and companions from the lines, against a plain reading of their definitions."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import median
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.habits import Restock
from tasks.policy.models import Policy
from tasks.transforms.facts import preferred_categories
from tasks.transforms.traits.baskets import Baskets, baskets_of, preferred_brands
from tasks.transforms.traits.categories import share_wallet
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.restock import due_next
from tasks.transforms.traits.wallet import open_wallets
from tests.support.examples import examples
from tests.unit.traits.grounds import AS_OF, POLICY, by_customer, ground, orders
from tests.unit.transforms.builders import rows

SHOP = {"channel": "shop", "shop_id": "main"}
PRODUCTS = {"tea": ("Tea", "A"), "cup": ("Cups", "B"), "pot": ("Cups", "A"), "gift": (None, "C"), "bag": ("Bags", None),
            "odd": (None, None)}  # fmt: skip
Bought = tuple[int, int, dict[str, int], int]
"""Customer, days ago, product to what it cost, what was refunded."""


def shop(*bought: Bought, policy: Policy = POLICY) -> Ground:
    """The ground of these purchases."""
    heads = [
        {"order_id": str(n), "one_id": one_id, "paid_on": AS_OF - timedelta(days=ago), "paid_fen": sum(cost.values()),
         "net_fen": sum(cost.values()) - back}
        for n, (one_id, ago, cost, back) in enumerate(bought)
    ]  # fmt: skip
    lines = [
        {"order_id": str(n), "line_id": name, "product_id": name, "paid_fen": fen}
        for n, (_, _, cost, _) in enumerate(bought)
        for name, fen in cost.items()
    ]
    products = [{"product_id": name, "category": kind, "brand": brand} for name, (kind, brand) in PRODUCTS.items()]
    return ground(
        policy, orders=orders(*heads), lines=rows("order_lines", *lines, **SHOP),
        products=rows("products", *products, **SHOP),
    )  # fmt: skip


def test_shares_and_ties_by_name():
    told = by_customer(
        open_wallets(
            shop(
                (1, 0, {"tea": 60, "cup": 30, "gift": 500}, 0), (1, 9, {"bag": 10}, 0),
                (2, 0, {"tea": 5, "pot": 5}, 0),
                (3, 0, {"odd": 7}, 0),
                (4, 365, {"tea": 7}, 0),
            )
        ).customers
    )  # fmt: skip
    names = ("categories", "category_share", "second_category", "preferred_brand")
    assert [told[1][name] for name in names] == [3, 0.6, "Cups", "C"]
    assert [told[2][name] for name in names] == [2, 0.5, "Tea", "A"]
    assert told.keys() == {1, 2}


def test_one_s_own_cycle_and_the_next_due_date():
    rule = Restock(least_days=3, least_customers=1)
    held = shop(*((1, ago, {"tea": 5}, 0) for ago in (40, 30, 19)), (2, 12, {"tea": 5}, 0))
    told = by_customer(due_next(baskets_of(held), rule, AS_OF))
    assert told[1] == {
        "restock_category": "Tea", "restock_cycle_days": 11, "restock_due_on": AS_OF - timedelta(days=8),
    }  # fmt: skip
    assert told[2]["restock_due_on"] == AS_OF - timedelta(days=1), "whose cycle is not known takes the category's"


def test_what_is_long_overdue_or_seldom_bought_is_not_stock():
    rule = Restock(least_days=2, least_customers=1, longest_days=60)
    held = shop((1, 50, {"tea": 5}, 0), (1, 40, {"tea": 5}, 0), (2, 80, {"cup": 5}, 0), (2, 5, {"cup": 5}, 0))
    assert by_customer(due_next(baskets_of(held), rule, AS_OF)) == {}


def test_only_listed_categories_run_out():
    rule = Restock(least_days=2, least_customers=1, categories=("Cups",))
    held = shop(*((1, ago, {"tea": 5, "cup": 1}, 0) for ago in (20, 10)))
    assert by_customer(due_next(baskets_of(held), rule, AS_OF))[1]["restock_category"] == "Cups"


COSTS = st.dictionaries(st.sampled_from([*PRODUCTS]), st.integers(1, 4), min_size=1, max_size=3)
BOUGHT = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 40), COSTS, st.integers(0, 3)).filter(
        lambda one: one[3] < sum(one[2].values())
    ),
    max_size=14,
)


@settings(max_examples=examples(30), deadline=None)
@given(BOUGHT)
def test_wallets_equal_a_plain_reading(bought):
    held = shop(*bought)
    baskets = baskets_of(held)
    wallets, brands = by_customer(share_wallet(baskets)), by_customer(preferred_brands(baskets))
    assert wallets == {n: found for n in (1, 2, 3) if (found := _wallet(bought, n))}
    assert {n: row["preferred_brand"] for n, row in brands.items()} == {
        n: _ranked(spend)[0] for n in (1, 2, 3) if (spend := _spend(bought, n, 1))
    }
    first = by_customer(preferred_categories(held.orders, held.lines, held.products, as_of=AS_OF, window_days=365))
    assert {n: row["preferred_category"] for n, row in first.items()} == {
        n: _ranked(spend)[0] for n in (1, 2, 3) if (spend := _spend(bought, n, 0))
    }


@settings(max_examples=examples(30), deadline=None)
@given(BOUGHT, st.integers(2, 3), st.integers(1, 2))
def test_due_dates_equal_a_plain_reading(bought, least_days, least_customers):
    rule = Restock(least_days=least_days, least_customers=least_customers, longest_days=30)
    assert by_customer(due_next(baskets_of(shop(*bought)), rule, AS_OF)) == _due(bought, rule)


def _spend(bought: list[Bought], one_id: int, what: int) -> dict[str, int]:
    """Category (0) or brand (1) to net spend."""
    spend: dict[str, int] = Counter()
    for buyer, _, cost, back in bought:
        total = sum(cost.values())
        for name, fen in cost.items():
            if buyer == one_id and PRODUCTS[name][what] is not None:
                spend[PRODUCTS[name][what]] += fen * (total - back) // total
    return {name: fen for name, fen in spend.items() if fen}


def _ranked(spend: dict[str, int]) -> list[str]:
    return sorted(spend, key=lambda name: (-spend[name], name))


def _wallet(bought: list[Bought], one_id: int) -> dict[str, Any] | None:
    spend = _spend(bought, one_id, 0)
    if not spend:
        return None
    first, *others = _ranked(spend)
    return {
        "categories": len(spend), "category_share": round(spend[first] / sum(spend.values()), 4),
        "second_category": others[0] if others else None,
    }  # fmt: skip


def _due(bought: list[Bought], rule: Restock) -> dict[int, dict[str, Any]]:
    days: dict[tuple[int, str], set[date]] = defaultdict(set)
    for one_id, ago, cost, back in bought:
        total = sum(cost.values())
        for name, fen in cost.items():
            if PRODUCTS[name][0] and fen * (total - back) // total:
                days[one_id, PRODUCTS[name][0]].add(AS_OF - timedelta(days=ago))
    gaps = {pair: [(b - a).days for a, b in zip(sorted(d), sorted(d)[1:], strict=False)] for pair, d in days.items()}
    offers: dict[int, list[tuple[date, int, str, int]]] = defaultdict(list)
    for (one_id, kind), found in days.items():
        back_again = [n for (n, name), g in gaps.items() if name == kind and g]
        every = [gap for (_, name), g in gaps.items() if name == kind for gap in g]
        own = gaps[one_id, kind] if len(found) >= rule.least_days else []
        source = own or (every if len(back_again) >= rule.least_customers else [])
        if not source:
            continue
        cycle = int(median(source) + 0.5)
        due = max(found) + timedelta(days=cycle)
        is_cycle = rule.shortest_days <= cycle <= rule.longest_days
        if is_cycle and (AS_OF - due).days <= rule.late_cycles * cycle:
            offers[one_id].append((due, -len(found), kind, cycle))
    return {
        one_id: {"restock_category": kind, "restock_cycle_days": cycle, "restock_due_on": due}
        for one_id, (due, _, kind, cycle) in ((n, min(o)) for n, o in offers.items())
    }


def test_a_category_that_nobody_knows_is_in_no_wallet():
    baskets: Baskets = baskets_of(shop((1, 0, {"odd": 3}, 0)))
    assert baskets.lines.collect().is_empty()
    assert pl.Series(baskets.categories["category"]).to_list() == ["Bags", "Cups", "Tea"]
