"""The wide rows of a file become rows of the house's tables, with both clocks and a content hash."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import INSTANT, VOCABULARY
from tasks.sources.hashing import content, sha256
from tasks.sources.layouts import Layout

BOOKKEEPING = ("row_number", "row_money_fen", "file_month")
"""Columns beside a table's own by which rows and money are accounted for."""
_VERSION = ("exported_at", "known_from", "known_to", "file_sha256", "content_hash")
_MONTHS = {"paid_month": "paid_at", "event_month": "happened_at", "seen_month": "seen_at"}
_DATES = {"paid_on": "paid_at", "happened_on": "happened_at", "refunded_on": "refunded_at"}
_BY_FIRST_SIGHT = ("refunded_at", "refunded_on", "paid_month")
"""A refund without a time of its own has that of the export that first showed it: a later export
that shows it again is no new version."""


@dataclass(frozen=True)
class Stamp:
    """What every row of one file has in common."""

    channel: str
    shop_id: str
    currency: str
    exported_at: datetime
    received_at: datetime
    file_sha256: str
    file_month: str
    zone: str
    """The brand's business zone, in which days and months are cut."""

    def columns(self) -> dict[str, pl.Expr]:
        """The stamp as columns."""
        return {
            "channel": pl.lit(self.channel),
            "shop_id": pl.lit(self.shop_id),
            "currency": pl.lit(self.currency),
            "exported_at": pl.lit(self.exported_at).cast(INSTANT),
            "known_from": pl.lit(self.received_at).cast(INSTANT),
            "file_sha256": pl.lit(self.file_sha256),
            "file_month": pl.lit(self.file_month),
        }


def to_table(frame: pl.DataFrame, table: str, stamp: Stamp) -> pl.DataFrame:
    """Rows of `table` with the bookkeeping columns and `broken_rules`.

    Columns that the frame lacks come from the stamp, then from its instants (business dates and
    months), and are else null; a frame without money or broken rules has none.
    """
    schema = TABLES[table].schema
    nothing = {name: pl.lit(None, schema[name]) for name in schema.names()}
    nothing |= {"row_money_fen": pl.lit(None, pl.Int64()), "broken_rules": pl.lit([], pl.List(pl.String))}
    stamped = frame.pipe(_add_absent, stamp.columns())
    dated = stamped.pipe(_add_absent, _business(stamped, stamp.zone)).pipe(_add_absent, nothing)
    return dated.with_columns(content_hash=_content_hash(table)).select(
        *(pl.col(name).cast(schema[name]) for name in schema.names()), *BOOKKEEPING, "broken_rules"
    )


def _add_absent(frame: pl.DataFrame, columns: dict[str, pl.Expr]) -> pl.DataFrame:
    return frame.with_columns(**{name: value for name, value in columns.items() if name not in frame.columns})


def unmarked(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows for a second table: their money and faults already stand on the primary one."""
    return rows.drop("row_money_fen", "broken_rules", strict=False)


def _business(frame: pl.DataFrame, zone: str) -> dict[str, pl.Expr]:
    """Business dates and months of the instants that the frame has."""
    local = {name: pl.col(name).dt.convert_time_zone(zone) for name in frame.columns if frame.schema[name] == INSTANT}
    months = {name: local[at].dt.strftime("%Y-%m") for name, at in _MONTHS.items() if at in local}
    dates = {name: local[at].dt.date() for name, at in _DATES.items() if at in local}
    sends = {"send_month": pl.col("send_on").dt.strftime("%Y-%m")} if "send_on" in frame.columns else {}
    return months | dates | sends


def _content_hash(table: str) -> pl.Expr:
    left_out = {*_VERSION, *(_BY_FIRST_SIGHT if table == "refunds" else ())}
    return sha256(content([name for name in TABLES[table].columns if name not in left_out]))


def with_refunded(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Add `refunded_fen`: what the file shows, or all that was paid where the status says so."""
    if layout.refund is None:
        return frame if "refunded_fen" in frame.columns else frame.with_columns(refunded_fen=pl.lit(0, pl.Int64()))
    shown = pl.col(layout.refund.column).fill_null(0)
    is_full = pl.col("status").is_in(layout.refund.full_when) & (pl.col("paid_fen") > 0)
    return frame.with_columns(refunded_fen=pl.when(is_full).then(pl.max_horizontal(shown, "paid_fen")).otherwise(shown))


def refunds_of(orders: pl.DataFrame, exported_at: pl.Expr) -> pl.DataFrame:
    """One row per order with money refunded; the channel gives neither number nor time of it."""
    return orders.filter(pl.col("refunded_fen") > 0).with_columns(
        refund_id="order_id", refund_fen="refunded_fen", refunded_at=exported_at
    )


def orders_of_lines(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per order of a line-grained file: money summed, instants the earliest, other text the least.

    `row_number` is the order's first line. Money that is blank on every line stays blank.
    Lines that name two buyers break the rule `lines_disagree`.
    """
    names = [name for name in lines.columns if name not in {"order_id", "broken_rules", *BOOKKEEPING}]
    aggregated = [_rolled_up(name) for name in names if not lines.schema[name].is_nested()]
    buyers = [pl.col(key.column).n_unique() > 1 for key in layout.keys if key.role == "identity"]
    disagrees = pl.any_horizontal(*buyers) if buyers else pl.lit(value=False)
    grouped = lines.group_by("order_id").agg(pl.col("row_number").min(), *aggregated, disagrees=disagrees)
    broken = pl.when("disagrees").then(pl.lit(["buyer_key:lines_disagree"])).otherwise(pl.lit([], pl.List(pl.String)))
    return grouped.sort("row_number").with_columns(broken_rules=broken).drop("disagrees")


def _rolled_up(name: str) -> pl.Expr:
    value = pl.col(name)
    if name in VOCABULARY and VOCABULARY[name].unit == "fen":
        return pl.when(value.is_not_null().any()).then(value.sum())
    return value.min()
