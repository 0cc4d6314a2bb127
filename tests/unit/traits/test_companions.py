"""Association rules against a count over every customer, rule by rule."""

from collections import Counter
from decimal import Decimal
from itertools import permutations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.habits import Companions
from tasks.transforms.traits.baskets import Baskets, spend_by
from tasks.transforms.traits.companions import companions_of, rules_of, sets_of
from tests.support.examples import examples
from tests.unit.traits.grounds import AS_OF

NAMES = ["Bags", "Cups", "Pots", "Tea"]
ALL = Companions(least_support=Decimal(0), least_confidence=Decimal(0), least_lift=Decimal(1))


def baskets(sets: list[set[str]], names: list[str] = NAMES) -> Baskets:
    """Customer n bought the n-th set."""
    lines = [(n, names.index(name), None, AS_OF, 5) for n, bought in enumerate(sets) for name in sorted(bought)]
    schema = {"one_id": pl.Int64, "category": pl.Int32, "brand": pl.Int32, "paid_on": pl.Date, "spend_fen": pl.Int64}
    numbers = pl.DataFrame(
        {"category": names, "number": np.arange(len(names))}, {"category": pl.String, "number": pl.Int32}
    )
    rows = pl.LazyFrame(lines, schema, orient="row")
    return Baskets(rows, spend_by(rows, "category", numbers), numbers, numbers.rename({"category": "brand"}))


def told(sets: list[set[str]], rule: Companions) -> tuple[list[tuple[str, str, float, float, float]], dict[int, str]]:
    held = sets_of(baskets(sets), rule)
    rules = rules_of(held, rule)
    offers = companions_of(held, rules).collect()
    return rules.rows(), dict(offers.select("one_id", "companion_category").iter_rows())


def test_numbers_of_a_textbook():
    """Four of five buy tea, three of them cups too: support 3/5, confidence 3/4, lift 15/16."""
    sets = [{"Tea", "Cups"}] * 3 + [{"Tea"}, {"Cups"}]
    rules = rules_of(sets_of(baskets(sets), ALL), Companions(least_lift=Decimal(1), least_support=Decimal(0)))
    assert rules.is_empty(), "less likely together than by chance"
    sets = [{"Tea", "Cups"}] * 3 + [{"Tea"}, {"Bags"}]
    rules, offers = told(sets, ALL)
    assert ("Tea", "Cups", 0.6, 0.75, 1.25) in rules
    assert offers == {3: "Cups"}


SETS = st.lists(st.sets(st.sampled_from(NAMES), min_size=1), max_size=12)


@settings(max_examples=examples(40), deadline=None)
@given(SETS, st.sampled_from([ALL, Companions(least_support=Decimal("0.2"), least_confidence=Decimal("0.5"))]))
def test_rules_and_offers_equal_a_plain_count(sets, rule):
    rules, offers = told(sets, rule)
    assert rules == (expected := _rules(sets, rule))
    assert offers == {
        n: fitting[0]
        for n, bought in enumerate(sets)
        if (fitting := [b for a, b, *_ in expected if a in bought and b not in bought])
    }


def _rules(sets: list[set[str]], rule: Companions) -> list[tuple[str, str, float, float, float]]:
    single = Counter(name for bought in sets for name in bought)
    pairs = Counter(pair for bought in sets for pair in permutations(sorted(bought), 2))
    found = [
        (a, b, round(n / len(sets), 4), round(n / single[a], 4), round(n * len(sets) / (single[a] * single[b]), 4))
        for (a, b), n in pairs.items()
    ]
    least = (float(rule.least_support), float(rule.least_confidence), float(rule.least_lift))
    kept = [one for one in found if all(have >= least[i] for i, have in enumerate(one[2:]))]
    return sorted(kept, key=lambda one: (-one[3], -one[4], -one[2], one[0], one[1]))


def test_only_the_categories_with_the_most_customers_are_compared():
    sets = [{"Tea", "Cups", "Pots"}, {"Tea", "Cups"}, {"Tea", "Pots"}, {"Bags"}]
    few = Companions(**(ALL.model_dump() | {"most_categories": 2}))
    assert sets_of(baskets(sets), few).names == ["Tea", "Cups"], "Cups and Pots have two each"


def test_sixty_two_categories_fit():
    names = [f"{n:02}" for n in range(62)]
    widest = Companions(**(ALL.model_dump() | {"most_categories": 62}))
    held = sets_of(baskets([set(names), set(names[:1])], names), widest)
    assert held.counts.rows() == [(1, 1), (2**62 - 1, 1)]
    offers = companions_of(held, rules_of(held, widest)).collect()
    assert offers.rows() == [(1, "01")]
