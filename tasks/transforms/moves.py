"""What customers were before: their labels at an earlier date, as columns that conditions read."""

import polars as pl

from tasks.policy.seen import Seen
from tasks.transforms.lineage import inherit

LABELS = ("tier", "segment", "stage")


def earlier_labels(
    customers: pl.LazyFrame, earlier: pl.LazyFrame | None, names: pl.LazyFrame, columns: tuple[Seen, ...]
) -> pl.LazyFrame:
    """One row per customer of the date: tier, segment and stage at the earlier one, and how the tier moved since.

    Of several who became one, one goes on (`lineage.heirs`) and its labels are the ones. Who was not there then has
    null labels and moved `new`; so has everybody where there is no earlier date.

    Args:
        customers: those of the date.
        earlier: those of the earlier date, under the ids of then.
        names: `lineage.aliases` of the date.
        columns: `seen.MOVES` or `seen.MONTH_MOVES`: what the four columns are called.

    Returns:
        one_id and the four columns.
    """
    *labels, moved = (column.name for column in columns)
    then = customers.limit(0) if earlier is None else inherit(earlier, names)
    renamed = (pl.col(old).alias(new) for old, new in zip(LABELS, labels, strict=True))
    then = then.select("one_id", *renamed, _was="tier_level")
    return (
        customers.select("one_id", "tier_level")
        .join(then, on="one_id", how="left")
        .select("one_id", *labels, _moved(pl.col("tier_level") - pl.col("_was")).alias(moved))
    )


def _moved(levels: pl.Expr) -> pl.Expr:
    """The word for so many levels up; null levels are somebody new."""
    return (
        pl.when(levels > 0).then(pl.lit("up"))
        .when(levels < 0).then(pl.lit("down"))
        .when(levels == 0).then(pl.lit("same"))
        .otherwise(pl.lit("new"))
    )  # fmt: skip
