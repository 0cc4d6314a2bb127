"""How often a customer buys: the median gap between purchase days, and the stage edges that follow (algorithms §5).

Everything is in whole numbers: `g2` is twice a median gap, so that the mean of two middle gaps stays whole.
"""

import polars as pl

from tasks.policy.lifecycle import Cycle

_ROOM, _FIRST_DAY = 1 << 20, -(1 << 19)
"""A customer's number and a day, or a gap of days, share one integer: number × _ROOM + days since `_FIRST_DAY`."""
_NUMBER, _REST = pl.col("packed") // _ROOM, pl.col("packed") % _ROOM


def median_gaps(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer with two purchase days or more: one_id, gaps (how many), g2 (twice their median in days).

    `orders` are orders of numbered customers. Packed numbers are sorted instead of windows being opened, because
    that is what fifty million orders can be asked for.
    """
    gaps = _gaps(orders).select(pl.col("packed").sort()).collect(engine="streaming")
    counts = gaps.group_by(one_id=_NUMBER).len("gaps").sort("one_id")
    counts = counts.with_columns(pl.col("gaps").cast(pl.Int64)).with_columns(
        first=pl.col("gaps").cum_sum() - pl.col("gaps")
    )
    middle = (counts.select(at=pl.col("first") + (pl.col("gaps") - odd) // 2)["at"] for odd in (1, 0))
    lower, upper = (gaps.select(_REST)["packed"].gather(at) for at in middle)
    return counts.select("one_id", "gaps", g2=lower + upper).lazy()


def _gaps(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One packed number per customer and gap between two purchase days of theirs that follow each other."""
    before = pl.col("packed").shift(1)
    is_gap = before // _ROOM == _NUMBER
    gap = pl.when(is_gap).then(_NUMBER * _ROOM + pl.col("packed") - before)
    return _days(orders.filter("is_qualifying")).select(packed=gap).drop_nulls()


def _days(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One packed number per customer and day of their orders, in order; sorted, because a hash of so many is dear."""
    day = pl.col("paid_on").to_physical().cast(pl.Int64) - _FIRST_DAY
    packed = (
        orders.select(packed=pl.col("one_id") * _ROOM + day).collect(engine="streaming").get_column("packed").sort()
    )
    is_new = (packed != packed.shift(1)).fill_null(value=True)
    return packed.filter(is_new).to_frame().lazy()


def purchase_days(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One row per numbered customer with an order: on how many different days they bought, and the first of these."""
    days = _days(orders).collect().get_column("packed")
    runs = (days // _ROOM).rle().struct.unnest().select(one_id="value", purchase_days=pl.col("len").cast(pl.Int64))
    first = days.gather(runs["purchase_days"].cum_sum() - runs["purchase_days"]) % _ROOM + _FIRST_DAY
    return runs.with_columns(first_on=first.cast(pl.Int32).cast(pl.Date)).lazy()


def with_cycle(customers: pl.LazyFrame, gaps: pl.LazyFrame, cycle: Cycle) -> pl.LazyFrame:
    """Customers as given with the cycle that they are measured by, and where it comes from.

    Own with enough gaps; else the median over those of the same `preferred_category` who have one, else over all who
    have one, else the policy's. The lower of two middle ones stands for a group. Clipped as the policy says.

    Returns:
        median_gap_days (own, half a day up; null with fewer than two purchase days), cycle_g2, cycle_basis.
    """
    g2 = pl.col("g2")
    own = pl.when(pl.col("gaps") >= cycle.least_gaps).then(g2)
    of_group = pl.col("_own").quantile(0.5, "lower").cast(pl.Int64)
    category = pl.col("preferred_category")
    return (
        customers.join(gaps, on="one_id", how="left")
        .with_columns(_own=own)
        .with_columns(
            _category=pl.when(category.is_not_null()).then(of_group.over(category)),
            _base=of_group,
            _otherwise=pl.lit(2 * cycle.otherwise_days),
        )
        .with_columns(
            median_gap_days=(g2 + 1) // 2,
            cycle_g2=pl.coalesce(_SOURCES).clip(2 * cycle.least_days, 2 * cycle.most_days),
            cycle_basis=pl.coalesce(_name_of(source) for source in _SOURCES),
        )
        .drop("gaps", "g2", *_SOURCES)
    )


_SOURCES = ("_own", "_category", "_base", "_otherwise")


def _name_of(source: str) -> pl.Expr:
    return pl.when(pl.col(source).is_not_null()).then(pl.lit(source.strip("_")))


def edges(cycle_g2: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """The last days of `active`, `at_risk` and `silent`: one, one and a half and three cycles, half a day up."""
    return (cycle_g2 + 1) // 2, (3 * cycle_g2 + 2) // 4, (3 * cycle_g2 + 1) // 2
