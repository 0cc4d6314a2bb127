"""The wide rows of a file become rows of the house's tables, with both clocks and a content hash."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import INSTANT
from tasks.sources.hashing import NONE_SAME, content, sha256
from tasks.sources.saying import unsaid_in

BOOKKEEPING = ("row_number", "row_money_fen", "file_month")
"""Columns beside a table's own by which rows and money are accounted for."""
_VERSION = ("exported_at", "known_from", "known_to", "file_sha256", "content_hash", "unsaid")
PARENT = "parent_order_id"
_LATER = (PARENT, "payment_method")
"""Columns of orders that came later: where they say nothing, a row has the hash that it always had."""
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
    categories: tuple[tuple[str, str], ...] = ()
    """The brand's own mapping: regular expression over a product's name to its category, the first match wins."""
    unsaid: frozenset[str] = frozenset()
    """Columns of the layout that the file does not have, or only guesses."""

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
    months), and are else null; a frame without money or broken rules has none. Rows in another
    currency than the brand's break the rule `foreign_currency`: no sum crosses currencies.
    """
    schema = TABLES[table].schema
    nothing = {name: pl.lit(None, schema[name]) for name in schema.names()}
    nothing |= {"row_money_fen": pl.lit(None, pl.Int64()), "broken_rules": pl.lit([], pl.List(pl.String))}
    marked = frame.pipe(_mark_foreign, stamp.currency).pipe(_without_own_parent)
    business = {name: value for name, value in _business(marked, stamp.zone).items() if name in schema}
    dated = marked.pipe(_add_absent, business)
    same = {name: value for name, value in (nothing | stamp.columns()).items() if name not in dated.columns}
    if "unsaid" in schema:
        same["unsaid"] = pl.lit(unsaid_in(table, dated.columns, stamp.unsaid), pl.String())
    if "content_hash" in schema:
        dated = dated.with_columns(content_hash=_content_hash(table, dated.columns, same))
    return dated.pipe(_add_absent, same).select(
        *(pl.col(name).cast(schema[name]) for name in schema.names()), *BOOKKEEPING, "broken_rules"
    )


def _add_absent(frame: pl.DataFrame, columns: dict[str, pl.Expr]) -> pl.DataFrame:
    return frame.with_columns(**{name: value for name, value in columns.items() if name not in frame.columns})


def _mark_foreign(frame: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Rows as given, those in another currency marked; a blank currency is the brand's."""
    if "currency" not in frame.columns:
        return frame
    told = pl.col("currency").str.to_uppercase().fill_null(currency)
    broken = pl.col("broken_rules") if "broken_rules" in frame.columns else pl.lit([], pl.List(pl.String))
    mark = pl.when(told != currency).then(pl.lit("currency:foreign_currency"))
    return frame.with_columns(currency=told, broken_rules=pl.concat_list(broken, mark).list.drop_nulls())


def _without_own_parent(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows as given; an order that is named as a part of itself is a part of none."""
    if PARENT not in frame.columns:
        return frame
    return frame.with_columns(pl.when(pl.col(PARENT) != pl.col("order_id")).then(PARENT))


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


def content_hash_of(table: str) -> pl.Expr:
    """What `content_hash` is of a stored row; of a refund only where its file gave it no time of its own."""
    return _content_hash(table, TABLES[table].columns).alias("content_hash")


def _content_hash(table: str, columns: Collection[str], same: Mapping[str, pl.Expr] = NONE_SAME) -> pl.Expr:
    """The digest of what a version says; of a refund's time only the one that the source itself gives (`own_at`)."""
    left_out = {*_VERSION, *_LATER, *(_BY_FIRST_SIGHT if table == "refunds" else ())}
    own = [name for name in ("own_at",) if table == "refunds" and name in columns]
    text = content([*(name for name in TABLES[table].columns if name not in left_out), *own], same)
    later = [name for name in _LATER if name in TABLES[table].columns and name not in same]
    return sha256(_with_later(text, later) if later else text)


def _with_later(text: pl.Expr, names: Collection[str]) -> pl.Expr:
    """The text, and behind it the parent and how the order was paid, where the row says so."""
    signs = {PARENT: "\x1f"}
    told = [pl.lit(signs.get(name, f"\x1f{name}=")) + pl.col(name) for name in names]
    return pl.concat_str([text, *told], ignore_nulls=True)
