"""Gamma-Gamma: published numbers, the gradient, and laws of the expected value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.value.spending import (
    Purchases,
    Spending,
    correlation,
    expected_means,
    gradient,
    log_likelihoods,
    population_mean,
)  # fmt: skip
from tests.support.examples import examples

CDNOW = Spending(6.25, 3.74, 15.44)
parameters = st.builds(Spending, st.floats(0.3, 20), st.floats(1.1, 20), st.floats(0.5, 100))


def one(x: float, mean: float) -> Purchases:
    return Purchases(np.array([float(x)]), np.array([mean]), np.ones(1))


def test_published_means():
    found = expected_means(CDNOW, np.array([0.0, 1, 2, 7]), np.array([0.0, 11.77, 22.35, 73.74]))
    assert found == pytest.approx([35.218978, 18.916852, 24.663714, 71.469671], abs=5e-7)


@settings(max_examples=examples(20))
@given(s=parameters, x=st.integers(1, 50), mean=st.floats(0.1, 500))
def test_the_gradient_is_that_of_the_likelihood(s: Spending, x: int, mean: float):
    for place, slope in enumerate(gradient(s, one(x, mean))[:, 0]):
        step = 1e-6 * s[place]
        sides = [s._replace(**{s._fields[place]: s[place] + side}) for side in (step, -step)]
        above, below = (log_likelihoods(side, one(x, mean))[0] for side in sides)
        assert slope == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-4)


@settings(max_examples=examples(20))
@given(s=parameters, x=st.integers(1, 500), mean=st.floats(0.1, 500))
def test_the_expected_mean_lies_between_the_own_and_the_population_s_and_nears_the_own(
    s: Spending, x: int, mean: float
):
    own, of_all = mean, population_mean(s)
    few, many = (expected_means(s, np.array([float(n)]), np.array([mean]))[0] for n in (x, 10 * x))
    assert min(own, of_all) - 1e-6 <= few <= max(own, of_all) + 1e-6
    assert abs(many - own) <= abs(few - own) + 1e-9


def test_correlation_counts_customers():
    pairs = Purchases(np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([3.0, 1.0]))
    each = Purchases(np.array([1.0, 1, 1, 2]), np.array([10.0, 10, 10, 20]), np.ones(4))
    assert correlation(pairs) == pytest.approx(correlation(each)) == pytest.approx(1)
    assert correlation(one(3, 5)) == 0
