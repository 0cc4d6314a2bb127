"""What each customer does and is like: the table traits, one module to a subject.

A measure is a function of Ground that gives one row per customer of whom it has something to say: `one_id` (the
number) and its columns. Who has no row in it has null, and 0 for a count that may not be null. A verdict adds
columns to the customers with all their measures and with the verdicts before it.
A module joins by naming its functions in MEASURES or VERDICTS and its columns in expectations/traits.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.held import Hold, in_memory, shrunk
from tasks.transforms.inputs import Inputs
from tasks.transforms.traits.activity import joined_on, judge_activity
from tasks.transforms.traits.character import judge_character
from tasks.transforms.traits.clusters import find_clusters
from tasks.transforms.traits.cycle import find_cycle
from tasks.transforms.traits.events import count_events
from tasks.transforms.traits.fitted import centres_in, fitted_rows, with_fitted
from tasks.transforms.traits.ground import Ground, ground_of, numbered
from tasks.transforms.traits.growth import climb, collect_points
from tasks.transforms.traits.habits import judge_price, keep_habits
from tasks.transforms.traits.home import find_adviser, find_home
from tasks.transforms.traits.persona import describe_persons
from tasks.transforms.traits.promotions import count_promotions, name_promotion
from tasks.transforms.traits.silence import judge_promise, judge_silence, last_coupon_order, last_recall
from tasks.transforms.traits.social import count_voices, score_koc
from tasks.transforms.traits.wallet import open_wallets

__all__ = [
    "Described",
    "Ground",
    "beside_traits",
    "describe_customers",
    "ground_of",
    "tell",
    "traits_of",
    "with_fitted",
    "with_traits",
]

Measure = Callable[[Ground], pl.LazyFrame]
Verdict = Callable[[pl.LazyFrame, Ground], pl.LazyFrame]
MEASURES: tuple[Measure, ...] = (
    joined_on, count_events, last_coupon_order, last_recall,
    keep_habits, find_home, find_adviser, count_voices, describe_persons,
    collect_points, count_promotions, find_cycle,
)  # fmt: skip
VERDICTS: tuple[Verdict, ...] = (
    judge_activity, judge_silence, judge_promise, judge_character,
    judge_price, score_koc, climb, name_promotion,
)  # fmt: skip


@dataclass(frozen=True)
class Described:
    """What describing customers makes."""

    customers: pl.LazyFrame
    """The table customers of the date."""
    ground: Ground
    found: tuple[pl.LazyFrame, ...]
    """What was found of customers, by number, each held; a row of a customer depends on their rows in these alone."""
    fitted: pl.LazyFrame
    """Rows of the table models: what clusters and companions were fitted to."""

    @property
    def traits(self) -> pl.LazyFrame:
        """The table traits of the date, sorted by one_id."""
        return _traits(self.ground, self.found)

    def pieces(self, size: int) -> Iterator[pl.LazyFrame]:
        """The same in pieces of so many customers, in order: all columns of everybody at once may be too much."""
        names = self.ground.names.collect()
        return map(self._of, names.iter_slices(size)) if len(names) else iter([self.traits])

    def _of(self, some: pl.DataFrame) -> pl.LazyFrame:
        """The traits of customers whose numbers follow each other."""
        first, last = some.row(0, named=True), some.row(-1, named=True)
        is_in = pl.col("one_id").is_between(first["one_id"], last["one_id"])
        is_named = pl.col("one_id").is_between(pl.lit(first["name"]), pl.lit(last["name"]))
        customers = numbered(self.customers.filter(is_named), some.lazy())
        part = replace(self.ground, names=some.lazy(), customers=customers)
        return _traits(part, tuple(rows.filter(is_in) for rows in self.found))


def describe_customers(
    inputs: Inputs,
    policy: Policy,
    as_of: date,
    identities: pl.LazyFrame,
    customers: pl.LazyFrame,
    hold: Hold = in_memory,
) -> Described:
    """Every customer of `customers` (one date) with every column of the table traits, and what that rests on.

    The measures are worked out once and held; clusters come last, for they may read every other column,
    and are found before the verdicts are worked out where they read none.
    """
    ground = ground_of(inputs, policy, as_of, identities, customers)
    wallets = open_wallets(ground, hold)
    found = (*_found(ground, MEASURES, hold), shrunk(wallets.customers))
    measured = _beside(ground, found)
    needed = {dimension.column for dimension in policy.clusters.dimensions}
    seen = measured if needed <= {*measured.collect_schema()} else _judged(measured, ground, VERDICTS)
    clustered = find_clusters(seen, policy.clusters, centres_in(ground.models))
    fitted = fitted_rows(clustered.centres, wallets.rules, as_of, is_new=clustered.is_new)
    return Described(customers, ground, (*found, hold("find_clusters", clustered.customers)), fitted)


def _traits(ground: Ground, found: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """The table traits of the ground's customers, from what was found of them."""
    return (
        _judged(_beside(ground, found), ground, VERDICTS)
        .join(ground.names, on="one_id")
        .sort("one_id")
        .with_columns(one_id="name", as_of=pl.lit(ground.as_of))
        .select(TABLES["traits"].columns)
    )


def traits_of(
    inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, customers: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per customer of `customers` (one date), with every column of the table traits. Sorted by one_id."""
    return describe_customers(inputs, policy, as_of, identities, customers).traits


def tell(ground: Ground, measures: Sequence[Measure], verdicts: Sequence[Verdict]) -> pl.LazyFrame:
    """One row per customer, by number: the columns of customers, of the measures and of the verdicts."""
    return _judged(_beside(ground, _found(ground, measures)), ground, verdicts)


def _found(ground: Ground, measures: Sequence[Measure], hold: Hold = in_memory) -> tuple[pl.LazyFrame, ...]:
    return tuple(shrunk(hold(measure.__name__, measure(ground))) for measure in measures)


def _beside(ground: Ground, found: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    return reduce(_with, found, ground.customers).pipe(_zeros)


def _judged(measured: pl.LazyFrame, ground: Ground, verdicts: Sequence[Verdict]) -> pl.LazyFrame:
    return reduce(lambda rows, verdict: verdict(rows, ground), verdicts, measured)


def with_traits(customers: pl.LazyFrame, traits: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer as given, the columns of the table traits beside their own: what conditions read."""
    return customers.join(traits, on=["one_id", "as_of"], how="left", validate="1:1", maintain_order="left")


def beside_traits(customers: pl.LazyFrame, traits: pl.LazyFrame) -> pl.LazyFrame:
    """The same of two tables of one refresh: both hold the same customers in order of one_id, so none is sought."""
    return pl.concat([customers, traits.drop("one_id", "as_of")], how="horizontal")


def _with(customers: pl.LazyFrame, measured: pl.LazyFrame) -> pl.LazyFrame:
    return customers.join(measured, on="one_id", how="left")


def _zeros(measured: pl.LazyFrame) -> pl.LazyFrame:
    """A count or sum that may not be null is 0 where nothing was found."""
    table = TABLES["traits"]
    sums = [name for name in measured.collect_schema() if name in table.columns and name not in table.optional]
    numbers = [name for name in sums if table.schema[name] == pl.Int64]
    return measured.with_columns(pl.col(numbers).fill_null(0))
