"""Tags: conditions, values, bands, order, and what null counts as."""

import polars as pl
import pytest

from tasks.errors import BadPolicyError
from tasks.policy.tags import Band
from tests.unit.tags.frames import DAY, LABEL, tag, tagged

ANN = {"one_id": "c_a", "as_of": DAY, "frequency": 3, "monetary_fen": 1000, "days_since_order": 40}
BOB = {"one_id": "c_b", "as_of": DAY, "frequency": 0, "monetary_fen": 0, "days_since_order": None}
CAT = {"one_id": "c_c", "as_of": DAY, "frequency": 9, "monetary_fen": 1000, "days_since_order": 1}


def test_a_condition_that_meets_a_null_is_false():
    assert tagged([BOB, ANN], tag("is_silent", when="days_since_order > 30"))["is_silent"].to_list() == [True, False]


def test_a_value_keeps_its_type_and_its_null():
    got = tagged([ANN, BOB], tag("basket", value="CASE WHEN frequency > 0 THEN monetary_fen // frequency END"))
    assert got["basket"].to_list() == [333, None]
    assert got.schema["basket"] == pl.Int64


def test_a_value_that_is_not_among_those_declared_is_cleared():
    values = [{"code": "gold", "label": LABEL}]
    got = tagged([ANN | {"tier": "gold"}, BOB | {"tier": "tin"}], tag("rank", value="tier", values=values))
    assert got["rank"].to_list() == ["gold", None]


def test_a_band_is_the_highest_that_is_reached():
    bands = [
        Band(code=code, label=LABEL, at_least=least) for code, least in (("high", 1000), ("middle", 500), ("low", 1))
    ]
    assert tagged([ANN, BOB], tag("power", measure="monetary_fen", bands=bands))["power"].to_list() == ["high", None]


def test_a_tag_may_read_those_below_it_and_those_above():
    silent = tag("is_silent", when="days_since_order > 30")
    vip = tag("is_vip", when="is_silent AND frequency > 2", type="composite")
    got = tagged([ANN, BOB], vip, silent)
    assert got.columns == ["one_id", "as_of", "is_vip", "is_silent"]
    assert got["is_vip"].to_list() == [True, False]


def test_tags_that_read_each_other_are_refused_with_their_names():
    with pytest.raises(BadPolicyError, match=r"tags\.yaml: .* circle: (a reads b reads a|b reads a reads b);"):
        tagged([ANN], tag("a", when="b"), tag("b", when="a"))


@pytest.mark.parametrize(
    ("size", "ties", "expected"),
    [
        ({"count": 1}, "in", [True, False, True]),
        ({"count": 1}, "out", [False, False, False]),
        ({"count": 2}, "in", [True, False, True]),
        ({"count": 2}, "out", [True, False, True]),
        ({"count": 3}, "out", [True, True, True]),
        ({"percent": 33}, "in", [False, False, False]),
        ({"percent": 34}, "in", [True, False, True]),
        ({"percent": 100}, "in", [True, True, True]),
    ],
)
def test_equal_customers_are_in_the_top_together_or_not_at_all(size, ties, expected):
    top = {"by": "monetary_fen", "ties": ties, **size}
    for rows in ([ANN, BOB, CAT], [CAT, BOB, ANN]):
        assert tagged(rows, tag("is_top", top=top))["is_top"].to_list() == expected


def test_who_does_not_compete_is_neither_in_the_top_nor_in_its_base():
    top = {"by": "monetary_fen", "percent": 50, "among": "frequency > 3"}
    assert tagged([ANN, BOB, CAT], tag("is_top", top=top))["is_top"].to_list() == [False, False, False]
    assert tagged([ANN, BOB, CAT], tag("is_top", top=top | {"percent": 100}))["is_top"].to_list() == [
        False,
        False,
        True,
    ]


def test_nobody_has_no_tags():
    assert tagged([], tag("is_top", top={"by": "monetary_fen", "count": 1})).shape == (0, 3)
