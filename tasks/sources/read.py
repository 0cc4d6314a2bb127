"""`read_export`: one export file in, canonical rows out. Reads that file and nothing else.

Rows and money balance by construction: every source row is either in the primary table or in
`refused`, never in both and never in neither.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from tasks.errors import BadFileError
from tasks.sources.building import build
from tasks.sources.canonical import Stamp
from tasks.sources.decode import open_export
from tasks.sources.feeding import contacts_of, other_tables, prepare, primary_tables
from tasks.sources.fields import Fields, read_fields
from tasks.sources.layouts import Layout, built_in
from tasks.sources.lines import fill_down
from tasks.sources.opened import Opened
from tasks.sources.people import Naming, Pseudonymise
from tasks.sources.quarantine import quarantine
from tasks.sources.recognise import Match, recognise
from tasks.sources.settle import Settled, Tables, kept_rows, settle


@dataclass(frozen=True)
class ReadContext:
    """What the caller knows about a file that its bytes do not say."""

    file_sha256: str
    name: str
    received_at: datetime
    file_month: str
    """Month of receipt, YYYY-MM."""
    zone: str
    currency: str
    pseudonymise: Pseudonymise
    shops: Mapping[str, str]
    """Channel to shop id, where the file does not say (brand policy)."""
    channel: str | None = None
    """Only layouts of this channel fit, when given."""
    shop_id: str | None = None
    exported_at: datetime | None = None
    """Overrides the file's name; without either, the time of receipt."""


@dataclass(frozen=True)
class Export:
    """One file, read."""

    layout: str
    runner_up: str | None
    channel: str
    shop_id: str
    encoding: str | None
    exported_at: datetime
    primary: str
    """The table in which the file's rows are counted, by `row_number`."""
    tables: Tables
    """Rows that passed the row rules, with `row_number`, `row_money_fen` and `file_month` beside the table's own."""
    refused: pl.DataFrame
    """Rows of `quarantine`: one per refused source row and broken rule, undecodable rows included."""
    contacts: pl.DataFrame
    """PLAINTEXT contact points of accepted rows: pseudonym, contact_type, value, row_number. Seal at once."""
    rows_read: int
    rows_refused: int
    money_read_fen: int
    money_refused_fen: int
    money_unreadable: int
    drift: dict[str, object]

    def __repr__(self) -> str:
        """Name the file's layout and counts; a printed frame would show contacts in a log."""
        return f"Export({self.layout}, {self.rows_read} rows, {self.rows_refused} refused)"


def read_export(path: Path, context: ReadContext, layouts: Sequence[Layout] | None = None) -> Export:
    """Read one export file.

    Raises:
        BadFileError: the file as a whole cannot be understood or trusted, or the shop is not known.
    """
    opened = open_export(_bytes(path, context), context.name)
    match = recognise(opened, built_in() if layouts is None else layouts, context.name, context.channel)
    layout = match.layout
    _refuse_unfit(opened, layout, context.name)
    stamp = _stamp(layout, context)
    fields = read_fields(opened.rows(layout.each), match, context.zone)
    naming = Naming(layout, stamp.channel, stamp.shop_id, context.pseudonymise)
    parsed, _ = fill_down(fields.frame, None) if layout.fill_down else (fields.frame, None)
    wide = build(parsed, layout)
    settled, contacts = _settle(wide, naming, stamp)
    return _export(opened, match, stamp, fields, wide, settled, contacts)


def _bytes(path: Path, context: ReadContext) -> bytes:
    """Read a regular file and make sure that it is the one whose digest the caller took."""
    if path.is_symlink() or not path.is_file():
        raise BadFileError(f"{context.name} is no regular file", expected="a file", next_step="name the file itself")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != context.file_sha256:
        raise BadFileError(
            f"{context.name} changed while it was read", expected=f"SHA-256 {context.file_sha256}",
            next_step="wait until the upload is finished and ingest it again",
        )  # fmt: skip
    return data


def _refuse_unfit(opened: Opened, layout: Layout, name: str) -> None:
    """Refuse a file without rows, and one in an encoding that this back office never writes."""
    if opened.rows_read == 0 and not layout.may_be_empty:
        raise BadFileError(f"{name} has a header and no rows", expected="data rows", next_step="export it again")
    if opened.encoding is not None and opened.encoding not in layout.encodings:
        raise BadFileError(
            f"{name} is {opened.encoding}", expected=f"{' or '.join(layout.encodings)} for {layout.name}",
            next_step="export it again; it was re-saved or damaged on the way",
        )  # fmt: skip


def _stamp(layout: Layout, context: ReadContext) -> Stamp:
    shop_id = context.shop_id or context.shops.get(layout.channel)
    if shop_id is None:
        raise BadFileError(
            f"{context.name} does not say which shop of {layout.channel} it is from", expected="a shop",
            next_step=f"pass --shop, or add {layout.channel} to `shops` in brand.yaml",
        )  # fmt: skip
    return Stamp(
        layout.channel, shop_id, context.currency, exported_at(layout, context), context.received_at,
        context.file_sha256, context.file_month, context.zone,
    )  # fmt: skip


def exported_at(layout: Layout, context: ReadContext) -> datetime:
    """When the export was made: the caller's word, else the file name's, else the time of receipt.

    A name that gives a date alone means the end of that day in the layout's zone, at the latest the receipt.
    """
    if context.exported_at is not None:
        return context.exported_at
    rule = layout.exported_at
    found = re.search(rule.pattern, context.name) if rule else None
    if rule is None or found is None:
        return context.received_at
    zone = ZoneInfo(context.zone if layout.zone == "brand" else layout.zone)
    local = datetime.strptime(found["at"], rule.format).replace(tzinfo=zone)
    if "%H" in rule.format:
        return local.astimezone(UTC)
    end = datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo).astimezone(UTC)
    return min(end, context.received_at)


def _settle(wide: pl.DataFrame, naming: Naming, stamp: Stamp) -> tuple[Settled, pl.DataFrame]:
    """Build every table that the layout feeds, and settle which rows enter; contacts follow their rows."""
    rows = prepare(wide, naming, stamp)
    settled = settle(rows, primary_tables(rows, naming, stamp), lambda kept: other_tables(kept, naming, stamp),
                     by_order=naming.layout.grain == "line")  # fmt: skip
    contacts = contacts_of(rows, naming, stamp)
    return settled, contacts.join(kept_rows(settled.tables), on="row_number", how="semi")


def _export(
    opened: Opened,
    match: Match,
    stamp: Stamp,
    fields: Fields,
    wide: pl.DataFrame,
    settled: Settled,
    contacts: pl.DataFrame,
) -> Export:
    money = wide.group_by("row_number").agg(pl.col("row_money_fen").first())
    refused = quarantine(settled.refused, fields.faulty, opened.undecodable, money, stamp)
    lost = refused.select("row_number", "row_money_fen").unique(subset=["row_number"])
    return Export(
        layout=match.layout.name, runner_up=match.runner_up, channel=stamp.channel, shop_id=stamp.shop_id,
        encoding=opened.encoding, exported_at=stamp.exported_at, primary=match.layout.table, tables=settled.tables,
        refused=refused, contacts=contacts, rows_read=opened.rows_read, rows_refused=lost.height,
        money_read_fen=_total(money), money_refused_fen=_total(lost),
        money_unreadable=fields.money_unreadable + (opened.undecodable.height if match.layout.money else 0),
        drift={"missing": list(match.missing), "extra": list(match.extra), **fields.drift},
    )  # fmt: skip


def _total(rows: pl.DataFrame) -> int:
    """Sum without overflow; what is unreadable counts as 0."""
    return int(rows["row_money_fen"].cast(pl.Int128).sum())
