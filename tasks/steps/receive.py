"""Take one export file in: read it, keep its bytes sealed, lay its rows ready to merge. No task stands here."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
from pydantic import Field

from tasks.errors import BadFileError, SecurityRefusedError
from tasks.policy.models import Policy
from tasks.progress import listener
from tasks.refs import Ref, Run, StoredFile
from tasks.sources.corrections import Correction
from tasks.sources.declared import corrections_of, layouts_of
from tasks.sources.feeding import UNCOUNTED
from tasks.sources.read import Export, ReadContext, read_export
from tasks.sources.spill import lay
from tasks.steps.house import lake_at, objects_at, snapshot_of
from tasks.steps.keyring import forgotten_at, pseudonymiser_at, sealer_of
from tasks.steps.opening import Item
from tasks.steps.returning import HeldBack, Returned, Staged, erasure_row, hold_back
from tasks.stores.arrivals import mark_of
from tasks.stores.cover import passing_cover
from tasks.stores.objects import check_key
from tasks.stores.raw import standing_raw
from tasks.stores.vault import Pseudonymiser, Sealer

Keys = tuple[Pseudonymiser, Sealer]
"""What the reading of a file may hold of the brand's keys: nothing that opens anything."""
_HEARD = "nothing of the file was taken, but for the noes that can be read in it: those are heard"


class Terms(Ref):
    """What the caller says of all files of a run."""

    received_at: datetime
    exported_at: datetime | None = None
    shop: str | None = None
    file_month: str


class Received(Ref):
    """One export file after reading: its account, and where its rows wait."""

    sha256: str
    name: str
    raw: StoredFile | None = None
    outcome: str = "accepted"
    reason: str | None = None
    layout: str | None = None
    channel: str = "unknown"
    shop_id: str = "unknown"
    encoding: str | None = None
    exported_at: datetime
    received_at: datetime
    primary: str = ""
    rows_read: int = 0
    rows_quarantined: int = 0
    money_read_fen: int = 0
    money_quarantined_fen: int = 0
    money_unreadable: int = 0
    drift: str = "{}"
    about: tuple[str, ...] = ()
    staged: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="files in scratch by table")


def receive(run: Run, item: Item, terms: Terms, policy: Policy, *, keep: bool = True) -> Received | None:
    """Read one export and keep its bytes; one that cannot be used is received as refused, with the reason.

    None for a file that changed under our hands: it is still being uploaded, and nothing is said of it.
    """
    named, sealer = _pseudonymiser(run, policy), sealer_of(policy, run.lake)
    try:
        read = _read(run, item, terms, policy, (named, sealer))
        held = _held_back(run, item, terms, policy, (named, sealer), read)
        raw = keep_raw(run, item, read.channel, sealer, held.kept if held else None) if keep else None
    except BadFileError:
        if is_unchanged(item):
            raise
        return None
    read = _without(run, read, held, raw) if held else read
    return read.model_copy(update={"raw": raw}) if is_unchanged(item) else None


def _held_back(run: Run, item: Item, terms: Terms, policy: Policy, keys: Keys, read: Received) -> HeldBack | None:
    """The file without people who were forgotten; None where none of them is in it."""
    forgotten = forgotten_at(policy, lake_at(run.lake), run.lake, snapshot_of(run))
    returned = Returned(read.staged, read.primary, forgotten) if forgotten and read.staged else None
    if returned is None or not returned.tells_of_somebody:
        return None
    layouts = layouts_of(policy.layouts)
    context = _context(policy, keys, item, terms, corrections_of(policy.corrections, layouts))
    named = replace(context, shop_id=read.shop_id, channel=read.channel)
    return hold_back(Path(item.path), returned, named, layouts, Path(run.scratch) / item.sha256)


def _without(run: Run, read: Received, held: HeldBack, raw: StoredFile | None) -> Received:
    """The same account, with the rows of people who were forgotten among the refused."""
    folder, staged = Path(run.scratch) / read.sha256, held.staged
    if raw is not None:
        staged = staged | erasure_row(held, read.sha256, raw.sha256, read.received_at, folder)
    told = f"{held.rows} rows are about people who were forgotten: refused, and not kept"
    return read.model_copy(
        update={
            "staged": staged, "rows_quarantined": read.rows_quarantined + held.rows,
            "money_quarantined_fen": read.money_quarantined_fen + held.money_fen, "about": (*read.about, told),
        }
    )  # fmt: skip


def _pseudonymiser(run: Run, policy: Policy) -> Pseudonymiser:
    return pseudonymiser_at(policy, lake_at(run.lake), run.lake, snapshot_of(run))


def is_unchanged(item: Item) -> bool:
    """Whether the bytes received are still those that were looked at."""
    try:
        return mark_of(Path(item.received)) == item.mark
    except FileNotFoundError:
        return False


def _read(run: Run, item: Item, terms: Terms, policy: Policy, keys: Keys) -> Received:
    about = {"sha256": item.sha256, "name": item.name, "received_at": terms.received_at}
    try:
        _refuse_problem(item)
        layouts = layouts_of(policy.layouts)
        context = _context(policy, keys, item, terms, corrections_of(policy.corrections, layouts))
        export = read_export(Path(item.path), context, Path(run.scratch) / item.sha256, layouts)
    except BadFileError as error:
        exported_at = terms.exported_at or terms.received_at
        return Received(**about, outcome="refused", reason=str(error), exported_at=exported_at, about=item.about)
    if rotten := _rotten(export, item.name, policy.brand.max_quarantine_share):
        heard = _noes_alone(export, Path(run.scratch) / item.sha256)
        place = {"channel": export.channel, "shop_id": export.shop_id, "exported_at": export.exported_at}
        told = (*item.about, *((_HEARD,) if heard else ()))
        return Received(**about, **place, outcome="refused", reason=str(rotten), staged=heard, about=told)
    return Received(**about, **_account(export), staged=_staged(export), about=(*item.about, *export.about))


def _noes_alone(export: Export, folder: Path) -> Staged:
    """Of a file that is refused as a whole, what its rows say no to: nothing else enters, and no account counts it."""
    said = export.frame("consents")
    heard = said.filter(pl.col("decision") != "granted").with_columns(row_number=pl.lit(UNCOUNTED, pl.Int64()))
    return {} if heard.is_empty() else {"consents": (str(lay(heard, folder / "noes.arrow")),)}


def _refuse_problem(item: Item) -> None:
    if item.problem is not None:
        raise item.problem.error()


def keep_raw(run: Run, item: Item, channel: str, sealer: Sealer, instead: Path | None = None) -> StoredFile:
    """The bytes as received (or what is kept instead), encrypted; what stands there already is the same file.

    Raises:
        BadFileError: the file changed meanwhile; nothing is kept under the digest of what it was.
    """
    objects, sealed = objects_at(run.lake), Path(run.scratch) / "raw.sealed"
    standing = standing_raw(objects, channel, item.sha256)
    key = standing.key if standing else raw_key(item, channel)
    if standing is None:
        sealer.encrypt_file(instead or Path(item.received), sealed)
        if not is_unchanged(item):
            raise BadFileError(f"{item.name} changed while it was read", next_step="wait until it is uploaded")
        objects.create_file(key, sealed)
        sealed.unlink()
    meta = objects.head(key)
    return StoredFile(path=key, bytes=meta.bytes if meta else 0, sha256=objects.sha256(key))


def raw_key(item: Item, channel: str) -> str:
    """Where the bytes lie; a name that no store can take is left out of it."""
    try:
        return check_key(f"raw/{channel}/{item.sha256}/{item.name}")
    except SecurityRefusedError:
        return f"raw/{channel}/{item.sha256}/export"


def _context(policy: Policy, keys: Keys, item: Item, terms: Terms, corrections: tuple[Correction, ...]) -> ReadContext:
    named, sealer = keys
    cover, uncover = passing_cover()
    return ReadContext(
        file_sha256=item.sha256,
        is_watched=True,
        heard=listener().read,
        name=item.name,
        received_at=terms.received_at,
        file_month=terms.file_month,
        zone=policy.brand.zone,
        currency=policy.brand.currency,
        pseudonymise=named,
        shops=policy.brand.shops,
        seal=lambda contacts: _sealed(contacts, terms.received_at, item.sha256, sealer),
        channel=item.channel,
        shop_id=item.shop or terms.shop,
        exported_at=terms.exported_at,
        corrections=corrections,
        categories=tuple((rule.match, rule.category) for rule in policy.brand.categories),
        phone_hashes=policy.brand.phone_hashes,
        cover=cover,
        uncover=uncover,
    )


def _rotten(export: Export, name: str, most: float) -> BadFileError | None:
    """Why a file with too many refused rows is damaged as a whole: its good rows are not to be trusted either."""
    if export.rows_refused <= most * export.rows_read:
        return None
    counts = export.frame("quarantine").group_by("rule").len().sort("len", "rule", descending=[True, False]).head(3)
    rules = ", ".join(f"{rule} ({count})" for rule, count in counts.iter_rows())
    return BadFileError(
        f"{name}: {export.rows_refused} of {export.rows_read} rows are refused: {rules}",
        expected=f"at most {most:.1%} (max_quarantine_share of the brand)",
        next_step="export the file again, or correct it; nothing of it was taken, but for what says no",
    )


def _account(export: Export) -> dict[str, object]:
    return {
        "layout": export.layout,
        "channel": export.channel,
        "shop_id": export.shop_id,
        "encoding": export.encoding,
        "exported_at": export.exported_at,
        "primary": export.primary,
        "rows_read": export.rows_read,
        "rows_quarantined": export.rows_refused,
        "money_read_fen": export.money_read_fen,
        "money_quarantined_fen": export.money_refused_fen,
        "money_unreadable": export.money_unreadable,
        "drift": json.dumps(export.drift, ensure_ascii=False, sort_keys=True, default=str),
    }


def _staged(export: Export) -> dict[str, tuple[str, ...]]:
    """Where the rows of each table wait in scratch; contacts were sealed before they touched the disk."""
    files = {**export.tables, "quarantine": export.refused, "contacts": export.contacts}
    return {name: tuple(map(str, paths)) for name, paths in files.items() if paths}


def _sealed(contacts: pl.DataFrame, known_from: datetime, sha256: str, sealer: Sealer) -> pl.DataFrame:
    return sealer.seal(contacts).with_columns(
        known_from=pl.lit(known_from), file_sha256=pl.lit(sha256), row_number=contacts.get_column("row_number")
    )
