"""BG/NBD and MBG/NBD from their story by numeric integration: nothing here knows the closed forms."""

from collections.abc import Callable
from functools import cache
from math import exp, expm1, lgamma, log, log1p
from typing import Any

import numpy as np
from scipy.integrate import quad

from tasks.transforms.value.buying import Buying

_EXACT: dict[str, Any] = {"epsabs": 0, "epsrel": 1e-9, "limit": 500}


@cache
def branches(model: str, p: Buying, x: int, t_x: float, age: float) -> tuple[float, float]:
    """Likelihood of the history with the customer alive, and with the customer gone after the last purchase.

    A customer who stays with chance 1 − p after each chance to leave has taken x of them, the first purchase
    among them under mbg_nbd; the rate is integrated over its gamma, the chance to leave over its beta.
    """
    chances = x + (model == "mbg_nbd")
    alive = _over_beta(p, lambda leave: (1 - leave) ** chances) * _rates(p, x, age)
    if chances == 0:
        return alive, 0.0
    return alive, _over_beta(p, lambda leave: leave * (1 - leave) ** (chances - 1)) * _rates(p, x, t_x)


def expected(model: str, p: Buying, x: int, t_x: float, age: float, ahead: float) -> float:
    """Purchases expected in the time `ahead`: a buyer at rate λ who leaves with chance p makes (1 − e^(−λpt)) / p."""
    chances = x + (model == "mbg_nbd")

    def per_leaver(leave: float) -> float:
        if leave == 0:
            return (p.r + x) * ahead / (p.alpha + age)
        none = -(p.r + x) * log1p(leave * ahead / (p.alpha + age))
        return -expm1(none) / leave * (1 - leave) ** chances

    alive, gone = branches(model, p, x, t_x, age)
    return _over_beta(p, per_leaver) * _rates(p, x, age) / (alive + gone)


def buys(model: str, p: Buying, x: int, t_x: float, age: float, ahead: float) -> float:
    """Chance of at least one purchase in the time `ahead`: alive, and the next gap shorter than that."""
    alive, gone = branches(model, p, x, t_x, age)
    return alive / (alive + gone) * (1 - ((p.alpha + age) / (p.alpha + age + ahead)) ** (p.r + x))


def _rates(p: Buying, x: int, time: float) -> float:
    """∫ λ^x e^(−λ·time) over the gamma of rates, numerically in u = λ·(α + time)."""
    power = p.r + x - 1
    weight = quad(lambda u: exp(-u), 0, 1, weight="alg", wvar=(power, 0), **_EXACT)[0]
    weight += quad(lambda u: exp(power * log(u) - u), 1, np.inf, **_EXACT)[0]
    return float(weight * exp(p.r * log(p.alpha) - lgamma(p.r) - (p.r + x) * log(p.alpha + time)))


def _over_beta(p: Buying, of_leaving: Callable[[float], float]) -> float:
    """The mean of a function of the chance to leave, over its beta."""
    norm = lgamma(p.a + p.b) - lgamma(p.a) - lgamma(p.b)
    return float(quad(of_leaving, 0, 1, weight="alg", wvar=(p.a - 1, p.b - 1), **_EXACT)[0] * exp(norm))
