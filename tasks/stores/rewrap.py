"""Re-wrapping: the same contacts and raw files under the keys now in force. What decides when is flows/rotation.py.

Nothing stands half-way: contacts change with one move of the snapshot, and a raw file is a new object
beside the old one, which goes when the lake names the new one. All keys of the ring open meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tasks.refs import StoredFile
from tasks.stores.failpoints import reach
from tasks.stores.objects import Objects
from tasks.stores.opener import Opener
from tasks.stores.raw import MARK, RawFile, raw_files
from tasks.stores.sealed_files import HEADER_BYTES, key_id_of
from tasks.stores.vault import Sealer

PREFIXES = "0123456789abcdef"
"""Pseudonyms are hex, so their first digit cuts the table into pieces that follow each other in its order."""


def contact_keys(contacts: pl.LazyFrame) -> dict[str, int]:
    """Id of each key to the number of contacts that it seals."""
    return dict(contacts.group_by("key_id").len().sort("key_id").collect().iter_rows())


def rewrapped(contacts: pl.LazyFrame, opener: Opener, sealer: Sealer) -> Iterator[pl.DataFrame]:
    """All rows in pieces, in order of key: those under another key than the sealer's anew, the rest as they are."""
    for prefix in PREFIXES:
        piece = contacts.filter(pl.col("pseudonym").str.starts_with(prefix)).collect()
        is_stale = pl.col("key_id") != sealer.contact_key.id
        yield pl.concat([piece.filter(~is_stale), _resealed(piece.filter(is_stale), opener, sealer)])


def _resealed(stale: pl.DataFrame, opener: Opener, sealer: Sealer) -> pl.DataFrame:
    """The same rows in the same order, with nonce, ciphertext and key id of the sealer."""
    sealed = sealer.seal(opener.contacts(stale))
    return stale.with_columns(sealed.get_columns()[2:]) if stale.height else stale


def raw_keys(objects: Objects) -> dict[str, list[RawFile]]:
    """Id of each key to the raw files of which an object stands under it."""
    found: dict[str, list[RawFile]] = {}
    for raw in raw_files(objects):
        for key_id in sorted({_key_id(objects, key) for key in raw.keys}):
            found.setdefault(key_id, []).append(raw)
    return found


def _key_id(objects: Objects, key: str) -> str:
    place = key.split("/")[2]
    return place.partition(MARK)[2] if MARK in place else key_id_of(objects.start(key, HEADER_BYTES))


def rewrap_raw(objects: Objects, raw: RawFile, opener: Opener, sealer: Sealer, scratch: Path) -> StoredFile:
    """The object of a raw file under the sealer's key, made now unless an earlier attempt made it.

    The same file under the same key gives the same bytes, and objects appear whole: what stands is right.
    """
    key = raw.under(sealer.file_key.id)
    reach("rewrap", "before")
    if key not in raw.keys:
        old, clear, new = scratch / "old", scratch / "clear", scratch / "new"
        objects.fetch(raw.key, old)
        opener.file(old, clear)
        sealer.encrypt_file(clear, new)
        objects.create_file(key, new)
        for path in (old, clear, new):
            path.unlink()
    reach("rewrap", "after")
    meta = objects.head(key)
    return StoredFile(path=key, bytes=meta.bytes if meta else 0, sha256=objects.sha256(key))


def superseded(objects: Objects, key_id: str) -> list[str]:
    """Objects of raw files that also stand under the key named: what an interrupted rotation left to delete."""
    return [
        key for raw in raw_files(objects) if raw.under(key_id) in raw.keys for key in raw.keys
        if key != raw.under(key_id)
    ]  # fmt: skip


def waiting_requests(objects: Objects) -> set[str]:
    """Ids of keys that seal requests for erasure which are still worked on; they go when those end."""
    sealed = (meta.key for meta in objects.list("forget/") if meta.key.endswith(".sealed"))
    return {key_id_of(objects.start(key, HEADER_BYTES)) for key in sealed}
