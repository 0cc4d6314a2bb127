"""Lines and their orders: what belongs to the order is counted once, what belongs to the lines is summed."""

import polars as pl

from expectations.vocabulary import ORDER_KINDS, ORDER_STATUSES, VOCABULARY
from tasks.sources.layouts import Layout, Share

GROUP = pl.coalesce("order_id", pl.format("row {}", "row_number"))
"""What holds the lines of one order together; a line whose order number is unreadable stands alone."""
_LINE_ONLY = frozenset({"order_id", "broken_rules", "row_number", "row_money_fen", "file_month"})
_RANKS = {
    "status": {status: rank for rank, status in enumerate(ORDER_STATUSES)},
    "kind": {
        kind: rank for rank, kind in enumerate(("purchase", *sorted({*ORDER_KINDS} - {"purchase"}, reverse=True)))
    },
}
"""An order is where its least advanced open line is, closed when every line is; it is a purchase when any line is."""


def fill_down(frame: pl.DataFrame, above: str | None) -> tuple[pl.DataFrame, str | None]:
    """Rows as given, a blank order number being that of the line above; and the last number, for the next chunk.

    A number that could not be read is not blank: the lines below it are nobody's, not the order's above it.
    """
    is_unreadable = pl.col("broken_rules").list.eval(pl.element().str.starts_with("order_id:")).list.any()
    marked = frame.select(pl.when(is_unreadable).then(pl.lit("")).otherwise("order_id")).to_series()
    filled = marked.fill_null(strategy="forward").fill_null(above or "")
    last = filled[-1] if filled.len() else above
    return frame.with_columns(order_id=filled.replace("", None)), last


def complete_orders(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per line as given, every cell of the order level filled with the order's first filled one.

    Two different values on lines of one order break the rule `lines_disagree` on each of them.
    """
    level = sorted(name for name, cell in layout.columns.items() if cell.order_level and name in frame.columns)
    if not level:
        return frame
    told = frame.sort("row_number").with_columns(_order=GROUP)
    disagree = [
        pl.when(pl.col(name).drop_nulls().n_unique().over("_order") > 1).then(pl.lit(f"{name}:lines_disagree"))
        for name in level
    ]
    first = [pl.col(name).drop_nulls().first().over("_order") for name in level]
    broken = pl.concat_list("broken_rules", *disagree).list.drop_nulls()
    return told.with_columns(*first, broken_rules=broken).drop("_order")


def divide(frame: pl.DataFrame, shares: dict[str, Share]) -> pl.DataFrame:
    """One row per line as given, with each line's share of the order's money; the shares add up to the fen.

    Of 89.00 over lines of 70.00 and 29.00 the first has 62.92, the second 26.08. Lines take their
    turn by `line_id`, so the order of the file does not matter.
    """
    if not shares:
        return frame
    turns = ["line_id"] if "line_id" in frame.columns else []
    lines = frame.with_columns(_order=GROUP).sort("_order", *turns, "row_number")
    for name, share in shares.items():
        lines = lines.with_columns(_weight=_weight(share)).with_columns(_share(share).alias(name))
    return lines.sort("row_number").drop("_order", "_weight")


def _weight(share: Share) -> pl.Expr:
    """What a line weighs; where no line weighs anything, the first one takes all."""
    weight = pl.col(share.by).fill_null(0).clip(lower_bound=0).cast(pl.Int128)
    is_first = pl.int_range(pl.len()).over("_order") == 0
    return pl.when(weight.sum().over("_order") == 0).then(is_first.cast(pl.Int128)).otherwise(weight)


def _share(share: Share) -> pl.Expr:
    so_far = pl.col("_weight").cum_sum().over("_order")
    whole, total = pl.col("_weight").sum().over("_order"), pl.col(share.of).cast(pl.Int128)
    return ((total * so_far) // whole - (total * (so_far - pl.col("_weight"))) // whole).cast(pl.Int64)


def count_once(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per line as given, money of the order level on the order's first line alone.

    The other lines hold null, and 0 as the file's money, so that sums over lines are sums over orders.
    """
    money = sorted(layout.money_columns & layout.order_level & {*frame.columns})
    if not money:
        return frame
    is_first = pl.col("row_number") == pl.col("row_number").min().over(GROUP)
    counted = pl.when(is_first | pl.col("row_money_fen").is_null()).then("row_money_fen").otherwise(0)
    row_money = [counted.alias("row_money_fen")] if layout.money in money else []
    return frame.with_columns(*(pl.when(is_first).then(name).alias(name) for name in money), *row_money)


def orders_of_lines(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per order of a line-grained file: money summed, instants the earliest, other text the least.

    `row_number` is the order's first line. Money that is blank on every line stays blank.
    Lines that name two buyers break the rule `lines_disagree`.
    """
    names = [name for name in lines.columns if name not in _LINE_ONLY and not lines.schema[name].is_nested()]
    money = layout.money_columns | {"shown_fen", "status_fen"}
    aggregated = [_rolled_up(name, is_money=name in money or _is_money(name)) for name in names]
    buyers = [pl.col(key.column).drop_nulls().n_unique() > 1 for key in layout.keys if key.role == "identity"]
    disagrees = pl.any_horizontal(*buyers) if buyers else pl.lit(value=False)
    grouped = lines.group_by("order_id").agg(pl.col("row_number").min(), *aggregated, disagrees=disagrees)
    broken = pl.when("disagrees").then(pl.lit(["buyer_key:lines_disagree"])).otherwise(pl.lit([], pl.List(pl.String)))
    return grouped.sort("row_number").with_columns(broken_rules=broken).drop("disagrees")


def _is_money(name: str) -> bool:
    return name in VOCABULARY and VOCABULARY[name].unit == "fen"


def _rolled_up(name: str, *, is_money: bool) -> pl.Expr:
    value = pl.col(name)
    if is_money:
        return pl.when(value.is_not_null().any()).then(value.sum())
    if name in _RANKS:
        ranks = _RANKS[name]
        least = value.replace_strict(ranks, default=None, return_dtype=pl.Int64).min()
        return least.replace_strict({rank: code for code, rank in ranks.items()}, return_dtype=pl.String).alias(name)
    return value.min()
