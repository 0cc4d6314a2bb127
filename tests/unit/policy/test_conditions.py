"""What operators' arithmetic does with zero: nothing is known of what is divided by it."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.audiences import Audience
from tasks.policy.conditions import names_in, parse
from tasks.transforms.audience_columns import add_audiences
from tests.support.examples import examples

SMALL = st.integers(-3, 3)


def told(text: str, **columns: object) -> list[object]:
    frame = pl.DataFrame(columns)
    return frame.select(parse(text, frame.columns, where="test").alias("told"))["told"].to_list()


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=5), SMALL)
def test_a_quotient_is_compared_as_in_plain_python_and_unknown_by_zero(rows: list[tuple[int, int]], bound: int) -> None:
    a, b = ([row[place] for row in rows] for place in (0, 1))
    assert told(f"a / b > {bound}", a=a, b=b) == [x / y > bound if y else None for x, y in rows]
    assert told(f"a / (b - {bound}) > 0", a=a, b=b) == [x / (y - bound) > 0 if y != bound else None for x, y in rows]


@pytest.mark.parametrize("text", ["a / b", "a // b", "a % b", "MOD(a, b)", "a / (a - 1)", "a / 0"])
def test_no_arithmetic_makes_a_number_out_of_zero(text: str) -> None:
    assert told(text, a=[1], b=[0]) == [None]


def test_a_guard_and_a_text_with_a_stroke_stay_what_they_are() -> None:
    assert told("CASE WHEN b > 0 THEN a / b ELSE 0 END", a=[4, 4], b=[0, 2]) == [0, 2]
    assert told("s = '1/0' OR a / b > 1", a=[4, 4], b=[0, 2], s=["1/0", ""]) == [True, True]
    assert names_in("a / b > 2") == {"a", "b"}


def test_who_never_bought_is_in_no_audience_of_large_baskets_nor_first_among_them() -> None:
    shop = pl.LazyFrame({"one_id": ["buyer", "prospect"], "net": [30_000, 0], "orders": [1, 0]})
    large = {"code": "large", "label": {"zh": "大单", "en": "Large"}, "where": "net / orders > 20000"}
    best = {"code": "best", "label": {"zh": "最大", "en": "Best"}, "top": {"by": "net / orders", "most": 1}}
    people = add_audiences(shop, [Audience.model_validate(one) for one in (large, best)]).collect()
    assert people.select("one_id", "in_large", "in_best").rows() == [("buyer", True, True), ("prospect", False, False)]
