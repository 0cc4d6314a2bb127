"""Parsed rows of one file become rows of tables on local disk, part by part, and are accounted for.

A part is a chunk of the file where every row stands for itself. Lines of one order, and equal rows
that get numbers, must meet first: they wait in buckets by the hash of what they have in common.
"""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tasks.sources.building import build
from tasks.sources.canonical import Stamp
from tasks.sources.context import ReadContext
from tasks.sources.corrections import Corrector, Tallies, add_tallies
from tasks.sources.feeding import UNCOUNTED, contacts_of, noes_of, other_tables, prepare, primary_tables
from tasks.sources.fields import Fields
from tasks.sources.layouts import Layout
from tasks.sources.lines import fill_down
from tasks.sources.opened import Chunk, undecodable
from tasks.sources.people import Naming
from tasks.sources.quarantine import quarantine
from tasks.sources.settle import Settled, kept_rows, settle
from tasks.sources.spill import Buckets, Spill
from tasks.sources.tally import Tally, add_up

_NONE_UNDECODABLE = undecodable([])


@dataclass
class Account:
    """Rows and money of a file, summed over its parts."""

    rows_read: int = 0
    rows_refused: int = 0
    money_read_fen: int = 0
    money_refused_fen: int = 0
    money_unreadable: int = 0
    rows_heard: int = 0
    """Refused rows of which a no is heard all the same."""


@dataclass
class Intake:
    """Takes the rows of one file in."""

    naming: Naming
    stamp: Stamp
    context: ReadContext
    corrector: Corrector
    spill: Spill
    buckets: Buckets | None
    account: Account = field(default_factory=Account)
    tally: Tally = field(default_factory=Tally)
    corrected: Tallies = field(default_factory=dict)
    above: str | None = None
    """Order number of the line above the next chunk."""

    def take(self, chunk: Chunk, fields: Fields) -> None:
        """Take a chunk; its rows are settled at once, or wait for those of other chunks."""
        layout = self.naming.layout
        self.tally = add_up([self.tally, fields.tally])
        parsed = self._correct(fields.frame)
        faulty = _still_faulty(fields.faulty, parsed)
        self.account.rows_read += chunk.rows_read
        self.account.money_unreadable += _without_money(faulty, chunk.undecodable, layout.money)
        if self.buckets is None:
            self._settle(parsed, faulty, chunk.undecodable)
            return
        self._refuse(quarantine(_nothing(), faulty, chunk.undecodable, _no_money(), self.stamp))
        numbers = _bucket_of(parsed, meeting(layout), self.buckets.count)
        self.buckets.put("rows", parsed, numbers)
        places = parsed.select("row_number", _bucket=numbers).unique()
        placed = faulty.join(places, on="row_number", maintain_order="left")
        self.buckets.put("faulty", placed.drop("_bucket"), placed["_bucket"])

    def finish(self) -> None:
        """Settle what waits, and let the corrections' guards look at the whole."""
        for number in range(self.buckets.count if self.buckets else 0):
            rows, faulty = self._waiting("rows", number), self._waiting("faulty", number)
            if rows is not None:
                self._settle(rows, _nothing() if faulty is None else faulty, _NONE_UNDECODABLE)
        self.corrector.guard(self.corrected)

    def _waiting(self, name: str, number: int) -> pl.DataFrame | None:
        return self.buckets.take(name, number) if self.buckets else None

    def _correct(self, parsed: pl.DataFrame) -> pl.DataFrame:
        """Fill blank order numbers down, then mend known errors."""
        if self.naming.layout.fill_down:
            parsed, self.above = fill_down(parsed, self.above)
        parsed, tallies = self.corrector.apply(parsed)
        self.corrected = add_tallies(self.corrected, tallies)
        return parsed

    def _settle(self, parsed: pl.DataFrame, faulty: pl.DataFrame, undecodable: pl.DataFrame) -> None:
        """Build every table that the layout feeds, settle which rows enter, and write them down."""
        wide = build(parsed, self.naming.layout)
        rows = prepare(wide, self.naming, self.stamp)
        settled = settle(
            rows, primary_tables(rows, self.naming, self.stamp),
            lambda kept: other_tables(kept, self.naming, self.stamp), by_order=self.naming.layout.grain == "line",
        )  # fmt: skip
        money = _money_of(wide)
        self.account.money_read_fen += _total(money)
        self._refuse(quarantine(settled.refused, faulty, undecodable, money, self.stamp))
        self._write(rows, settled)
        self._hear(rows.join(settled.refused, on="row_number", how="semi"))

    def _hear(self, refused: pl.DataFrame) -> None:
        """Write down the noes of refused rows, behind no row of the account: a no is never lost with its row."""
        heard = noes_of(refused, self.naming, self.stamp)
        if not heard.is_empty():
            self.account.rows_heard += heard["row_number"].n_unique()
            self.spill.put("consents", heard.with_columns(row_number=pl.lit(UNCOUNTED, pl.Int64())))

    def _refuse(self, refused: pl.DataFrame) -> None:
        lost = refused.select("row_number", "row_money_fen").unique(subset=["row_number"])
        self.account.rows_refused += lost.height
        self.account.money_refused_fen += _total(lost)
        self.spill.put("quarantine", refused)

    def _write(self, rows: pl.DataFrame, settled: Settled) -> None:
        """Write the tables; of contacts those whose row was taken, sealed."""
        for name, table in settled.tables.items():
            self.spill.put(name, table)
        contacts = contacts_of(rows, self.naming, self.stamp)
        if contacts.is_empty():
            return
        kept = contacts.join(kept_rows(settled.tables), on="row_number", how="semi").sort("row_number")
        distinct = kept.unique(["pseudonym", "contact_type"], keep="first", maintain_order=True)
        self.spill.put("contacts", self.context.seal(distinct))


def meeting(layout: Layout) -> tuple[str, ...] | None:
    """The columns by which rows must meet before they settle: () when all must, None when none must."""
    groups = [{*columns} for columns in layout.numbered.values()]
    groups += [{"order_id"}] if layout.grain == "line" else []
    if not groups:
        return None
    return tuple(sorted(set.intersection(*groups) & {*layout.columns}))


def open_buckets(layout: Layout, context: ReadContext, folder: Path, count: int) -> Buckets | None:
    """Return the buckets that the layout's rows need; None where every row stands for itself."""
    columns = meeting(layout)
    if columns is None:
        return None
    return Buckets(folder, count if columns else 1, context.cover, context.uncover)


def _bucket_of(rows: pl.DataFrame, columns: tuple[str, ...] | None, count: int) -> pl.Series:
    """The number of each row's bucket; a line without an order number may lie in any."""
    if count == 1 or not columns:
        return pl.repeat(0, rows.height, dtype=pl.UInt64, eager=True)
    return rows.select(pl.struct(columns).hash(seed=0) % count).to_series()


def _still_faulty(faulty: pl.DataFrame, parsed: pl.DataFrame) -> pl.DataFrame:
    """The cells that could not be read and that no correction has mended."""
    if faulty.is_empty():
        return faulty
    marks = parsed.select("row_number", mark="broken_rules").explode("mark").unique()
    return (
        faulty.with_columns(mark=pl.format("{}:{}", "column", "rule"))
        .join(marks, on=["row_number", "mark"], how="semi", maintain_order="left")
        .drop("mark")
    )


def _without_money(faulty: pl.DataFrame, undecodable: pl.DataFrame, money: str | None) -> int:
    """Rows of which nobody can say what was paid."""
    return faulty.filter(column=money)["row_number"].n_unique() + undecodable.height if money else 0


def _money_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The money of each source row, once; several rows come of one where `each` parts a document."""
    money = rows.select("row_number", "row_money_fen")
    if (money.get_column("row_number").diff() > 0).all():
        return money
    return money.group_by("row_number").agg(pl.col("row_money_fen").first())


def _nothing() -> pl.DataFrame:
    texts = dict.fromkeys(("rule", "column", "value_redacted"), pl.String())
    return pl.DataFrame(schema={"row_number": pl.Int64(), **texts})


def _no_money() -> pl.DataFrame:
    return pl.DataFrame(schema={"row_number": pl.Int64(), "row_money_fen": pl.Int64()})


def _total(rows: pl.DataFrame) -> int:
    """Sum without overflow; what is unreadable counts as 0."""
    return int(rows["row_money_fen"].cast(pl.Int128).sum())
