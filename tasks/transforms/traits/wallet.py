"""Everything that the lines of the orders tell of a customer, from one reading of them."""

from functools import reduce

import polars as pl

from tasks.transforms.traits.baskets import baskets_of, preferred_brands
from tasks.transforms.traits.categories import share_wallet
from tasks.transforms.traits.companions import companions_of, rules_of, sets_of
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.restock import due_next


def open_wallet(ground: Ground) -> pl.LazyFrame:
    """One row per customer with a line of a known category or brand in the window: wallet, brand, stock, companion."""
    baskets, habits = baskets_of(ground), ground.policy.habits
    sets = sets_of(baskets, habits.companions)
    told = (
        share_wallet(baskets),
        preferred_brands(baskets),
        due_next(baskets, habits.restock, ground.as_of),
        companions_of(sets, rules_of(sets, habits.companions)),
    )
    everybody = baskets.lines.select(pl.col("one_id").unique())
    return reduce(lambda rows, measured: rows.join(measured, on="one_id", how="left"), told, everybody)
