"""What the models expect of each buyer: purchases within given days, and the worth of one.

What needs a hypergeometric function depends on repeat purchases and age alone: it is worked out once
for each different pair and looked up. All else is arithmetic on arrays. Where no model was ever
accepted, the rate so far stands in, until the stage says lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tasks.transforms.value.buying import Array, Histories
from tasks.transforms.value.histories import REPEAT_FEN, buyers, timed
from tasks.transforms.value.models import Models
from tasks.transforms.value.spending import expected_means

_LEAST_AGE = 90
"""The rate of a customer younger than this many days is not trusted by itself."""
_AGES = 1 << 20


@dataclass(frozen=True)
class Living:
    """Purchases expected of a customer who is alive, per different pair of repeat purchases and age, and horizon."""

    codes: np.ndarray[Any, np.dtype[np.int64]]
    purchases: Array
    """One row per pair, one column per horizon."""

    @classmethod
    def of(cls, customers: pl.LazyFrame, models: Models, as_of: date, days: Sequence[int]) -> "Living":
        """For all pairs that buyers among `customers` have, and all horizons of so many days."""
        pairs = buyers(customers).pipe(timed, as_of).select("x", "age").unique().sort("x", "age").collect()
        x, age = (pairs[name].cast(pl.Float64).to_numpy() for name in ("x", "age"))
        rows = [_living(models, x, age, ahead) for ahead in days]
        return cls((pairs["x"] * _AGES + pairs["age"]).to_numpy(), np.column_stack(rows))

    def at(self, of: Histories) -> Array:
        """One row per history, one column per horizon."""
        place = np.searchsorted(self.codes, (of.x * _AGES + of.age).astype(np.int64))
        found: Array = self.purchases[place]
        return found


def _living(models: Models, x: Array, age: Array, ahead: int) -> Array:
    """The rate so far where no model was accepted, and for pairs of which it tells no number."""
    plain = x / np.maximum(age, _LEAST_AGE) * ahead
    if models.buying is None:
        return plain
    told = models.law.expected_if_alive(models.buying, x, age, ahead)
    return np.where(np.isfinite(told), told, plain)


def history_of(bought: pl.DataFrame, as_of: date) -> Histories:
    """One history per buyer, in the given order."""
    times = timed(bought.lazy(), as_of).collect()
    x, t_x, age = (times[name].cast(pl.Float64).to_numpy() for name in ("x", "t_x", "age"))
    return Histories(x, t_x, age, np.ones_like(x))


def alive_of(bought: pl.DataFrame, models: Models, history: Histories) -> Array:
    """Weight of what a living customer is expected to do: the chance to be alive; without a model, 1 until `lost`."""
    if models.buying is None:
        return bought.select((pl.col("stage") != "lost").cast(pl.Float64)).to_series().to_numpy()
    return models.law.p_alive(models.buying, history)


def worths_of(bought: pl.DataFrame, models: Models, x: Array) -> Array:
    """Fen expected of a purchase to come; without a model the customer's own mean."""
    if models.spending is None:
        own = bought.select(pl.col("life_net_fen") / pl.col("purchase_days"))
        return own.to_series().to_numpy()
    repeat = bought.select(REPEAT_FEN.cast(pl.Float64)).to_series().to_numpy()
    return expected_means(models.spending, x, repeat / np.maximum(x, 1))
