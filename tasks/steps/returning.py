"""Who was forgotten and comes back in a later export: refused, counted and not kept. No task stands here.

A row is refused when it is about such a person, by key or by the number of an order or event. Where they are
only reached, a parcel that another buyer sent them, the buyer's row stays and tells nothing of them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from tasks.sources.context import ReadContext
from tasks.sources.erasing import Sought, find_person, telling, write_without
from tasks.sources.layouts import Layout
from tasks.sources.recognise import known_headers
from tasks.sources.spill import lay, waiting

RULE = "erased_person"
INGEST = "ingest"
"""Stands in `erasures` where no request took rows out, but the marks of earlier ones."""
PERSONS = ("buyer_key", "member_key", "customer_key", "subject", "recipient_key", "key_a", "key_b", "code_key")
Staged = dict[str, tuple[str, ...]]
_REFUSED = pl.Schema({"row_number": pl.Int64(), "row_money_fen": pl.Int64()})


class Returned:
    """What of a staged file is about people who were forgotten."""

    def __init__(self, staged: Staged, primary: str, forgotten: frozenset[str]) -> None:
        """Look at every staged row.

        Args:
            staged: table to Parquet files in scratch, with `row_number`.
            primary: the table in which the file's rows are counted.
            forgotten: printed keys and records that were marked.
        """
        self.staged, self.primary, self.forgotten = staged, primary, sorted(forgotten)
        self.orders = self._orders()
        self.refused = self._refused()

    @property
    def tells_of_somebody(self) -> bool:
        """Whether any staged row is about such a person, or tells of what reaches them."""
        names = [name for name in self.staged if name != "quarantine"]
        return bool(self.refused.height) or any(self._read(name).filter(self._tells(name)).height for name in names)

    def _orders(self) -> list[str]:
        """Orders in the file that such a person bought, as records."""
        if "orders" not in self.staged:
            return []
        rows = self._read("orders").filter(pl.col("buyer_key").is_in(self.forgotten))
        return rows.select(_order().unique()).to_series().to_list()

    def _refused(self) -> pl.DataFrame:
        """row_number and money of every source row that is about such a person, each once."""
        hits = [self._read(name).filter(self._is_theirs(name)).select("row_number") for name in self.staged]
        numbers = pl.concat([_REFUSED.to_frame().select("row_number"), *hits]).unique()
        if numbers.is_empty():
            return _REFUSED.to_frame()
        money = pl.concat([_REFUSED.to_frame(), *(self._read(name).select(list(_REFUSED)) for name in self._counted())])
        by_row = (
            money.join(numbers, on="row_number", how="semi").group_by("row_number").agg(pl.col("row_money_fen").max())
        )
        return numbers.join(by_row, on="row_number", how="left").sort("row_number")

    def _counted(self) -> list[str]:
        """Tables whose rows bear the money of their source row."""
        return [name for name in self.staged if name not in {"contacts", "quarantine"}]

    def _read(self, name: str) -> pl.DataFrame:
        return waiting(self.staged[name]).collect()

    def _is_theirs(self, name: str) -> pl.Expr:
        """Whether a staged row is about such a person, and not only of what reaches them."""
        columns = TABLES[name].columns
        tests = [pl.col(column).is_in(self.forgotten) for column in PERSONS if column in columns and name != "consents"]
        if {"channel", "shop_id", "order_id"} <= set(columns):
            tests.append(_order().is_in([*self.forgotten, *self.orders]))
        if name == "events":
            tests.append(pl.concat_str(pl.lit("event:"), "channel", pl.lit(":"), "event_id").is_in(self.forgotten))
        if name == "sightings" and self.primary == "sightings":
            tests.append(pl.col("key").is_in(self.forgotten) & (pl.col("key_role") == "identity"))
        return pl.any_horizontal(pl.lit(value=False), *tests).fill_null(value=False)

    def _tells(self, name: str) -> pl.Expr:
        """Whether a row of somebody else still tells of them."""
        pseudonyms = sorted({key.rpartition(":")[2] for key in self.forgotten})
        told = {"sightings": pl.col("key").is_in(self.forgotten), "consents": pl.col("subject").is_in(self.forgotten)}
        own = told.get(name, pl.lit(value=False))
        return pl.col("pseudonym").is_in(pseudonyms) if name == "contacts" else own

    def without(self, folder: Path) -> Staged:
        """The staged files without them; the refused rows stand in quarantine, without a value."""
        kept: Staged = {}
        for name in self.staged:
            if name == "quarantine":
                continue
            rows = self._read(name).join(self.refused.select("row_number"), on="row_number", how="anti")
            rows = rows.filter(~self._tells(name).fill_null(value=False))
            if rows.height:
                kept[name] = _written(rows, folder / f"returned-{name}.arrow")
        return kept

    def quarantined(self, folder: Path, file_sha256: str, file_month: str) -> tuple[str, ...]:
        """The refused rows as quarantine keeps them, beside those refused before."""
        none = pl.lit(None, pl.String())
        rows = self.refused.with_columns(
            file_sha256=pl.lit(file_sha256), rule=pl.lit(RULE), column=none, value_redacted=none,
            file_month=pl.lit(file_month),
        )  # fmt: skip
        written = _written(rows.select(TABLES["quarantine"].columns), folder / "returned-quarantine.arrow")
        return (*self.staged.get("quarantine", ()), *written)


def _order() -> pl.Expr:
    return pl.concat_str(pl.lit("order:"), "channel", pl.lit(":"), "shop_id", pl.lit(":"), "order_id")


def _written(rows: pl.DataFrame, path: Path) -> tuple[str, ...]:
    return (str(lay(rows, path)),)


@dataclass(frozen=True)
class HeldBack:
    """A file without people who were forgotten."""

    staged: Staged
    rows: int
    money_fen: int
    kept: Path
    """The file to keep in place of the one received."""
    taken_out: tuple[int, ...]
    """Numbers of the rows that the kept file lacks."""


def hold_back(path: Path, export: Returned, context: ReadContext, layouts: Sequence[Layout], folder: Path) -> HeldBack:
    """Take those rows out of the staged tables and out of the file itself; `path` is the file as it was read."""
    forgotten = frozenset(export.forgotten)
    records = frozenset(one for one in forgotten if one.startswith(("order:", "event:")))
    found = find_person(path, context, layouts, Sought(forgotten - records, records))
    rows = {*found.rows, *export.refused["row_number"]}
    kept, headers = folder / "held-back", known_headers(layouts)
    gone = write_without(path, context.name, headers, rows, telling(found.values), kept)
    staged = export.without(folder)
    quarantined = export.quarantined(folder, context.file_sha256, context.file_month)
    money = int(export.refused["row_money_fen"].sum())
    return HeldBack(staged | {"quarantine": quarantined}, export.refused.height, money, kept, tuple(sorted(gone)))


def erasure_row(held: HeldBack, file_sha256: str, raw_sha256: str, at: datetime, folder: Path) -> Staged:
    """What `erasures` is to say of a file that was cut as it came in."""
    row = {
        "request_id": INGEST, "file_sha256": file_sha256, "erased_at": at, "rows_erased": len(held.taken_out),
        "erased_rows": json.dumps(held.taken_out), "raw_sha256": raw_sha256,
    }  # fmt: skip
    rows = pl.DataFrame([row], TABLES["erasures"].schema).with_columns(row_number=pl.lit(1, pl.Int64()))
    return {"erasures": _written(rows, folder / "returned-erasures.arrow")}
