"""`read_export`: one export file in, canonical rows out. Reads that file and nothing else.

Rows and money balance by construction: every source row is either in the primary table or in
`refused`, never in both and never in neither. The rows wait in `spill`; memory holds a
few chunks of the file and does not grow with it.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from expectations.tables import TABLES
from tasks.errors import BadFileError
from tasks.sources.ahead import ahead
from tasks.sources.canonical import Stamp
from tasks.sources.context import Export, ReadContext, Seal
from tasks.sources.corrections import corrected_rows, corrector
from tasks.sources.decode import open_export
from tasks.sources.fields import read_fields
from tasks.sources.intake import Intake, open_buckets
from tasks.sources.layouts import Layout, built_in
from tasks.sources.opened import Opened, Wanted
from tasks.sources.people import Naming
from tasks.sources.recognise import Match, known_headers, recognise
from tasks.sources.saying import unsaid_of
from tasks.sources.spill import Spill
from tasks.sources.tally import drift_of

__all__ = ["Export", "ReadContext", "Seal", "exported_at", "read_export"]

_APART = frozenset({"quarantine", "contacts"})
_CHUNKS_PER_BUCKET = 2
_MOST_BUCKETS = 512


def read_export(path: Path, context: ReadContext, spill: Path, layouts: Sequence[Layout] | None = None) -> Export:
    """Read one export file; its rows are written below `spill`.

    Raises:
        BadFileError: the file as a whole cannot be understood or trusted, or the shop is not known.
    """
    layouts = built_in() if layouts is None else layouts
    _must_be_file(path, context.name)
    before = path.stat()
    opened = open_export(path, context.name, known_headers(layouts), context.chunk_bytes)
    match = recognise(opened, layouts, context.name, context.channel)
    _refuse_encoding(opened, match.layout, context.name)
    intake = _intake(path, match, context, spill)
    with intake.spill:
        _take_all(opened, match, intake, before.st_size)
    _refuse_changed(path, context, before.st_mtime_ns, before.st_size)
    if intake.account.rows_read == 0 and not match.layout.may_be_empty:
        raise BadFileError(f"{context.name} has a header and no rows", expected="rows", next_step="export it again")
    return _export(opened, match, intake)


def _take_all(opened: Opened, match: Match, intake: Intake, size: int) -> None:
    """Take the chunks of a file of so many bytes in: while one is taken, the next is parsed and the one after read."""
    context = intake.context
    wanted = frozenset(name for names in match.sources.values() for name in names)
    chunks = ahead(opened.chunks(Wanted(match.layout.each, wanted)))
    told = 0
    for chunk, fields in ahead((chunk, read_fields(chunk.rows, match, context.zone)) for chunk in chunks):
        intake.take(chunk, fields)
        news = min(chunk.bytes_read, size - told)
        context.heard(news)
        told += news
    intake.finish()
    context.heard(size - told)


def _must_be_file(path: Path, name: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise BadFileError(f"{name} is no regular file", expected="a file", next_step="name the file itself")


def _refuse_changed(path: Path, context: ReadContext, modified_ns: int, size: int) -> None:
    """Make sure that what was read is the file whose digest the caller took."""
    now = path.stat()
    is_same = (now.st_mtime_ns, now.st_size) == (modified_ns, size)
    if not (is_same and (context.is_watched or _sha256(path) == context.file_sha256)):
        raise BadFileError(
            f"{context.name} changed while it was read", expected=f"SHA-256 {context.file_sha256}",
            next_step="wait until the upload is finished and ingest it again",
        )  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_encoding(opened: Opened, layout: Layout, name: str) -> None:
    """Refuse a file in an encoding that this back office never writes."""
    if opened.encoding is not None and opened.encoding not in layout.encodings:
        raise BadFileError(
            f"{name} is {opened.encoding}", expected=f"{' or '.join(layout.encodings)} for {layout.name}",
            next_step="export it again; it was re-saved or damaged on the way",
        )  # fmt: skip


def _intake(path: Path, match: Match, context: ReadContext, folder: Path) -> Intake:
    layout = match.layout
    stamp = stamp_of(match, context)
    count = min(path.stat().st_size // (_CHUNKS_PER_BUCKET * context.chunk_bytes) + 1, _MOST_BUCKETS)
    return Intake(
        Naming(layout, stamp.channel, stamp.shop_id, context.pseudonymise, context.phone_hashes), stamp, context,
        corrector(context.corrections, layout, stamp.shop_id, stamp.exported_at, context.zone, context.name),
        Spill(folder), open_buckets(layout, context, folder, count),
    )  # fmt: skip


def stamp_of(match: Match, context: ReadContext) -> Stamp:
    """Return what every row of the file has in common; BadFileError when the shop is not known."""
    layout = match.layout
    return Stamp(
        layout.channel, _shop(layout, context), context.currency, exported_at(layout, context),
        context.received_at, context.file_sha256, context.file_month, context.zone, context.categories,
        unsaid_of(layout, match.sources),
    )  # fmt: skip


def _shop(layout: Layout, context: ReadContext) -> str:
    """The shop that was told, else the only one that the brand has there; a channel of several must be told."""
    channel = layout.channel
    declared = context.shops.get(channel, ())
    several = () if isinstance(declared, str) else declared
    shop_id = context.shop_id or (declared if isinstance(declared, str) else None) or layout.shop or None
    if shop_id is None:
        raise BadFileError(
            f"{context.name} does not say which shop of {channel} it is from",
            expected=f"one of {', '.join(several)}" if several else "a shop",
            next_step=f"put it into the folder {channel}/SHOP/, pass --shop, or add {channel} to `shops` in brand.yaml",
        )
    if several and shop_id not in several:
        raise BadFileError(
            f"{context.name} is told to be from {shop_id}, which is no shop of {channel}",
            expected=f"one of {', '.join(several)}",
            next_step=f"correct the folder or --shop, or add {shop_id} to `shops` in brand.yaml",
        )
    return shop_id


def exported_at(layout: Layout, context: ReadContext) -> datetime:
    """When the export was made: the caller's word, else the file name's, else the time of receipt.

    A name that gives a date alone means the last second of that day in the layout's zone, at the latest the receipt;
    nor is a count of seconds since 1970 believed beyond it.
    """
    if context.exported_at is not None:
        return context.exported_at
    rule = layout.exported_at
    found = re.search(rule.pattern, context.name) if rule else None
    if rule is None or found is None:
        return context.received_at
    zone = ZoneInfo(context.zone if layout.zone == "brand" else layout.zone)
    return _as_named(found["at"], rule.format, zone, context.received_at)


def _as_named(text: str, pattern: str, zone: ZoneInfo, received_at: datetime) -> datetime:
    """The instant that a file's name tells; digits that are none (month 13) tell nothing."""
    try:
        if pattern == "epoch_s":
            return min(datetime.fromtimestamp(int(text), UTC), received_at)
        local = datetime.strptime(text, pattern).replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError):
        return received_at
    if "%H" in pattern:
        return local.astimezone(UTC)
    end = datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo).astimezone(UTC)
    return min(end - timedelta(seconds=1), received_at)


def _export(opened: Opened, match: Match, intake: Intake) -> Export:
    stamp, account, spill = intake.stamp, intake.account, intake.spill
    return Export(
        layout=match.layout.name, runner_up=match.runner_up, channel=stamp.channel, shop_id=stamp.shop_id,
        encoding=opened.encoding, exported_at=stamp.exported_at, primary=match.layout.table,
        tables={name: spill.paths(name) for name in TABLES if name in spill.files and name not in _APART},
        refused=spill.paths("quarantine"), contacts=spill.paths("contacts"),
        rows_read=account.rows_read, rows_refused=account.rows_refused, money_read_fen=account.money_read_fen,
        money_refused_fen=account.money_refused_fen, money_unreadable=account.money_unreadable,
        drift={
            "headers": list(opened.headers), "missing": list(match.missing), "extra": list(match.extra),
            "corrected": corrected_rows(intake.corrected), **drift_of(intake.tally, match.layout),
        },
        about=(*opened.about, *_heard(account.rows_heard)),
    )  # fmt: skip


def _heard(rows: int) -> tuple[str, ...]:
    """Tell of refused rows that say no."""
    return (f"{rows} refused rows say no, or tell of a dead contact: heard all the same",) if rows else ()
