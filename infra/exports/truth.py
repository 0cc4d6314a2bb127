"""The canonical rows that a file ought to become, from the rows it was made of; the reader has no part in them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import polars as pl

from expectations.rules import EARLIEST
from expectations.tables import TABLES
from expectations.vocabulary import INSTANT, VOCABULARY
from infra.exports.draw import ROW
from infra.exports.rows import ORDER
from infra.exports.spoil import SPOILED
from tasks.sources.layouts import PERSON_OF, ConsentRule, KeyRule, Layout

Tables = dict[str, pl.DataFrame]
_MONTHS = {"paid_month": "paid_at", "event_month": "happened_at", "seen_month": "seen_at"}
_DATES = {"paid_on": "paid_at", "happened_on": "happened_at", "refunded_on": "refunded_at"}
_BOOKS = frozenset({"known_from", "known_to", "file_sha256", "content_hash", "unsaid"})
_OWN_TABLES = frozenset(
    {"orders", "order_lines", "members", "follows", "products", "events", "touches", "send_statistics"}
)
_ALWAYS = frozenset({"refunded_fen", *PERSON_OF.values()})
"""Columns that a file tells without having them among its own."""
_ENDED = ("closed", "cancelled")


@dataclass(frozen=True)
class Terms:
    """What stands on every row of a file."""

    shop_id: str
    currency: str
    exported_at: datetime
    zone: str
    """The business zone, in which days and months are cut."""
    pseudonymise: Callable[[str, str, pl.Expr], pl.Expr]

    def at(self, exported_at: datetime) -> "Terms":
        """The same for another export."""
        return replace(self, exported_at=exported_at)


class File(NamedTuple):
    """A file's rows in the layout's own columns, and what they were made for."""

    layout: Layout
    rows: pl.DataFrame
    terms: Terms


def columns_told(table: str, layout: Layout) -> list[str]:
    """The columns of a table that can be compared: neither the reader's bookkeeping nor ids that it makes itself."""
    made = {*layout.numbered, *layout.hashed}
    made |= {"record"} if "event_id" in made else set()
    return [name for name in TABLES[table].columns if name not in _BOOKS | made]


def truth_of(file: File) -> Tables:
    """Every table that the file feeds, with the columns of `columns_told`; an empty table is left out."""
    sound = file.rows.filter(~pl.col(SPOILED)) if SPOILED in file.rows.columns else file.rows
    rows = sound.pipe(_name_people, file)
    tables = {file.layout.table: _counted_once(rows, file.layout)} if file.layout.grain != "contact" else {}
    if file.layout.grain == "refund":
        tables = {"refunds": _itemised(rows, file)}
    if file.layout.grain in {"order", "line"}:
        tables |= _orders(rows, file)
    if file.layout.keys and file.layout.grain not in {"touch", "refund"}:
        tables["sightings"] = _sightings(tables.get("orders", rows), file)
    if file.layout.consents:
        tables["consents"] = _consents(tables.get("orders", rows), file)
    if file.layout.grain in {"order", "line"} and "product_id" in rows.columns:
        tables["products"] = _products(rows, file.layout)
    return {name: _table(told, name, file) for name, told in tables.items() if not told.is_empty()}


def _table(rows: pl.DataFrame, table: str, file: File) -> pl.DataFrame:
    """Columns that the file cannot tell are null; days and months follow from instants."""
    terms = file.terms
    stamp = {"channel": file.layout.channel, "shop_id": terms.shop_id, "currency": terms.currency}
    if table in _OWN_TABLES:
        rows = rows.select(
            name for name in rows.columns if name in _ALWAYS | file.layout.made or name not in VOCABULARY
        )
    rows = rows.with_columns(
        **{name: pl.lit(value) for name, value in stamp.items()}, exported_at=pl.lit(terms.exported_at).cast(INSTANT)
    )
    local = {
        name: pl.col(name).dt.convert_time_zone(terms.zone) for name in rows.columns if rows.schema[name] == INSTANT
    }
    months = {
        name: local[at].dt.strftime("%Y-%m") for name, at in _MONTHS.items() if at in local and name not in rows.columns
    }
    dates = {name: local[at].dt.date() for name, at in _DATES.items() if at in local}
    if "send_on" in rows.columns:
        months["send_month"] = pl.col("send_on").dt.strftime("%Y-%m")
    rows = rows.with_columns(**months, **dates)
    schema = TABLES[table].schema
    told = [
        pl.col(name) if name in rows.columns else pl.lit(None).alias(name) for name in columns_told(table, file.layout)
    ]
    return rows.select(one.cast(schema[one.meta.output_name()]) for one in told)


def _printed(rule: KeyRule, file: File) -> tuple[pl.Expr, pl.Expr]:
    """A key's pseudonym, and the key as it is printed."""
    scope = rule.scope.format(channel=file.layout.channel, shop=file.terms.shop_id)
    value = pl.col(rule.column)
    hidden = pl.when(value.is_not_null()).then(file.terms.pseudonymise(rule.type, scope, value))
    return hidden, pl.concat_str(pl.lit(f"{rule.type}:{scope}:"), hidden)


def _name_people(rows: pl.DataFrame, file: File) -> pl.DataFrame:
    """Add the person's strongest key under the table's name for it, and its bare pseudonym.

    Where there is none, the key of the record itself stands for it, if the layout has one.
    """
    keys = [_printed(rule, file) for rule in file.layout.keys if rule.role == "identity"]
    keys.append(_of_record(file))
    rows = rows.with_columns(_pseudonym=pl.coalesce(bare for bare, _ in keys))
    if file.layout.person is None:
        return rows
    return rows.with_columns(pl.coalesce(printed for _, printed in keys).alias(file.layout.person))


def _of_record(file: File) -> tuple[pl.Expr, pl.Expr]:
    """The pseudonym of a record that names nobody, and its key as it is printed; null where the layout has none."""
    own = file.layout.record_key
    if own is None:
        return pl.lit(None, pl.String), pl.lit(None, pl.String)
    scope = own.scope.format(channel=file.layout.channel, shop=file.terms.shop_id)
    texts = [pl.col(name).to_physical().cast(pl.String).fill_null("\x00") for name in own.columns]
    bare = file.terms.pseudonymise(own.type, scope, pl.concat_str(*texts, separator="\x1f"))
    return bare, pl.concat_str(pl.lit(f"{own.type}:{scope}:"), bare)


def _itemised(rows: pl.DataFrame, file: File) -> pl.DataFrame:
    """One row per refund of a refund file; only what was paid back has a time, its own or that of the export."""
    made = [name for name in rows.columns if name in file.layout.made]
    own = pl.col("refunded_at") if "refunded_at" in made else pl.lit(None, INSTANT)
    at = pl.coalesce(own, pl.lit(file.terms.exported_at).cast(INSTANT))
    is_back = pl.col("refund_state") == "paid_back"
    return rows.select(made).with_columns(refunded_at=pl.when(is_back).then(at), refund_basis=pl.lit("itemised"))


def _orders(rows: pl.DataFrame, file: File) -> Tables:
    """Orders and their refunds, of order rows or of the lines' order columns."""
    if file.layout.grain == "line":
        if not file.layout.with_orders:
            return {}
        rows = _of_lines(rows)
    rows = rows.with_columns(**_evidence(file.layout)).with_columns(
        refunded_fen=pl.max_horizontal("shown_fen", "status_fen"), **_parent(rows)
    )
    at, month = file.terms.exported_at, pl.col("paid_at").dt.convert_time_zone(file.terms.zone).dt.strftime("%Y-%m")
    refunds = [
        rows.filter(pl.col(amount) > 0).with_columns(
            refund_id="order_id", refund_fen=amount, refunded_at=pl.lit(at).cast(INSTANT), refund_basis=pl.lit(basis),
            refund_state=pl.lit("paid_back"), paid_month=month,
        )
        for basis, amount in (("shown", "shown_fen"), ("status", "status_fen"))
    ]  # fmt: skip
    return {"orders": rows, "refunds": pl.concat(refunds)}


def _parent(rows: pl.DataFrame) -> dict[str, pl.Expr]:
    """The order that one is a part of; the first part bears the number of the whole, and is a part of none other."""
    told = pl.when(pl.col("parent_order_id") != pl.col("order_id")).then("parent_order_id")
    return {"parent_order_id": told} if "parent_order_id" in rows.columns else {}


def _counted_once(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Lines on which the order's own money stands once, on the first."""
    own = [name for name in layout.order_level & layout.money_columns if ORDER + name in rows.columns]
    return rows.with_columns(pl.when(pl.col("line") == 0).then(ORDER + name).alias(name) for name in own)


def _products(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per product of which the file tells more than its name."""
    told = [name for name in ("brand", "category", "department") if name in layout.made]
    if not told or "product_id" not in layout.made:
        return rows.clear()
    return rows.filter(pl.any_horizontal(pl.col(told).is_not_null())).unique("product_id", keep="first")


def _of_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per order: its first line with the order's own amounts."""
    own = {name.removeprefix(ORDER): pl.col(name) for name in rows.columns if name.startswith(ORDER)}
    return rows.with_columns(**own).unique("order_id", keep="first", maintain_order=True)


def _evidence(layout: Layout) -> dict[str, pl.Expr]:
    """What the file shows of refunds as an amount; what it says by a word alone, where it shows none."""
    zero = pl.lit(0, pl.Int64)
    rule = layout.refund
    counts = pl.lit(rule is not None and rule.column is not None and not rule.itemised_when)
    word = pl.col("status").is_in(_ENDED)
    for column, codes in rule.counted_when.items() if rule else ():
        counts &= pl.col(column).is_in(codes)
    for column, codes in rule.full_when.items() if rule else ():
        word |= pl.col(column).is_in(codes)
    is_shown = counts.fill_null(value=False) & (pl.col("refunded_fen") > 0)
    says_so = word.fill_null(value=False) & pl.col("paid_at").is_not_null() & ~is_shown
    return {
        "shown_fen": pl.when(is_shown).then("refunded_fen").otherwise(zero),
        "status_fen": pl.when(says_so).then("paid_fen").otherwise(zero),
    }


def _sightings(rows: pl.DataFrame, file: File) -> pl.DataFrame:
    """One row per key and record, the record's own time or that of the export."""
    seen = [_seen(rows, rule, file) for rule in file.layout.keys]
    return pl.concat(seen).sort("seen_at").unique([ROW, "key"], keep="first", maintain_order=True)


def _seen(rows: pl.DataFrame, rule: KeyRule, file: File) -> pl.DataFrame:
    bare, printed = _printed(rule, file)
    channel, shop = file.layout.channel, file.terms.shop_id
    record = {
        "order": pl.format("order:{}:{}:{}", pl.lit(channel), pl.lit(shop), "order_id")
        if "order_id" in rows.columns
        else None,
        "event": pl.format("event:{}:{}", pl.lit(channel), "event_id") if "event_id" in rows.columns else None,
    }
    of_member = pl.format("member:{}:{}", pl.lit(channel), "_pseudonym")
    grain = "order" if file.layout.grain == "line" else file.layout.grain
    at = pl.lit(file.terms.exported_at).cast(INSTANT)
    return rows.drop_nulls(rule.column).select(
        ROW,
        key_type=pl.lit(rule.type),
        key_scope=pl.lit(rule.scope.format(channel=channel, shop=shop)),
        pseudonym=bare,
        key=printed,
        key_role=pl.lit(rule.role),
        record=record.get(grain) if record.get(grain) is not None else of_member,
        evidence_rank=pl.lit(rule.evidence, pl.Int64),
        seen_at=pl.coalesce(file.layout.seen, at) if file.layout.seen else at,
    ).drop_nulls("record")  # fmt: skip


def _consents(rows: pl.DataFrame, file: File) -> pl.DataFrame:
    """One row per answer, on the contact's key; a no without a contact stands on the person's."""
    told = []
    for rule in file.layout.consents:
        key = next(one for one in file.layout.keys if one.type == rule.key)
        _, contact = _printed(key, file)
        person = pl.col(str(file.layout.person))
        subject = pl.when(pl.col("decision") == "withdrawn").then(pl.coalesce(contact, person)).otherwise(contact)
        told += [
            part.with_columns(subject=subject).select(
                "subject", "decision", "decided_at", touch_channel=pl.lit(rule.touch_channel),
                purpose=pl.lit(rule.purpose), evidence=pl.lit(f"{file.layout.name}.{rule.column}"),
            )
            for part in _answers(rows, rule, file.terms.exported_at)
        ]  # fmt: skip
    return pl.concat(told).drop_nulls("subject")


def _answers(rows: pl.DataFrame, rule: ConsentRule, exported_at: datetime) -> list[pl.DataFrame]:
    """What was said, and what was taken back; an undated no holds from the export on, an undated yes always."""
    is_no = pl.col("decision") == "withdrawn"
    undated = pl.when(is_no).then(pl.lit(exported_at)).otherwise(pl.lit(EARLIEST)).cast(INSTANT)
    said = rows.drop_nulls(rule.column).with_columns(decision=rule.column)
    told = [said.with_columns(decided_at=pl.coalesce(rule.at, undated) if rule.at else undated)]
    if rule.withdrawn_at:
        left = rows.drop_nulls(rule.withdrawn_at)
        told.append(left.with_columns(decision=pl.lit("withdrawn"), decided_at=rule.withdrawn_at))
    return told
