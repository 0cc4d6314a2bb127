"""What each customer does and is like: the table traits, one module to a subject.

A measure is a function of Ground that gives one row per customer of whom it has something to say: `one_id` (the
number) and its columns. Who has no row in it has null, and 0 for a count that may not be null. A verdict adds
columns to the customers with all their measures and with the verdicts before it.
A module joins by naming its functions in MEASURES or VERDICTS and its columns in expectations/traits.py.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce

import polars as pl

from expectations.tables import TABLES
from tasks.policy.models import Policy
from tasks.transforms.customers import Inputs
from tasks.transforms.traits.activity import joined_on, judge_activity
from tasks.transforms.traits.character import judge_character
from tasks.transforms.traits.clusters import group_customers
from tasks.transforms.traits.cycle import find_cycle
from tasks.transforms.traits.events import count_events
from tasks.transforms.traits.ground import Ground, ground_of
from tasks.transforms.traits.habits import judge_price, keep_habits
from tasks.transforms.traits.home import find_adviser, find_home
from tasks.transforms.traits.persona import describe_persons
from tasks.transforms.traits.silence import judge_promise, judge_silence, last_coupon_order, last_recall
from tasks.transforms.traits.social import count_voices, score_koc
from tasks.transforms.traits.wallet import open_wallet

__all__ = ["Ground", "ground_of", "tell", "traits_of", "with_traits"]

Measure = Callable[[Ground], pl.LazyFrame]
Verdict = Callable[[pl.LazyFrame, Ground], pl.LazyFrame]
MEASURES: tuple[Measure, ...] = (
    joined_on, count_events, last_coupon_order, last_recall,
    keep_habits, open_wallet, find_home, find_adviser, count_voices, describe_persons,
)  # fmt: skip
VERDICTS: tuple[Verdict, ...] = (
    judge_activity, judge_silence, judge_promise, judge_character, find_cycle,
    judge_price, score_koc, group_customers,
)  # fmt: skip


def traits_of(
    inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, customers: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per customer of `customers` (one date), with every column of the table traits. Sorted by one_id."""
    ground = ground_of(inputs, policy, as_of, identities, customers)
    return (
        tell(ground, MEASURES, VERDICTS)
        .join(ground.names, on="one_id")
        .sort("one_id")
        .with_columns(one_id="name", as_of=pl.lit(as_of))
        .select(TABLES["traits"].columns)
    )


def tell(ground: Ground, measures: Sequence[Measure], verdicts: Sequence[Verdict]) -> pl.LazyFrame:
    """One row per customer, by number: the columns of customers, of the measures and of the verdicts."""
    measured = reduce(_with, (measure(ground) for measure in measures), ground.customers).pipe(_zeros)
    return reduce(lambda rows, verdict: verdict(rows, ground), verdicts, measured)


def with_traits(customers: pl.LazyFrame, traits: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer as given, the columns of the table traits beside their own: what conditions read."""
    return customers.join(traits, on=["one_id", "as_of"], how="left", validate="1:1", maintain_order="left")


def _with(customers: pl.LazyFrame, measured: pl.LazyFrame) -> pl.LazyFrame:
    return customers.join(measured, on="one_id", how="left")


def _zeros(measured: pl.LazyFrame) -> pl.LazyFrame:
    """A count or sum that may not be null is 0 where nothing was found."""
    table = TABLES["traits"]
    sums = [name for name in measured.collect_schema() if name in table.columns and name not in table.optional]
    numbers = [name for name in sums if table.schema[name] == pl.Int64]
    return measured.with_columns(pl.col(numbers).fill_null(0))
