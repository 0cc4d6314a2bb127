"""Lines and their orders: what belongs to the order is counted once, what belongs to the lines is summed."""

import polars as pl

from expectations.vocabulary import ORDER_KINDS, ORDER_STATUSES, VOCABULARY
from tasks.sources.layouts import Layout, Share

GROUP = pl.coalesce("order_id", pl.format("row {}", "row_number"))
"""What holds the lines of one order together; a line whose order number is unreadable stands alone."""
_LINE_ONLY = frozenset({"order_id", "broken_rules", "row_number", "row_money_fen", "file_month"})
_EVIDENCE = ("shown_fen", "status_fen", "itemised_fen")
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
    """One row per line as given, every cell of the order level filled with the value that the order has there.

    Two different values on lines of one order break the rule `lines_disagree` on each of them.
    """
    level = sorted(name for name, cell in layout.columns.items() if cell.order_level and name in frame.columns)
    alone, lines = _alone_and_together(frame)
    if not level or lines.is_empty():
        return frame
    least, most = (pl.col(level).min().name.prefix("least "), pl.col(level).max().name.prefix("most "))
    orders = lines.group_by("_order").agg(least, most)
    disagree = [
        pl.when(pl.col(f"least {name}") != pl.col(f"most {name}")).then(pl.lit(f"{name}:lines_disagree"))
        for name in level
    ]
    filled = lines.join(orders, on="_order", how="left").with_columns(
        *(pl.col(f"least {name}").alias(name) for name in level),
        broken_rules=pl.concat_list("broken_rules", *disagree).list.drop_nulls(),
    )
    return pl.concat([alone, filled.select(alone.columns)]).sort("row_number")


def _alone_and_together(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines that are the only one of their order, and the others with `_order`: most orders have one line."""
    marked = frame.with_columns(_order=GROUP)
    is_alone = marked["_order"].is_unique()
    return marked.filter(is_alone).drop("_order"), marked.filter(~is_alone)


def divide(frame: pl.DataFrame, shares: dict[str, Share]) -> pl.DataFrame:
    """One row per line as given, with each line's share of the order's money; the shares add up to the fen.

    Of 89.00 over lines of 70.00 and 29.00 the first has 62.92, the second 26.08. Lines take their
    turn by `line_id`, so the order of the file does not matter.
    """
    if not shares:
        return frame
    alone, lines = _alone_and_together(frame)
    turns = ["line_id"] if "line_id" in frame.columns else []
    lines = lines.sort("_order", *turns, "row_number").with_columns(_order=pl.col("_order").rle_id())
    for name, share in shares.items():
        lines = lines.with_columns(_weight=_weight(share)).with_columns(_share(share).alias(name))
    whole = alone.with_columns(pl.col(share.of).alias(name) for name, share in shares.items())
    return pl.concat([whole, lines.select(whole.columns)]).sort("row_number")


def _weight(share: Share) -> pl.Expr:
    """What a line weighs; where no line weighs anything, the first one takes all."""
    weight = pl.col(share.by).fill_null(0).clip(lower_bound=0).cast(pl.Int128)
    is_first = pl.col("_order") != pl.col("_order").shift(1, fill_value=None).fill_null(2**32 - 1)
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
    is_first = GROUP.is_first_distinct()
    frame = frame.sort("row_number")
    counted = pl.when(is_first | pl.col("row_money_fen").is_null()).then("row_money_fen").otherwise(0)
    row_money = [counted.alias("row_money_fen")] if layout.money in money else []
    return frame.with_columns(*(pl.when(is_first).then(name).alias(name) for name in money), *row_money)


def orders_of_lines(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per order of a line-grained file: money summed, instants the earliest, other text the least.

    `row_number` is the order's first line. Money that is blank on every line stays blank.
    Lines that name two buyers break the rule `lines_disagree`.
    """
    names = [name for name in lines.columns if name not in _LINE_ONLY and not lines.schema[name].is_nested()]
    money = [name for name in names if name in {*layout.money_columns, *_EVIDENCE} or _is_money(name)]
    buyers = [key.column for key in layout.keys if key.role == "identity" and key.column in names]
    others = [name for name in names if name not in money]
    ranked = lines.with_columns(_rank(name) for name in others if name in _RANKS)
    two_buyers = (pl.col(name).min() != pl.col(name).max() for name in buyers)
    orders = ranked.group_by("order_id").agg(
        pl.col("row_number", *others).min(), pl.col(money).sum(), pl.col(money).count().name.prefix("filled "),
        disagrees=pl.any_horizontal(pl.lit(value=False), *two_buyers),
    )  # fmt: skip
    disagree = pl.when("disagrees").then(pl.lit(["buyer_key:lines_disagree"]))
    return (
        orders.sort("row_number")
        .with_columns(
            *(pl.when(pl.col(f"filled {name}") > 0).then(name).alias(name) for name in money),
            *(_code(name) for name in others if name in _RANKS),
            broken_rules=disagree.otherwise(pl.lit([], pl.List(pl.String))),
        )
        .select("order_id", "row_number", *names, "broken_rules")
    )


def _is_money(name: str) -> bool:
    return name in VOCABULARY and VOCABULARY[name].unit == "fen"


def _rank(name: str) -> pl.Expr:
    return pl.col(name).replace_strict(_RANKS[name], default=None, return_dtype=pl.Int64)


def _code(name: str) -> pl.Expr:
    return pl.col(name).replace_strict({rank: code for code, rank in _RANKS[name].items()}, return_dtype=pl.String)
