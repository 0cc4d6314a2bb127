"""The purchase cycle of each customer, as the stages use it where the policy says `cycle`."""

import polars as pl

from tasks.transforms.cycle import edges, median_gaps, with_cycle
from tasks.transforms.traits.ground import Ground


def find_cycle(customers: pl.LazyFrame, ground: Ground) -> pl.LazyFrame:
    """Customers as given with `median_gap_days`, `cycle_days` and `cycle_basis`; null for who never bought."""
    known = with_cycle(customers, median_gaps(ground.orders), ground.policy.lifecycle.cycle)
    has_bought = pl.col("life_orders") > 0
    return known.with_columns(
        cycle_days=pl.when(has_bought).then(edges(pl.col("cycle_g2"))[0]),
        cycle_basis=pl.when(has_bought).then("cycle_basis"),
    ).drop("cycle_g2")
