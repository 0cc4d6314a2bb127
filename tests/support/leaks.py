"""Search every place for people, decoding what is compressed, paged or sealed, in many spellings of each value.

A search of compressed bytes cannot fail, so it is none. Decoded are Parquet, zip (and so xlsx), gzip and
SQLite, one inside the other; with a key ring also sealed files and sealed contacts. Each value is sought as
it is, in base64 (wherever it begins), hex, percent and JSON escapes, UTF-16 and GB 18030.
"""

import base64
import gzip
import io
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tasks.stores.ring import KeyRing
from tasks.stores.sealed_files import MAGIC, decrypt_file
from tasks.stores.vault import bound_to

BATCH_BYTES = 32 << 20
DEEPEST = 5


def leaks_in(
    folder: Path, secrets: Iterable[str], apart: Iterable[Path] = (), ring: KeyRing | None = None
) -> dict[str, list[str]]:
    """Path below `folder` to the secrets that can be read there; empty when nobody can read any.

    Args:
        folder: where to look.
        secrets: values that must not be read.
        apart: folders below which nothing is searched.
        ring: the brand's keys, with which sealed files and contacts are opened.
    """
    sought, skipped = _Sought(secrets), tuple(apart)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_below(path, skipped)]
    texts = ((path, text) for path in files for text in _texts(path.read_bytes(), ring))
    found: dict[str, set[str]] = {}
    for batch in _batches(texts):
        for path, told in sought.in_batch(batch):
            found.setdefault(str(path.relative_to(folder)), set()).update(told)
    return {path: sorted(told) for path, told in sorted(found.items())}


def _is_below(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(folder in path.parents for folder in folders)


def _batches(texts: Iterable[tuple[Path, bytes]]) -> Iterator[list[tuple[Path, bytes]]]:
    batch: list[tuple[Path, bytes]] = []
    size = 0
    for path, text in texts:
        batch.append((path, text))
        size += len(text)
        if size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


class _Sought:
    """Secrets in every spelling; bytes are held as Latin-1 text, which Polars searches for all of them at once."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.spellings = {secret: spellings_of(secret) for secret in sorted(set(secrets)) if secret}
        self.patterns = sorted({form.decode("latin-1") for forms in self.spellings.values() for form in forms})

    def in_batch(self, batch: list[tuple[Path, bytes]]) -> Iterator[tuple[Path, list[str]]]:
        """Every text with a secret, and which."""
        if not batch or not self.patterns:
            return
        texts = pl.Series([text.decode("latin-1") for _, text in batch])
        for number in texts.str.contains_any(self.patterns).arg_true():
            path, text = batch[number]
            yield path, [secret for secret, forms in self.spellings.items() if any(form in text for form in forms)]


def spellings_of(secret: str) -> set[bytes]:
    """The bytes that stand for a value in what programs write."""
    plain = secret.encode()
    escaped = {json.dumps(secret)[1:-1].encode(), quote(secret, safe="").encode(), quote(secret).encode()}
    wide = {secret.encode(name) for name in ("utf-16-le", "utf-16-be", "gb18030")}
    return {plain, plain.hex().encode(), plain.hex().upper().encode(), *escaped, *wide, *_in_base64(plain)}


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """What base64 makes of a value wherever it begins: the characters that no neighbour changes."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\x00" * before + plain)
            first, last = -(-before * 4 // 3), (before + len(plain)) * 4 // 3
            yield coded[first + (1 if before else 0) : last]


def _texts(content: bytes, ring: KeyRing | None, depth: int = 0) -> Iterator[bytes]:
    """The bytes as they lie, and everything that they hold inside."""
    yield content
    if depth == DEEPEST:
        return
    for starts, decode in _DECODERS.items():
        if content.startswith(starts):
            for inner in decode(content):
                yield from _texts(inner, ring, depth + 1)
    if content.startswith(b"PAR1"):
        yield from _parquet(content, ring)
    if content.startswith(MAGIC) and ring is not None:
        yield from _texts(_unsealed(content, ring), ring, depth + 1)


def _gzip(content: bytes) -> Iterator[bytes]:
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(content)


def _zip(content: bytes) -> Iterator[bytes]:
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            yield member.filename.encode()
            with suppress(RuntimeError, zipfile.BadZipFile, zlib.error):
                yield archive.read(member)


def _sqlite(content: bytes) -> Iterator[bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "copy.db")
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as database:
            yield "\n".join(database.iterdump()).encode()


_DECODERS: dict[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"\x1f\x8b": _gzip, b"PK\x03\x04": _zip, b"SQLite format 3\x00": _sqlite,
}  # fmt: skip


def _parquet(content: bytes, ring: KeyRing | None) -> Iterator[bytes]:
    """All different values of every column, as text and as bytes; sealed contacts opened where there is a ring."""
    frame = pl.read_parquet(io.BytesIO(content), hive_partitioning=False)
    for name in frame.columns:
        yield from _column(frame[name])
    if ring is not None and {"pseudonym", "contact_type", "nonce", "ciphertext", "key_id"} <= set(frame.columns):
        yield "\n".join(_contacts(frame, ring)).encode()


def _column(values: pl.Series) -> Iterator[bytes]:
    while values.dtype.is_nested():
        values = values.explode() if isinstance(values.dtype, pl.List) else values.struct.json_encode()
    if values.dtype == pl.Binary:
        yield b"\n".join(values.drop_nulls())
    else:
        yield "\n".join(values.unique().cast(pl.String).drop_nulls()).encode()


def _contacts(rows: pl.DataFrame, ring: KeyRing) -> Iterator[str]:
    columns = ("key_id", "pseudonym", "contact_type", "nonce", "ciphertext")
    for key_id, pseudonym, contact_type, nonce, ciphertext in rows.select(columns).iter_rows():
        key = ring.opening("seal", key_id)
        with suppress(InvalidTag):
            if key is not None:
                yield AESGCM(key.key).decrypt(nonce, ciphertext, bound_to(pseudonym, contact_type)).decode()


def _unsealed(content: bytes, ring: KeyRing) -> bytes:
    with TemporaryDirectory() as folder:
        sealed, clear = Path(folder, "sealed"), Path(folder, "clear")
        sealed.write_bytes(content)
        decrypt_file(sealed, clear, ring)
        return clear.read_bytes()
