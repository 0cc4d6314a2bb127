"""The purchase cycle of each customer, as the stages use it where the policy says `cycle`."""

import polars as pl

from tasks.transforms.cycle import edges, median_gaps, with_cycle
from tasks.transforms.traits.ground import Ground


def find_cycle(ground: Ground) -> pl.LazyFrame:
    """One row per customer who ever bought: median_gap_days, cycle_days and cycle_basis.

    A measure, because a customer without enough gaps of their own takes the median of others.
    """
    customers = ground.customers.select("one_id", "preferred_category", "life_orders")
    known = with_cycle(customers, median_gaps(ground.orders), ground.policy.lifecycle.cycle)
    bought = known.filter(pl.col("life_orders") > 0)
    return bought.select("one_id", "median_gap_days", "cycle_basis", cycle_days=edges(pl.col("cycle_g2"))[0])
