"""BG/NBD and MBG/NBD: published numbers, the story behind them integrated numerically, and laws."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.value.buying import Buying, BuyingLaw, Histories
from tests.support.examples import examples
from tests.unit.value import oracles

CDNOW = Buying(0.243, 4.414, 0.793, 2.426)
BG, MBG = BuyingLaw("bg_nbd"), BuyingLaw("mbg_nbd")
PUBLISHED = (
    (2, 30.43, 38.86, 1.226028, 0.726579),
    (0, 0.0, 38.86, 0.195098, 1.0),
    (1, 1.71, 38.86, 0.203187, 0.212101),
    (7, 29.43, 38.86, 3.337053, 0.641756),
    (11, 2.0, 38.86, 0.0, 0.0),
)


def histories(*given: tuple[float, float, float]) -> Histories:
    x, t_x, age = (np.array(column, dtype=float) for column in zip(*given, strict=True))
    return Histories(x, t_x, age, np.ones(len(x)))


def test_published_expectations_and_chances():
    of = histories(*(row[:3] for row in PUBLISHED))
    assert BG.expected(CDNOW, of, 39) == pytest.approx([row[3] for row in PUBLISHED], abs=5e-7)
    assert BG.p_alive(CDNOW, of) == pytest.approx([row[4] for row in PUBLISHED], abs=5e-7)


def test_published_log_likelihoods():
    found = BG.log_likelihoods(CDNOW, histories((2, 30.43, 38.86), (0, 0, 38.86)))
    assert found == pytest.approx([-9.458606307, -0.554713276], abs=5e-10)


parameters = st.tuples(*[st.floats(0.15, 6)] * 4).map(lambda drawn: Buying(*drawn))


@st.composite
def one_history(draw: st.DrawFn) -> tuple[int, float, float]:
    age = draw(st.floats(0.5, 60))
    x = draw(st.integers(0, 30))
    return x, age * draw(st.floats(0.01, 1)) if x else 0.0, age


@pytest.mark.parametrize("law", [BG, MBG], ids=lambda law: law.model)
@settings(max_examples=examples(8))
@given(p=parameters, of=one_history())
def test_closed_forms_equal_the_story_integrated(law: BuyingLaw, p: Buying, of: tuple[int, float, float]):
    alive, gone = oracles.branches(law.model, p, *of)
    one = histories(of)
    assert law.log_likelihoods(p, one)[0] == pytest.approx(np.log(alive + gone), rel=1e-6, abs=1e-6)
    assert law.p_alive(p, one)[0] == pytest.approx(alive / (alive + gone), rel=1e-6)
    assert law.expected(p, one, 12)[0] == pytest.approx(oracles.expected(law.model, p, *of, 12), rel=1e-5)
    assert law.p_buys(p, one, 12)[0] == pytest.approx(oracles.buys(law.model, p, *of, 12), rel=1e-6)


@pytest.mark.parametrize("law", [BG, MBG], ids=lambda law: law.model)
@settings(max_examples=examples(15))
@given(p=parameters, of=one_history())
def test_the_gradient_is_that_of_the_likelihood(law: BuyingLaw, p: Buying, of: tuple[int, float, float]):
    one = histories(of)
    for place, slope in enumerate(law.gradient(p, one)[:, 0]):
        step = 1e-6 * p[place]
        near = [p._replace(**{p._fields[place]: p[place] + side}) for side in (step, -step)]
        above, below = (law.log_likelihoods(shifted, one)[0] for shifted in near)
        assert slope == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("law", [BG, MBG], ids=lambda law: law.model)
@settings(max_examples=examples(30))
@given(p=parameters, of=one_history(), ahead=st.floats(1, 400))
def test_chances_are_chances_and_time_brings_more(
    law: BuyingLaw, p: Buying, of: tuple[int, float, float], ahead: float
):
    one = histories(of)
    less, more = law.expected(p, one, ahead)[0], law.expected(p, one, 2 * ahead)[0]
    assert -1e-9 <= less <= more + 1e-9
    assert 0 <= law.p_buys(p, one, ahead)[0] <= law.p_alive(p, one)[0] <= 1
    assert law.p_buys(p, one, ahead)[0] <= less + 1e-9, "a chance of one is at most the number expected"


@settings(max_examples=examples(30))
@given(p=parameters, of=one_history(), factor=st.floats(0.1, 10))
def test_the_unit_of_time_does_not_matter(p: Buying, of: tuple[int, float, float], factor: float):
    one = histories(of)
    own, other = (
        MBG.expected(p, one, 9),
        MBG.expected(p._replace(alpha=p.alpha * factor), one.scaled(factor), 9 * factor),
    )
    assert other == pytest.approx(own, rel=1e-9)


def test_only_the_modified_model_gives_up_a_one_time_buyer():
    old = histories((0, 0, 10), (0, 0, 400))
    assert BG.p_alive(CDNOW, old).tolist() == [1, 1]
    young, ancient = MBG.p_alive(CDNOW, old)
    assert 0.9 * young > ancient > 0


@pytest.mark.parametrize("law", [BG, MBG], ids=lambda law: law.model)
def test_nothing_breaks_where_a_formula_has_a_pole(law: BuyingLaw):
    """At a = 1, and for one-time buyers at a + b = 1, the limit is taken from near by."""
    of = histories((0, 0, 30), (3, 20, 30))
    for p in (Buying(0.5, 5, 1, 2), Buying(0.5, 5, 0.4, 0.6), Buying(0.5, 5, 1 + 1e-7, 2)):
        near = p._replace(a=p.a + 1e-4, b=p.b + 1e-4)
        assert law.expected(p, of, 20) == pytest.approx(law.expected(near, of, 20), rel=2e-3)


@pytest.mark.parametrize("law", [BG, MBG], ids=lambda law: law.model)
def test_where_everybody_leaves_alike_the_mean_chance_says_it_all(law: BuyingLaw):
    """With huge a and b every customer leaves with chance m = a / (a + b): (1 − e^(−λmt)) / m, averaged over λ."""
    p, of = Buying(1.2, 58, 5_632, 162_755), histories((0, 0, 30), (3, 80, 100), (300, 700, 700))
    m = p.a / (p.a + p.b)
    expected = (1 - ((p.alpha + of.age) / (p.alpha + of.age + 360 * m)) ** (p.r + of.x)) / m
    assert law.expected_if_alive(p, of.x, of.age, 360) == pytest.approx(expected, rel=0.02)


def test_long_and_dense_histories_do_not_overflow():
    of = histories((1000, 1.0, 5000), (1000, 5000, 5000), (0, 0, 5000))
    for law in (BG, MBG):
        found = [law.p_alive(CDNOW, of), law.p_buys(CDNOW, of, 90), law.expected(CDNOW, of, 90)]
        assert all(np.isfinite(values).all() and (values >= 0).all() for values in found)
        assert found[0][0] == 0


@pytest.mark.parametrize("law", [BG, MBG], ids=lambda law: law.model)
def test_newcomers_buy_as_often_as_simulated_ones(law: BuyingLaw):
    p, ahead, people = Buying(1.2, 6, 0.9, 2.2), 40, 6_000
    draw = random.Random(7)  # noqa: S311
    bought = sum(_simulated(law.model, p, ahead, draw) for _ in range(people))
    assert bought / people == pytest.approx(law.expected_of_new(p, ahead), rel=0.06)


def _simulated(model: str, p: Buying, ahead: float, draw: random.Random) -> int:
    """One customer from the first purchase on: the repeat purchases until `ahead` or until they leave."""
    rate, leave = draw.gammavariate(p.r, 1 / p.alpha), draw.betavariate(p.a, p.b)
    if model == "mbg_nbd" and draw.random() < leave:
        return 0
    at, bought = draw.expovariate(rate), 0
    while at <= ahead:
        bought += 1
        if draw.random() < leave:
            break
        at += draw.expovariate(rate)
    return bought
