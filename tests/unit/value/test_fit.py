"""Fits on CDNOW against the published ones, and what makes a fit the same everywhere."""

import gzip
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.demo import cdnow
from tasks.transforms.value.buying import Buying, BuyingLaw, Histories
from tasks.transforms.value.fit import ACCEPTED, Fit, fit_buying, fit_spending, rounded
from tasks.transforms.value.histories import histories_of, purchases_of
from tasks.transforms.value.spending import Spending, correlation, expected_means
from tests.support.examples import examples
from tests.unit.value.builders import AS_OF, cdnow_sample

WEEK = 7
BG = BuyingLaw("bg_nbd")
EVERYONE = 10**9


@pytest.fixture(scope="module")
def histories() -> Histories:
    return histories_of(cdnow_sample().lazy(), AS_OF, EVERYONE)


@pytest.fixture(scope="module")
def bg(histories: Histories) -> Fit:
    return fit_buying(BG, histories)


def buying(fit: Fit) -> Buying:
    assert fit.parameters
    return Buying(*fit.parameters)


def weekly(p: Buying) -> Buying:
    return p._replace(alpha=p.alpha / WEEK)


def test_the_data_are_the_published_ones():
    master, sample = cdnow.master(), cdnow.sample()
    assert (master.height, master["customer"].n_unique()) == (69_659, 23_570)
    assert (sample.height, sample["customer"].n_unique()) == (6_919, 2_357)
    assert master["bought_on"].min(), master["bought_on"].max() == (date(1997, 1, 1), date(1998, 6, 30))


def test_the_published_parameters_and_likelihood(bg: Fit, histories: Histories):
    """Days give the log-likelihood of weeks less Σx · ln 7."""
    p = weekly(buying(bg))
    assert tuple(p) == pytest.approx((0.2426, 4.4136, 0.7929, 2.4259), abs=1e-4)
    in_weeks = bg.log_likelihood + float(histories.customers @ histories.x) * np.log(WEEK)
    assert in_weeks == pytest.approx(-9582.429, abs=0.005)
    assert bg.gradient < ACCEPTED


def test_published_expectations_of_the_fit(bg: Fit):
    p = weekly(buying(bg))
    assert BG.expected_of_new(p, 52) == pytest.approx(1.4440, rel=1e-4)
    loyal = Histories(np.array([26.0]), np.array([216 / 7]), np.array([31.0]), np.ones(1))
    assert BG.expected(p, loyal, 52)[0] == pytest.approx(25.757, rel=1e-4)
    assert BG.p_alive(p, loyal)[0] == pytest.approx(0.96885, rel=1e-4)


def test_published_expectations_by_frequency(bg: Fit, histories: Histories):
    """Purchases expected in the 39 weeks after, by those of the 39 weeks before, 7 and more together."""
    expected = BG.expected(buying(bg), histories, 39 * WEEK)
    group = np.minimum(histories.x, 7).astype(int)
    sums, people = (np.bincount(group, values) for values in (expected * histories.customers, histories.customers))
    published = [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570]
    assert sums / people == pytest.approx(published, abs=5e-4)


def test_the_modified_model_fits_at_least_as_well(bg: Fit, histories: Histories):
    modified = fit_buying(BuyingLaw("mbg_nbd"), histories)
    assert tuple(weekly(buying(modified))) == pytest.approx((0.5248, 6.1831, 0.8914, 1.6140), abs=1e-4)
    assert modified.log_likelihood > bg.log_likelihood


def test_the_published_gamma_gamma():
    purchases = purchases_of(cdnow_sample().lazy(), EVERYONE)
    dollars = purchases.scaled(1 / 100)
    fit = fit_spending(dollars)
    assert fit.parameters
    assert dollars.customers.sum() == 946
    assert fit.parameters == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=0.005)
    assert correlation(dollars) == pytest.approx(0.1139, abs=5e-5)
    first_ten = (
        cdnow_sample()
        .head(10)
        .select(x=pl.col("purchase_days") - 1, fen=pl.col("life_net_fen") - pl.col("first_day_fen"))
    )
    x, fen = (first_ten[name].cast(pl.Float64).to_numpy() for name in ("x", "fen"))
    found = expected_means(Spending(*fit.parameters), x, fen / np.maximum(x, 1) / 100)
    assert found == pytest.approx([24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17], abs=0.01)


def test_fen_and_dollars_give_one_model():
    purchases = purchases_of(cdnow_sample().lazy(), EVERYONE)
    fen, dollars = fit_spending(purchases).parameters, fit_spending(purchases.scaled(1 / 100)).parameters
    assert fen
    assert dollars
    assert (fen[0], fen[1], rounded(fen[2] / 100)) == pytest.approx(dollars, rel=1e-5)


def test_neither_order_nor_compression_changes_a_bit(bg: Fit):
    shuffled = cdnow_sample().sample(fraction=1.0, shuffle=True, seed=3)
    assert fit_buying(BG, histories_of(shuffled.lazy(), AS_OF, EVERYONE)) == bg
    one_by_one = Histories(*(np.repeat(values, 1) for values in histories_of(shuffled.lazy(), AS_OF, EVERYONE)))
    assert fit_buying(BG, one_by_one).parameters == bg.parameters


def test_a_sample_is_taken_evenly_and_is_the_same_each_time(bg: Fit):
    half = histories_of(cdnow_sample().lazy(), AS_OF, 1_200)
    assert half.customers.sum() == 1_200
    assert all(
        np.array_equal(a, b) for a, b in zip(half, histories_of(cdnow_sample().lazy(), AS_OF, 1_200), strict=True)
    )
    assert tuple(buying(fit_buying(BG, half))) == pytest.approx(tuple(buying(bg)), rel=0.25)


@settings(max_examples=examples(10))
@given(st.integers(1, 40), st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_a_sample_never_has_more_and_leaves_small_bases_alone(most: int, ages: list[int]):
    from tests.unit.value.builders import customers

    rows = customers(*((1, age, age, 100, 100) for age in ages))
    kept = histories_of(rows, AS_OF, most)
    assert kept.customers.sum() == min(most, len(ages))
    assert set(kept.age) <= {float(age) for age in ages}


def test_data_without_a_maximum_are_not_accepted_or_told_to_lie_at_a_bound():
    """Customers who all do exactly the same leave the spread of rates without a limit."""
    same = Histories(*(np.array([value]) for value in (5.0, 50.0, 60.0, 500.0)))
    fit = fit_buying(BG, same)
    assert fit.parameters is None or fit.at_bound


def test_rounding_to_significant_digits():
    assert [rounded(value) for value in (0.123456789, 123456789.0, 1.0)] == [0.123457, 123457000.0, 1.0]


def test_the_packed_files_hold_what_the_package_holds():
    """Byte for byte: the hash of the unpacked files of lifetimes 0.11.3."""
    import hashlib
    from importlib import resources

    names = ("CDNOW_master.txt.gz", "CDNOW_sample.txt.gz")
    packed = [(resources.files(cdnow) / name).read_bytes() for name in names]
    assert [hashlib.sha256(gzip.decompress(data)).hexdigest()[:16] for data in packed] == [
        "eff6889ed364c519",
        "6fae10155c0b0ba3",
    ]
