"""One-dimensional clusters with the least squared distance: a guaranteed optimum, by dynamic programming.

The published libraries take one number per customer; a shop's customers share few values, so the distinct ones
with their counts are enough, and NumPy works them out layer by layer.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def cluster_starts(values: Ints, counts: Ints, clusters: int) -> Ints:
    """The least value of each cluster but the first, for rising distinct `values` that occur `counts` times.

    The clusters minimise the sum of squared distances to their means. Of equally good cuts the lowest is taken.
    Fewer values than clusters: each value is a cluster of its own.

    Example: 1, 2, 10, 11, 50 in 3 clusters begin at 1, 10 and 50.
    """
    most = min(clusters, len(values))
    if most < 2:  # noqa: PLR2004
        return values[:0]
    sums = _Sums.over(values, counts)
    cost, cuts = sums.within(np.zeros(len(values), np.int64), np.arange(len(values))), []
    for layer in range(1, most):
        cost, first = _next_layer(cost, sums, layer)
        cuts.append(first)
    starts, end = [], len(values) - 1
    for first in reversed(cuts):
        starts.append(int(first[end]))
        end = starts[-1] - 1
    return values[starts[::-1]]


@dataclass(frozen=True)
class _Sums:
    """Running totals of counts, of values and of squared values, about the mean so that large values stay exact."""

    weight: Floats
    value: Floats
    square: Floats

    @classmethod
    def over(cls, values: Ints, counts: Ints) -> "_Sums":
        centred = values - np.average(values, weights=counts)
        totals = (np.cumsum(counts * centred**power) for power in range(3))
        return cls(*(np.concatenate([[0.0], total]) for total in totals))

    def within(self, first: Ints, last: Ints) -> Floats:
        """Squared distance to the mean of the values from `first` to `last`, both inside."""
        weight, value, square = (total[last + 1] - total[first] for total in (self.weight, self.value, self.square))
        return np.maximum(square - value * value / weight, 0.0)


def _next_layer(before: Floats, sums: _Sums, layer: int) -> tuple[Floats, Ints]:
    """For each last value the least cost with one cluster more, and where that cluster begins.

    The best beginning never falls as the last value rises, so each halving of the distance between the last
    values that are solved searches a number of beginnings that is linear in all.
    """
    size = len(before)
    cost, first = np.full(size, np.inf), np.full(size, layer, np.int64)
    step = 1 << (size - layer).bit_length()
    while step:
        ends = np.arange(layer + step - 1, size, 2 * step)
        below, above = ends - step, ends + step
        low = np.where(below >= layer, first[np.maximum(below, 0)], layer)
        high = np.where(above < size, first[np.minimum(above, size - 1)], ends)
        cost[ends], first[ends] = _best(before, sums, ends, low, np.minimum(high, ends))
        step //= 2
    return cost, first


def _best(before: Floats, sums: _Sums, ends: Ints, low: Ints, high: Ints) -> tuple[Floats, Ints]:
    """For each end the least cost over the beginnings from `low` to `high`, and the lowest beginning that has it."""
    if not len(ends):
        return np.empty(0), ends
    widths = high - low + 1
    offsets = np.concatenate([[0], np.cumsum(widths)[:-1]])
    starts = np.arange(widths.sum()) - np.repeat(offsets - low, widths)
    costs = before[starts - 1] + sums.within(starts, np.repeat(ends, widths))
    least = np.minimum.reduceat(costs, offsets)
    hits = np.flatnonzero(costs == np.repeat(least, widths))
    return least, starts[hits[np.searchsorted(hits, offsets)]]
