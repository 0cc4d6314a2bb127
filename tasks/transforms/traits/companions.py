"""Basket companions: which categories go together, and which one a customer of the others has not bought yet.

Association rules over the set of categories that each customer bought in the window: `a -> b` has as support the
share of customers with both, as confidence the share of those with a who have b too, as lift how many times that is
the share of all who have b. A set is one Int64 with a bit per category, and equal sets are looked at once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.policy.habits import Companions
from tasks.transforms.traits.baskets import Baskets

_DIGITS = 4
_CHUNK = 100_000
RULES = pl.Schema(
    {
        "bought": pl.String(), "companion": pl.String(), "support": pl.Float64(), "confidence": pl.Float64(),
        "lift": pl.Float64(),
    }
)  # fmt: skip
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sets:
    """The sets of categories that customers bought."""

    of: pl.DataFrame
    """one_id, bits: the set of each customer."""
    counts: pl.DataFrame
    """bits, customers: each set once, in order."""
    names: list[str]
    """The name of the category of each bit."""


def sets_of(baskets: Baskets, rule: Companions) -> Sets:
    """Every customer's set of the categories with the most customers; ties go to the first name."""
    pairs = baskets.spend.select("one_id", "category")
    most = pairs.group_by("category").agg(customers=pl.len()).sort("customers", "category", descending=[True, False])
    top = most.head(rule.most_categories).select("category").collect()
    top = top.with_columns(bits=pl.Series([1 << place for place in range(top.height)], dtype=pl.Int64))
    sets = pairs.join(top.lazy(), on="category").group_by("one_id").agg(pl.col("bits").sum())
    held = sets.collect(engine="streaming")
    counts = held.group_by("bits").agg(customers=pl.len().cast(pl.Int64)).sort("bits")
    names = baskets.categories.get_column("category").gather(top.get_column("category"))
    return Sets(held, counts, names.to_list())


def rules_of(sets: Sets, rule: Companions) -> pl.DataFrame:
    """One row per rule that the policy takes: bought, companion, support, confidence, lift (4 digits).

    The best first: by confidence, then lift, then support, then both names.
    """
    bits, weights = (sets.counts.get_column(name).to_numpy() for name in ("bits", "customers"))
    both, total = _together(bits, weights, len(sets.names)), int(weights.sum())
    rows = [
        (sets.names[a], sets.names[b], *_measures(both, a, b, total))
        for a, b in zip(*np.nonzero(both), strict=True)
        if a != b
    ]
    enough = (
        (pl.col("support") >= float(rule.least_support))
        & (pl.col("confidence") >= float(rule.least_confidence))
        & (pl.col("lift") >= float(rule.least_lift))
    )
    found = pl.DataFrame(rows, RULES, orient="row").filter(enough)
    return found.sort(
        "confidence", "lift", "support", "bought", "companion", descending=[True, True, True, False, False]
    )


def companions_of(sets: Sets, rules: pl.DataFrame) -> pl.LazyFrame:
    """One row per customer to whom a rule offers something: companion_category, that of the best such rule."""
    bits = sets.counts.get_column("bits").to_numpy()
    best, still = np.full(len(bits), -1, np.int64), np.arange(len(bits))
    place = {name: number for number, name in enumerate(sets.names)}
    for bought, companion in rules.select("bought", "companion").iter_rows():
        has, lacks = 1 << place[bought], 1 << place[companion]
        is_met = (bits[still] & has != 0) & (bits[still] & lacks == 0)
        best[still[is_met]] = place[companion]
        still = still[~is_met]
    offers = sets.counts.select("bits", number=pl.Series(best)).filter(pl.col("number") >= 0)
    names = pl.DataFrame({"companion_category": sets.names}, {"companion_category": pl.String}).with_row_index("number")
    named = offers.join(names.with_columns(pl.col("number").cast(pl.Int64)), on="number").select(
        "bits", "companion_category"
    )
    return sets.of.lazy().join(named.lazy(), on="bits").select("one_id", "companion_category")


def _together(bits: Ints, weights: Ints, width: int) -> Ints:
    """How many customers bought each two categories; on the diagonal, each one. Whole floats below 2⁵³ are exact."""
    both = np.zeros((width, width))
    for start in range(0, len(bits), _CHUNK):
        some = slice(start, start + _CHUNK)
        has = ((bits[some, None] >> np.arange(width)) & 1).astype(np.float64)
        both += has.T @ (has * weights[some, None])
    return np.rint(both).astype(np.int64)


def _measures(both: Ints, a: int, b: int, total: int) -> tuple[float, float, float]:
    """Support, confidence and lift of `a -> b`; each is one division of whole numbers."""
    together, with_a, with_b = int(both[a, b]), int(both[a, a]), int(both[b, b])
    measures = (together / total, together / with_a, together * total / (with_a * with_b))
    return round(measures[0], _DIGITS), round(measures[1], _DIGITS), round(measures[2], _DIGITS)
