"""Which tables the rows of a file feed: its primary one, in which every source row is counted, and all others.

Takes rows as building.py makes them; where one row is a line, all lines of an order at once.
"""

import polars as pl

from expectations.check import check
from expectations.tables import TABLES
from expectations.vocabulary import INSTANT
from tasks.sources.building import any_of
from tasks.sources.canonical import Stamp, to_table, unmarked
from tasks.sources.consents import consents_said, dated, noes, with_unreadable_noes
from tasks.sources.lines import orders_of_lines
from tasks.sources.links import declared
from tasks.sources.people import CONTACTS, Naming, contact_values, keys_seen, name_people
from tasks.sources.refunds import itemised, refunds_of, with_evidence, with_refunded

Tables = dict[str, pl.DataFrame]
_TOLD_OF_PRODUCTS = ("brand", "category", "department")
_NO_SIGHTINGS = ("contact", "touch", "refund", "consent", "coupon")
"""Grains that feed no sightings beside their primary table: contacts are sightings themselves; being written to, or
asked, makes nobody a customer; a refund's buyer stands on its order; a coupon's code is nobody's yet."""
UNCOUNTED = 0
"""`row_number` of rows that stand for no row in the account of their file."""


def prepare(wide: pl.DataFrame, naming: Naming, stamp: Stamp) -> pl.DataFrame:
    """Rows with what was paid back, and, unless they are lines, with the person they are about."""
    layout = naming.layout
    if layout.grain == "line":
        return with_evidence(wide, layout) if layout.with_orders else wide
    if layout.grain == "order":
        wide = wide.pipe(with_evidence, layout).pipe(with_refunded)
    if layout.grain == "refund":
        wide = wide.pipe(itemised, _at(stamp))
    if layout.grain == "link":
        return declared(wide, naming)
    named = wide.pipe(name_people, naming)
    return named.pipe(dated, _at(stamp)) if layout.grain == "consent" else named


def primary_tables(rows: pl.DataFrame, naming: Naming, stamp: Stamp) -> Tables:
    """The one table in which the file's rows are counted; rows of events that are none count by their sightings."""
    table, silent = naming.layout.table, naming.layout.silent
    if table == "sightings":
        return {table: _counted_by_keys(rows, naming, stamp)}
    if not silent:
        return {table: to_table(rows, table, stamp)}
    told, quiet = rows.filter(~any_of(silent)), rows.filter(any_of(silent))
    return {table: to_table(told, table, stamp), "sightings": _counted_by_keys(quiet, naming, stamp)}


def _counted_by_keys(rows: pl.DataFrame, naming: Naming, stamp: Stamp) -> pl.DataFrame:
    marks = rows.select("row_number", "row_money_fen", "broken_rules")
    return to_table(keys_seen(rows, naming, _at(stamp)).join(marks, on="row_number"), "sightings", stamp)


def other_tables(rows: pl.DataFrame, naming: Naming, stamp: Stamp) -> Tables:
    """Every other table that the rows feed; a table that gets nothing is left out."""
    layout, tables = naming.layout, Tables()
    if layout.grain in {"order", "line"}:
        tables["products"] = _products(rows, stamp)
    if layout.grain == "line" and layout.with_orders:
        rows = _orders(rows, naming)
        tables["orders"] = to_table(rows, "orders", stamp)
    if "shown_fen" in rows.columns:
        tables["refunds"] = to_table(refunds_of(unmarked(rows), _at(stamp)), "refunds", stamp)
    if layout.keys and layout.grain not in _NO_SIGHTINGS and "record" in rows.columns:
        tables["sightings"] = to_table(keys_seen(rows, naming, _at(stamp)), "sightings", stamp)
    if layout.consents:
        tables["consents"] = to_table(consents_said(rows, naming, _at(stamp)), "consents", stamp)
    return {name: table for name, table in tables.items() if not table.is_empty()}


def noes_of(rows: pl.DataFrame, naming: Naming, stamp: Stamp) -> pl.DataFrame:
    """What refused rows say no to, as `consents` that no account counts: the rows themselves stay refused."""
    layout = naming.layout
    if rows.is_empty() or not (layout.consents or layout.table == "consents"):
        return TABLES["consents"].schema.to_frame()
    said = unmarked(rows)
    if layout.consents:
        told = rows.pipe(with_unreadable_noes, naming, _at(stamp))
        said = consents_said(_orders(told, naming) if layout.grain == "line" else told, naming, _at(stamp))
    heard = to_table(said.pipe(noes, _at(stamp)), "consents", stamp)
    return check(heard, "consents").kept


def contacts_of(rows: pl.DataFrame, naming: Naming, stamp: Stamp) -> pl.DataFrame:
    """PLAINTEXT contact points of the rows; an order's stand on its first line."""
    if not naming.layout.contacts:
        return pl.DataFrame(schema=CONTACTS)
    people = _orders(rows, naming) if naming.layout.grain == "line" else rows
    return contact_values(people, keys_seen(people, naming, _at(stamp)), naming)


def _orders(lines: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    return lines.pipe(orders_of_lines, naming.layout).pipe(with_refunded).pipe(name_people, naming)


def _products(rows: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """One row per product of which the rows tell brand or category, as the newest of them tell it."""
    rows = rows.pipe(_categorise, stamp.categories)
    told = [name for name in _TOLD_OF_PRODUCTS if name in rows.columns]
    if not told or "product_id" not in rows.columns:
        return TABLES["products"].schema.to_frame()
    is_told = pl.col("product_id").is_not_null() & pl.any_horizontal(pl.col(told).is_not_null())
    ages = ["ordered_at"] if "ordered_at" in rows.columns else []
    newest = rows.filter(is_told).sort(*ages, *told, descending=True, nulls_last=True)
    return to_table(unmarked(newest.unique(subset=["product_id"], keep="first")), "products", stamp)


def _categorise(rows: pl.DataFrame, categories: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """Rows with the category that the file gives, else that of the brand's first rule that fits the product's name."""
    if not categories or "product_name" not in rows.columns:
        return rows
    own = [pl.col("category")] if "category" in rows.columns else []
    name = pl.col("product_name")
    mapped = [pl.when(name.str.contains(match)).then(pl.lit(category)) for match, category in categories]
    return rows.with_columns(category=pl.coalesce(*own, *mapped))


def _at(stamp: Stamp) -> pl.Expr:
    return pl.lit(stamp.exported_at).cast(INSTANT)
