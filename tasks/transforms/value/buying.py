"""BG/NBD and MBG/NBD: how often customers buy, and when they leave for good (algorithms §8).

While alive a customer buys at a rate of their own (gamma r, α) and leaves with a chance of their own
(beta a, b): after each repeat purchase (BG/NBD: Fader, Hardie, Lee 2005), or after each purchase, the
first included (MBG/NBD: Batislam, Denizel, Filiztekin 2007). Only the second can give up a one-time
buyer. It is the first with b + 1 in place of b wherever the chance to stay is counted, and with no
exception at x = 0; so both share their code.

Time is in one unit throughout; r, a and b have none, α has that unit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import digamma, expit, gammaln, hyp2f1

Array = np.ndarray[Any, np.dtype[np.float64]]
BuyingModel = Literal["bg_nbd", "mbg_nbd"]

_NEAR_ONE = 1e-5
_POLE, _PAST_POLE = 1e-9, 1e-7


class Buying(NamedTuple):
    """Parameters of BG/NBD or MBG/NBD, all above 0."""

    r: float
    alpha: float
    a: float
    b: float


class Histories(NamedTuple):
    """One entry per different history: repeat purchases, time of the last, time since the first, customers."""

    x: Array
    t_x: Array
    age: Array
    customers: Array

    def scaled(self, factor: float) -> "Histories":
        """The same histories in another unit of time."""
        return self._replace(t_x=self.t_x * factor, age=self.age * factor)


def per_count(x: Array, of: Callable[[Array], Array]) -> Array:
    """A function of counts, worked out once for each count that there may be, and looked up."""
    table = of(np.arange(x.max(initial=0.0) + 1))
    found: Array = table[x.astype(np.intp)]
    return found


@dataclass(frozen=True)
class BuyingLaw:
    """One of the two models: what it makes of parameters and histories."""

    model: BuyingModel

    @property
    def _stays(self) -> int:
        """Chances to stay beyond those after repeat purchases."""
        return int(self.model == "mbg_nbd")

    def log_likelihoods(self, p: Buying, of: Histories) -> Array:
        """One value per history: the logarithm of its likelihood; counts do not matter."""
        alive, dead = self._branches(p, of)
        return self._common(p, of.x) + np.logaddexp(alive, dead)

    def log_odds_of_death(self, p: Buying, of: Histories) -> Array:
        """One value per history: ln of the odds that the customer has left; −∞ where the model excludes it."""
        alive, dead = self._branches(p, of)
        return dead - alive

    def p_alive(self, p: Buying, of: Histories) -> Array:
        """One value per history: the chance that the customer has not left. Never overflows."""
        alive: Array = expit(-self.log_odds_of_death(p, of))
        return alive

    def gradient(self, p: Buying, of: Histories) -> Array:
        """Four rows, one column per history: derivatives of the log-likelihood by r, α, a, b."""
        dead = expit(self.log_odds_of_death(p, of))
        since_first, until_last = p.alpha + of.age, p.alpha + of.t_x
        by_r = per_count(of.x, lambda x: digamma(p.r + x)) - digamma(p.r) + np.log(p.alpha)
        by_r = by_r - (1 - dead) * np.log(since_first) - dead * np.log(until_last)
        by_alpha = p.r / p.alpha - (p.r + of.x) * ((1 - dead) / since_first + dead / until_last)
        total = digamma(p.a + p.b) - per_count(of.x, lambda x: digamma(p.a + p.b + x + self._stays))
        stayed = per_count(of.x, lambda x: digamma(p.b + x + self._stays)) - digamma(p.b) + total
        left = np.where(dead > 0, dead / self._chances(p, of.x), 0.0)
        return np.array([by_r, by_alpha, total + dead / p.a, stayed - left])

    def _common(self, p: Buying, x: Array) -> Array:
        """What both branches share: A1 + A2 of algorithms §8."""

        def of_count(x: Array) -> Array:
            stays = x + self._stays
            bought = gammaln(p.r + x) - gammaln(p.r) + p.r * np.log(p.alpha)
            stayed = gammaln(p.a + p.b) + gammaln(p.b + stays) - gammaln(p.b) - gammaln(p.a + p.b + stays)
            common: Array = bought + stayed
            return common

        return per_count(x, of_count)

    def _branches(self, p: Buying, of: Histories) -> tuple[Array, Array]:
        """The logarithms A3 (alive) and A4 (left right after the last purchase)."""
        alive = -(p.r + of.x) * np.log(p.alpha + of.age)
        odds = per_count(of.x, lambda x: np.log(p.a) - np.log(self._chances(p, x)))
        dead = odds - (p.r + of.x) * np.log(p.alpha + of.t_x)
        return alive, np.where(of.x + self._stays > 0, dead, -np.inf)

    def _chances(self, p: Buying, x: Array) -> Array:
        """The sum of b and the chances to stay before the last; 1 for a one-time buyer who had none."""
        return np.where(x + self._stays > 0, p.b + x + self._stays - 1, 1.0)

    def expected_if_alive(self, p: Buying, x: Array, age: Array, ahead: float) -> Array:
        """One value per (x, age): purchases expected of a customer who is alive, within the time `ahead`.

        At a = 1 the form has a gap: the mean of its two sides fills it.
        """
        if abs(p.a - 1) >= _NEAR_ONE:
            return self._expected_if_alive(p, x, age, ahead)
        below, above = (p._replace(a=side) for side in (1 - _NEAR_ONE, 1 + _NEAR_ONE))
        return (self._expected_if_alive(below, x, age, ahead) + self._expected_if_alive(above, x, age, ahead)) / 2

    def _expected_if_alive(self, p: Buying, x: Array, age: Array, ahead: float) -> Array:
        """The Euler form, exact to some 1e-14 for x up to 1000; Gauss's where that overflows (a beyond some 300)."""
        own = p.b + self._stays
        b = np.where((x == 0) & (abs(p.a + own - 1) < _POLE), own + _PAST_POLE, own)
        held = p.a + b + x - 1
        until = p.alpha + age + ahead
        gone, share = (p.alpha + age) / until, ahead / until
        with np.errstate(invalid="ignore"):
            still = gone ** (p.a - 1) * hyp2f1(p.a + b - 1 - p.r, p.a - 1, held, share)
        lost = ~np.isfinite(still)
        if lost.any():
            power = p.r + x[lost]
            still[lost] = gone[lost] ** power * hyp2f1(power, b[lost] + x[lost], held[lost], share[lost])
        spent: Array = held / (p.a - 1) * (1 - still)
        return spent

    def expected(self, p: Buying, of: Histories, ahead: float) -> Array:
        """One value per history: purchases expected within the time `ahead`."""
        return self.p_alive(p, of) * self.expected_if_alive(p, of.x, of.age, ahead)

    def p_buys(self, p: Buying, of: Histories, ahead: float) -> Array:
        """One value per history: the chance of at least one purchase within the time `ahead`."""
        none = ((p.alpha + of.age) / (p.alpha + of.age + ahead)) ** (p.r + of.x)
        return self.p_alive(p, of) * (1 - none)

    def expected_of_new(self, p: Buying, ahead: float) -> float:
        """Repeat purchases expected of a customer who has just bought for the first time."""
        newcomer = Histories(*(np.array([value]) for value in (0.0, 0.0, 0.0, 1.0)))
        return float(self.expected(p, newcomer, ahead)[0])
