"""Clusters on a line equal the best of all cuts, tried one by one."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.breaks import cluster_starts
from tests.support.examples import examples

TALLY = st.dictionaries(st.integers(-50, 10**6), st.integers(1, 9), min_size=1, max_size=9)


def starts(tally: dict[int, int], clusters: int) -> list[int]:
    values = sorted(tally)
    counts = [tally[value] for value in values]
    return cluster_starts(np.array(values, np.int64), np.array(counts, np.int64), clusters).tolist()


def distance(tally: dict[int, int], cuts: list[int]) -> float:
    """Sum of squared distances to the means of the clusters that begin at `cuts`."""
    values, total = sorted(tally), 0.0
    for low, high in pairwise([values[0], *cuts, values[-1] + 1]):
        inside = [value for value in values if low <= value < high for _ in range(tally[value])]
        mean = sum(inside) / len(inside)
        total += sum((value - mean) ** 2 for value in inside)
    return total


def test_literal_clusters():
    assert starts(dict.fromkeys([1, 2, 10, 11, 50], 1), 3) == [10, 50]
    assert starts({1: 700, 2: 200, 3: 70, 8: 30}, 3) == [2, 8]
    assert starts({5: 3, 9: 1}, 5) == [9]
    assert starts({7: 4}, 3) == []


@settings(max_examples=examples(40), deadline=None)
@given(TALLY, st.integers(2, 5))
def test_no_other_cut_is_better(tally: dict[int, int], clusters: int):
    most = min(clusters, len(tally))
    found = starts(tally, clusters)
    assert len(found) == most - 1
    least = min(distance(tally, list(cuts)) for cuts in combinations(sorted(tally)[1:], most - 1))
    assert distance(tally, found) <= least * (1 + 1e-9) + 1e-6
