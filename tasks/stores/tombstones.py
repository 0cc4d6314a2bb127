"""Marks of people who were forgotten: what an ingest compares keys and records with, so that nobody comes back.

A mark is AES-SIV under the brand's tombstone key, which does nothing else: the same key or record has the
same mark, and nothing of it can be read without that key. It can be undone with it, because a re-key of
pseudonyms must rename what was marked too (infra/adr/0008-erasure.md). It leads to no row of any table.
"""

from collections.abc import Callable, Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tasks.errors import ConfigurationError, DamagedError
from tasks.stores.ring import Key


def mark_of(text: str, key: Key | None) -> str:
    """The mark of a printed key or a record, in hex."""
    return _cipher(key).encrypt(text.encode(), None).hex()


def open_marks(marks: Iterable[str], key: Key | None) -> frozenset[str]:
    """Printed keys and records that marks stand for.

    Raises:
        DamagedError: a mark was changed, or made under another key.
    """
    cipher = _cipher(key)
    try:
        return frozenset(cipher.decrypt(bytes.fromhex(mark), None).decode() for mark in marks)
    except (InvalidTag, ValueError) as error:
        raise DamagedError(
            "a tombstone does not open",
            expected="marks made under this brand's tombstone key",
            next_step="restore the brand's key ring, then run `strata verify`",
        ) from error


def renamed_marks(marks: Iterable[str], rename: Callable[[str], str], key: Key | None) -> dict[str, str]:
    """Mark to the mark of what is meant under its new name: for a re-key of pseudonyms."""
    return {mark: mark_of(rename(text), key) for mark in marks for text in open_marks([mark], key)}


def _cipher(key: Key | None) -> AESSIV:
    if key is None:
        raise ConfigurationError(
            "the key ring has no tombstone key: it is one for analysis",
            expected="the brand's full ring",
            next_step="run this where the full ring is, or set STRATA_KEY or STRATA_KEY_FILE to it",
        )
    return AESSIV(key.key)
