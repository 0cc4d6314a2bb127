"""Everything that the lines of the orders tell of a customer, from one reading of them."""

from dataclasses import dataclass
from functools import reduce

import polars as pl

from tasks.transforms.held import Hold, in_memory
from tasks.transforms.traits.baskets import baskets_of, preferred_brands
from tasks.transforms.traits.categories import share_wallet
from tasks.transforms.traits.companions import companions_of, rules_of, sets_of
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.restock import due_next


@dataclass(frozen=True)
class Wallets:
    """What the lines tell, and the rules that they were found to follow."""

    customers: pl.LazyFrame
    """One row per customer with a line of a known category or brand in the window: wallet, brand, stock, companion."""
    rules: pl.DataFrame
    """companions.RULES."""


def open_wallets(ground: Ground, hold: Hold = in_memory) -> Wallets:
    """Wallet, preferred brand, stock and companion of every customer, held: the lines are many, and then let go."""
    baskets, habits = baskets_of(ground, hold), ground.policy.habits
    sets = sets_of(baskets, habits.companions)
    rules = rules_of(sets, habits.companions)
    told = (
        hold("share_wallet", share_wallet(baskets)),
        hold("preferred_brands", preferred_brands(baskets)),
        hold("due_next", due_next(baskets, habits.restock, ground.as_of)),
        hold("companions_of", companions_of(sets, rules)),
    )
    everybody = baskets.lines.select(pl.col("one_id").unique())
    customers = reduce(lambda rows, measured: rows.join(measured, on="one_id", how="left"), told, everybody)
    return Wallets(hold("open_wallets", customers), rules)
