"""What was in the baskets: every bought line of a customer with category and brand, read once for all who ask.

Categories and brands are numbers here, in the byte order of their names: texts cost several times as much.
"""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from tasks.transforms.facts import LINE_PRODUCT, LINE_PRODUCT_NAMES, first_of_most, net_of_line
from tasks.transforms.held import Hold, in_memory
from tasks.transforms.orders import ORDER
from tasks.transforms.traits.ground import Ground


@dataclass(frozen=True)
class Baskets:
    """The lines of qualifying orders in the window, with the names of what they are numbered by."""

    lines: pl.LazyFrame
    """One row per line of net value above 0: one_id, category?, brand? (numbers), paid_on, spend_fen."""
    spend: pl.LazyFrame
    """One row per customer and category: one_id, category, spend_fen."""
    categories: pl.DataFrame
    """category (the name), number; in the order of both."""
    brands: pl.DataFrame
    """brand (the name), number."""


def baskets_of(ground: Ground, hold: Hold = in_memory) -> Baskets:
    """The lines that customers paid for in the window of rfm.yaml and did not send back; held, for they are long."""
    names = {name: _numbered(ground.products, name) for name in ("category", "brand")}
    first = ground.as_of - timedelta(days=ground.policy.rfm.window_days)
    window = ground.orders.filter("is_qualifying", pl.col("paid_on") > first)
    lines = (
        ground.lines.select(*ORDER, *LINE_PRODUCT, line_fen=pl.col("paid_fen"))
        .join(window.select(*ORDER, "one_id", "paid_on", "paid_fen", "net_fen"), on=ORDER)
        .join(_known(ground.products, names), on=list(LINE_PRODUCT_NAMES))
        .select("one_id", "category", "brand", "paid_on", spend_fen=net_of_line())
        .filter(pl.col("spend_fen") > 0)
    )
    held = hold("baskets", lines)
    spend = hold("spend by category", spend_by(held, "category", names["category"]))
    return Baskets(held, spend, names["category"], names["brand"])


def spend_by(lines: pl.LazyFrame, name: str, names: pl.DataFrame) -> pl.LazyFrame:
    """One row per customer and category, or brand: spend_fen. Both numbers are one integer: half the time of two."""
    size, known = max(len(names), 1), lines.filter(pl.col(name).is_not_null())
    pair = pl.col("one_id") * size + pl.col(name).cast(pl.Int64)
    summed = known.select("spend_fen", pair=pair).group_by("pair").agg(pl.col("spend_fen").sum())
    return summed.select("spend_fen", (pl.col("pair") % size).cast(pl.Int32).alias(name), one_id=pl.col("pair") // size)


def preferred_brands(baskets: Baskets) -> pl.LazyFrame:
    """One row per customer with spend on a known brand: the brand with the largest; ties go to the first name."""
    spend = spend_by(baskets.lines, "brand", baskets.brands)
    best = spend.group_by("one_id").agg(brand=first_of_most("brand", len(baskets.brands)))
    return named(best, baskets.brands, "brand", "preferred_brand")


def named(rows: pl.LazyFrame, names: pl.DataFrame, column: str, to: str) -> pl.LazyFrame:
    """Rows with the name of a category or brand as `to`, in place of its number in `column`."""
    texts = names.lazy().select(pl.col("number").alias(column), pl.col(names.columns[0]).alias(to))
    return rows.join(texts, on=column, how="left").drop(column)


def _numbered(products: pl.LazyFrame, name: str) -> pl.DataFrame:
    """One row per name in byte order, with its place in it."""
    names = products.select(pl.col(name).drop_nulls().unique()).sort(name).with_row_index("number")
    return names.select(name, pl.col("number").cast(pl.Int32)).collect()


def _known(products: pl.LazyFrame, names: dict[str, pl.DataFrame]) -> pl.LazyFrame:
    """One row per product of a known category or brand, both as numbers."""
    known = products.filter(pl.any_horizontal(pl.col("category", "brand").is_not_null()))
    for name, numbers in names.items():
        known = known.join(numbers.lazy().rename({"number": f"_{name}"}), on=name, how="left")
    return known.select(*LINE_PRODUCT, category="_category", brand="_brand")
