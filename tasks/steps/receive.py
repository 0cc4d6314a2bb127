"""Take one export file in: read it, keep its bytes sealed, lay its rows ready to merge. No task stands here."""

import json
from datetime import datetime
from pathlib import Path

import polars as pl
from pydantic import Field

from tasks.errors import BadFileError
from tasks.policy.models import Policy
from tasks.refs import Ref, Run, StoredFile
from tasks.sources.read import Export, ReadContext, read_export
from tasks.steps.house import key_ring, objects_at, policy_of
from tasks.stores.digests import file_sha256
from tasks.stores.vault import KeyRing, encrypt_file, pseudonym_of, seal


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
    raw: StoredFile
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
    staged: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="table to Parquet files in scratch")


def receive(run: Run, path: Path, terms: Terms) -> Received:
    """Keep and read one file; a file that cannot be used is received as refused, with the reason."""
    policy = policy_of(run)
    ring = key_ring(policy, run.lake)
    sha256 = file_sha256(path)
    about = {"sha256": sha256, "name": path.name, "received_at": terms.received_at}
    try:
        export = read_export(path, _context(policy, ring, path, sha256, terms), Path(run.scratch) / sha256)
        _refuse_rotten(export, path.name, policy.brand.max_quarantine_share)
    except BadFileError as error:
        exported_at = terms.exported_at or terms.received_at
        raw = keep_raw(run, path, f"raw/unknown/{sha256}/{path.name}", ring)
        return Received(**about, raw=raw, outcome="refused", reason=str(error), exported_at=exported_at)
    raw = keep_raw(run, path, f"raw/{export.channel}/{sha256}/{path.name}", ring)
    return Received(**about, raw=raw, **_account(export), staged=_staged(export))


def keep_raw(run: Run, path: Path, key: str, ring: KeyRing) -> StoredFile:
    """The bytes as received, encrypted at rest; what stands there already is the same file."""
    objects = objects_at(run.lake)
    sealed = Path(run.scratch) / "raw.sealed"
    if objects.head(key) is None:
        encrypt_file(path, sealed, ring)
        objects.create_file(key, sealed)
        sealed.unlink()
    return StoredFile(path=key, bytes=_size(run, key), sha256=objects.sha256(key))


def _size(run: Run, key: str) -> int:
    meta = objects_at(run.lake).head(key)
    return meta.bytes if meta else 0


def _context(policy: Policy, ring: KeyRing, path: Path, sha256: str, terms: Terms) -> ReadContext:
    return ReadContext(
        file_sha256=sha256,
        name=path.name,
        received_at=terms.received_at,
        file_month=terms.file_month,
        zone=policy.brand.zone,
        currency=policy.brand.currency,
        pseudonymise=lambda key_type, scope, value: pseudonym_of(key_type, scope, value, ring),
        shops=policy.brand.shops,
        seal=lambda contacts: _sealed(contacts, terms.received_at, sha256, ring),
        shop_id=terms.shop,
        exported_at=terms.exported_at,
    )


def _refuse_rotten(export: Export, name: str, most: float) -> None:
    """A file with too many refused rows is damaged as a whole: its good rows are not to be trusted either."""
    if export.rows_read and export.rows_refused / export.rows_read > most:
        counts = export.frame("quarantine").group_by("rule").len().sort("len", "rule", descending=[True, False]).head(3)
        rules = ", ".join(f"{rule} ({count})" for rule, count in counts.iter_rows())
        raise BadFileError(
            f"{name}: {export.rows_refused} of {export.rows_read} rows are refused: {rules}",
            expected=f"at most {most:.1%} (max_quarantine_share of the brand)",
            next_step="export the file again, or correct it; nothing of it was taken",
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


def _sealed(contacts: pl.DataFrame, known_from: datetime, sha256: str, ring: KeyRing) -> pl.DataFrame:
    return seal(contacts, ring).with_columns(
        known_from=pl.lit(known_from), file_sha256=pl.lit(sha256), row_number=contacts.get_column("row_number")
    )
