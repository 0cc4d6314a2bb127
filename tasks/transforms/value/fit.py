"""Maximum likelihood with proof of convergence: fixed starts, an accepted gradient, rounded parameters (algorithms §8).

Everything is fitted as logarithms of the parameters, per customer, so that one bound and one gradient
fit all sizes of stores. The parameters are rounded to six significant digits before anything is scored
by them: what the last bits of a machine's logarithm say is gone by then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from tasks.transforms.value import spending
from tasks.transforms.value.buying import Array, Buying, BuyingLaw, Histories
from tasks.transforms.value.spending import Purchases, Spending

BOUND = 12.0
"""Logarithms of parameters stay within ± this."""
ACCEPTED = 1e-6
"""Largest gradient of the mean log-likelihood, by log-parameters, of a fit that counts as converged."""
DIGITS = 6
STARTS = (
    (1.0, 1.0, 1.0, 1.0),
    (0.25, 4.0, 0.8, 2.5),
    (0.5, 10.0, 0.2, 1.0),
    (2.0, 10.0, 0.5, 5.0),
    (5.0, 1.0, 2.0, 2.0),
)
_SPAN = 10.0
"""The oldest customer's age in the unit of the fit."""
_POLISH = 12
_STEP = 1e-5
_AT_BOUND = 0.1

Objective = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True)
class Fit:
    """What a fit came to; parameters are null where none was accepted."""

    parameters: tuple[float, ...] | None
    log_likelihood: float
    gradient: float
    customers: int
    at_bound: bool = False


def fit_buying(law: BuyingLaw, of: Histories) -> Fit:
    """Parameters of BG/NBD or MBG/NBD in the histories' own unit of time."""
    factor = _SPAN / max(float(of.age.max()), 1.0)
    scaled = of.scaled(factor)
    total = float(of.customers.sum())

    def mean(logs: Array) -> tuple[float, Array]:
        p = Buying(*np.exp(logs))
        value = float(scaled.customers @ law.log_likelihoods(p, scaled)) / total
        return -value, -(law.gradient(p, scaled) @ scaled.customers) / total * np.exp(logs)

    found = _climb(mean, STARTS)
    if found is None:
        return Fit(None, 0.0, 0.0, int(total))
    logs, gradient = found
    p = Buying(*np.exp(logs))
    own = tuple(rounded(value) for value in p._replace(alpha=p.alpha / factor))
    likely = float(of.customers @ law.log_likelihoods(Buying(*own), of))
    return Fit(own, likely, gradient, int(total), bool(np.any(np.abs(logs) > BOUND - _AT_BOUND)))


def fit_spending(of: Purchases) -> Fit:
    """Parameters p, q, v of Gamma-Gamma in the purchases' own unit of money; q > 1 by construction."""
    total = float(of.customers.sum())
    factor = total / float(of.customers @ of.mean)
    scaled = of.scaled(factor)

    def mean(logs: Array) -> tuple[float, Array]:
        s = _spending_of(logs)
        value = float(scaled.customers @ spending.log_likelihoods(s, scaled)) / total
        chain = np.array([s.p, s.q - 1, s.v])
        return -value, -(spending.gradient(s, scaled) @ scaled.customers) / total * chain

    found = _climb(mean, tuple(start[:3] for start in STARTS))
    if found is None:
        return Fit(None, 0.0, 0.0, int(total))
    logs, gradient = found
    s = _spending_of(logs)
    own = tuple(rounded(value) for value in s._replace(v=s.v / factor))
    likely = float(of.customers @ spending.log_likelihoods(Spending(*own), of))
    return Fit(own, likely, gradient, int(total), bool(np.any(np.abs(logs) > BOUND - _AT_BOUND)))


def _spending_of(logs: Array) -> Spending:
    p, beyond_one, v = np.exp(logs)
    return Spending(float(p), 1 + float(beyond_one), float(v))


def rounded(value: float, digits: int = DIGITS) -> float:
    """The value at so many significant digits."""
    return float(f"{value:.{digits - 1}e}")


def _climb(objective: Objective, starts: Sequence[tuple[float, ...]]) -> tuple[Array, float] | None:
    """Log-parameters and gradient from the first start that leads to an accepted gradient; None when none does."""
    for start in starts:
        found = minimize(
            objective, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * len(start),
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-9},
        )  # fmt: skip
        logs = _polish(objective, np.asarray(found.x))
        gradient = float(np.linalg.norm(_free(logs, objective(logs)[1])))
        if gradient < ACCEPTED:
            return logs, gradient
    return None


def _free(at: Array, slope: Array) -> Array:
    """The slope along which the parameters may still go down: 0 where a bound is in the way."""
    is_held = ((at <= -BOUND) & (slope > 0)) | ((at >= BOUND) & (slope < 0))
    return np.where(is_held, 0.0, slope)


def _polish(objective: Objective, logs: Array) -> Array:
    """Newton's steps from near the top, kept while they lower the gradient: the last digits that a search leaves."""
    best, slope = logs, _free(logs, objective(logs)[1])
    for _ in range(_POLISH):
        tried = np.clip(best - _newton_step(objective, best, slope), -BOUND, BOUND)
        new = _free(tried, objective(tried)[1])
        if not np.linalg.norm(new) < np.linalg.norm(slope):
            break
        best, slope = tried, new
    return best


def _newton_step(objective: Objective, at: Array, slope: Array) -> Array:
    """The step among parameters that no bound holds; none where the surface has no curvature."""
    free, step = np.flatnonzero(slope), np.zeros_like(at)
    shifts = np.eye(len(at))[free] * _STEP
    rows = [(objective(at + d)[1] - objective(at - d)[1])[free] / (2 * _STEP) for d in shifts]
    hessian: Any = np.array(rows).reshape(len(free), len(free))
    try:
        step[free] = np.linalg.solve((hessian + hessian.T) / 2, slope[free])
    except np.linalg.LinAlgError:
        return np.zeros_like(at)
    return step
