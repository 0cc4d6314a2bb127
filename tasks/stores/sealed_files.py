"""Whole files under one of the brand's keys: AES-256-GCM in pieces of one mebibyte, in constant memory.

A header (magic, key id, salt), then the pieces. Each file has a key of its own, from
the salt; a piece's number is its nonce, and the header and whether it is the last
are its associated data: pieces cannot be changed, dropped, moved or cut off.

The salt is a keyed digest of the content, so the same file under the same key gives
the same bytes: an ingest that comes twice finds its own object. What that tells a
thief, that two files are equal, the raw folder's names tell anyway.
"""

import hashlib
import hmac
from collections.abc import Iterator
from io import BufferedReader
from itertools import count
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.errors import BadFileError, DamagedError, SecurityRefusedError
from tasks.stores.ring import KEY_BYTES, Key, KeyRing
from tasks.stores.whole import write_whole

MAGIC: Final = b"STRATA\x00\x01"
PIECE_BYTES: Final = 1 << 20
SALT_BYTES: Final = 32
TAG_BYTES: Final = 16
NONCE_BYTES: Final = 12
OWNER_ALONE: Final = 0o600
HEADER_BYTES: Final = len(MAGIC) + 1 + 255 + SALT_BYTES
"""The longest header."""


def encrypt_file(source: Path, target: Path, key: Key) -> str:
    """Write the encrypted copy, whole or not at all, and return the SHA-256 of its bytes.

    Raises BadFileError when the source changes meanwhile: one salt must never serve two contents.
    """
    with source.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        return write_whole(target, _encrypted(file, content, key), OWNER_ALONE)


def decrypt_file(source: Path, target: Path, ring: KeyRing) -> str:
    """Write the file in clear, whole or not at all, and return the SHA-256 of its bytes.

    Raises:
        SecurityRefusedError: another key encrypted it.
        DamagedError: it was changed, cut off or lengthened, or is no encrypted file.
    """
    with source.open("rb") as file:
        return write_whole(target, _decrypted(file, ring), OWNER_ALONE)


def key_id_of(start: bytes) -> str:
    """Id of the key that encrypted a file, from its first HEADER_BYTES; empty for what is no encrypted file."""
    length = start[len(MAGIC)] if start.startswith(MAGIC) and len(start) > len(MAGIC) else 0
    return start[len(MAGIC) + 1 :][:length].decode(errors="replace")


def _encrypted(file: BufferedReader, content: bytes, key: Key) -> Iterator[bytes]:
    salt = hmac.digest(key.key, b"salt" + content, "sha256")
    header = _header(key.id, salt)
    aead, seen = AESGCM(_file_key(key, salt)), hashlib.sha256()
    yield header
    for number, (piece, is_last) in enumerate(_pieces(file, PIECE_BYTES)):
        seen.update(piece)
        yield aead.encrypt(_nonce(number), piece, _bound_to(header, is_last=is_last))
    if seen.digest() != content:
        raise BadFileError(
            f"{Path(file.name).name} changed while it was read",
            expected="a file that is complete",
            next_step="wait until its upload has ended, then ingest it again",
        )


def _decrypted(file: BufferedReader, ring: KeyRing) -> Iterator[bytes]:
    name = Path(file.name).name
    key, salt = _read_header(file, ring, name)
    header, aead = _header(key.id, salt), AESGCM(_file_key(key, salt))
    for number, (piece, is_last) in zip(count(), _pieces(file, PIECE_BYTES + TAG_BYTES), strict=False):
        try:
            yield aead.decrypt(_nonce(number), piece, _bound_to(header, is_last=is_last))
        except InvalidTag as error:
            raise _damaged(name, f"piece {number + 1} does not open") from error


def _header(key_id: str, salt: bytes) -> bytes:
    name = key_id.encode()
    return MAGIC + bytes([len(name)]) + name + salt


def _read_header(file: BufferedReader, ring: KeyRing, name: str) -> tuple[Key, bytes]:
    """Return key and salt; the key id is looked up here, so that a wrong ring is not called damage."""
    if file.read(len(MAGIC)) != MAGIC:
        raise _damaged(name, "it does not begin as an encrypted file does")
    length = file.read(1)
    key_id, salt = file.read(length[0] if length else 0), file.read(SALT_BYTES)
    if len(salt) != SALT_BYTES:
        raise _damaged(name, "it ends inside its header")
    if (key := ring.opening("file", key_id.decode(errors="replace"))) is None:
        raise SecurityRefusedError(
            f"{name} was encrypted with {key_id.decode(errors='replace')}, not with {ring.key_id}",
            expected="the ring that holds the key",
            next_step="set STRATA_KEY or STRATA_KEY_FILE, or restore the key file, of the brand that owns this lake",
        )
    return key, salt


def _file_key(key: Key, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"strata/1/one file").derive(key.key)


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "big")


def _bound_to(header: bytes, *, is_last: bool) -> bytes:
    return header + bytes([is_last])


def _pieces(file: BufferedReader, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the rest of a file in pieces and whether each is the last; an empty file is one empty piece."""
    piece = file.read(size)
    while following := file.read(size):
        yield piece, False
        piece = following
    yield piece, True


def _damaged(name: str, found: str) -> DamagedError:
    return DamagedError(
        f"{name} is damaged: {found}",
        expected="the bytes that were encrypted",
        next_step="run `strata verify`; restore the object, or ingest the export again",
    )
