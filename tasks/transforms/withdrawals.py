"""Refunds that were shown and are shown no longer: what an order's export takes back.

An order export speaks for what it showed itself (`refund_basis` shown or status), and only where it has the columns for
it; refunds with numbers of their own are withdrawn by their own file alone. What stands on the order decides, as the
newest export that speaks of refunds has it (patches.py), so the order of arrival does not matter.
"""

import polars as pl

from tasks.transforms.orders import ORDER
from tasks.transforms.patches import said_at

BASES = ("shown", "status")
_ENDED = ("closed", "cancelled")


def totals(refunds: pl.LazyFrame) -> pl.LazyFrame:
    """One row per order and basis of which an export said that money went back: when it did so last."""
    said = refunds.filter(pl.col("refund_basis").is_in(BASES), pl.col("refund_state") == "paid_back")
    return said.group_by(*ORDER, "refund_basis").agg(shown_last_at=pl.col("exported_at").max())


def withdrawn(orders: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """One row per total of `given` (as `totals`) that its order takes back: a version of the refund that is void.

    `orders` are current rows. A void row has no date of its own: the refund is undone at every date, as known from
    then on. A total of which an export as late as the order's still tells is left to the rank of versions.
    """
    by_word = given.filter(pl.col("refund_basis") == "status").select(*ORDER, status_last_at="shown_last_at")
    both = given.join(orders, on=ORDER, how="inner").join(by_word, on=ORDER, how="left")
    told = both.with_columns(total_at=said_at("refunded_fen"), word_at=said_at("status"))
    return (
        told.with_columns(exported_at=_taken_back_at())
        .filter(pl.col("exported_at") >= pl.col("shown_last_at"))
        .with_columns(
            refund_id="order_id",
            refund_state=pl.lit("void"),
            refund_fen=pl.lit(0, pl.Int64),
            refunded_at=pl.lit(None, orders.schema["exported_at"]),
            refunded_on=pl.lit(None, pl.Date),
        )
        .sort(*ORDER, "refund_basis")
    )


def _taken_back_at() -> pl.Expr:
    """When the order's exports said last that nothing went back on this basis; null where they say no such thing.

    A total is gone when none is shown, or when a word alone stands in its place. A layout that knows no refunds has
    its say where no other spoke: an order that it called closed, and calls open again.
    """
    is_zero = pl.col("refunded_fen") == 0
    is_word_alone = (pl.col("refund_basis") == "shown") & (pl.col("status_last_at") == pl.col("total_at"))
    reopened = (pl.col("refund_basis") == "status") & ~pl.col("status").is_in(_ENDED)
    return (
        pl.when(pl.col("total_at").is_not_null() & (is_zero | is_word_alone.fill_null(value=False)))
        .then("total_at")
        .when(pl.col("total_at").is_null() & reopened)
        .then("word_at")
    )
