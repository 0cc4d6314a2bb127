"""Gamma-Gamma: how much a purchase of each customer is worth (algorithms §9; Fader, Hardie 2013).

A customer's purchases scatter around a mean of their own, and the means over customers; how often
somebody buys must have little to do with how much. Money is in any one unit; v has that unit.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import digamma, gammaln

from tasks.transforms.value.buying import Array


class Spending(NamedTuple):
    """Parameters of Gamma-Gamma; q above 1, or the population would have no mean."""

    p: float
    q: float
    v: float


class Purchases(NamedTuple):
    """One entry per different pair: number of purchases, their mean value, customers."""

    x: Array
    mean: Array
    customers: Array

    def scaled(self, factor: float) -> "Purchases":
        """The same purchases in another unit of money."""
        return self._replace(mean=self.mean * factor)


def log_likelihoods(s: Spending, of: Purchases) -> Array:
    """One value per pair with x ≥ 1 and a mean above 0; counts do not matter."""
    px = s.p * of.x
    shape = gammaln(px + s.q) - gammaln(px) - gammaln(s.q) + s.q * np.log(s.v)
    likely: Array = shape + (px - 1) * np.log(of.mean) + px * np.log(of.x) - (px + s.q) * np.log(of.x * of.mean + s.v)
    return likely


def gradient(s: Spending, of: Purchases) -> Array:
    """Three rows, one column per pair: derivatives of the log-likelihood by p, q, v."""
    px, total = s.p * of.x, of.x * of.mean + s.v
    by_p = of.x * (digamma(px + s.q) - digamma(px) + np.log(of.x * of.mean) - np.log(total))
    by_q = digamma(px + s.q) - digamma(s.q) + np.log(s.v) - np.log(total)
    return np.array([by_p, by_q, s.q / s.v - (px + s.q) / total])


def population_mean(s: Spending) -> float:
    """What a purchase of somebody unknown is worth."""
    return s.v * s.p / (s.q - 1)


def expected_means(s: Spending, x: Array, mean: Array) -> Array:
    """One value per (x, mean): what the customer's purchases are worth; the population's mean at x = 0."""
    weight = s.p * x / (s.p * x + s.q - 1)
    return weight * np.where(x > 0, mean, 0.0) + (1 - weight) * population_mean(s)


def correlation(of: Purchases) -> float:
    """Pearson's r between number and mean value; 0 where one of them does not vary."""
    weight = of.customers / of.customers.sum()
    x, mean = (values - (values * weight).sum() for values in (of.x, of.mean))
    scatter = np.sqrt((x * x * weight).sum() * (mean * mean * weight).sum())
    return float((x * mean * weight).sum() / scatter) if scatter > 0 else 0.0
