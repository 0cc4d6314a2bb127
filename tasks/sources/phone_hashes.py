"""Phones as some vendors name them: a plain MD5 or SHA-256 of the digits, matched by hashing ours the same way.

Such a hash protects nobody (every number can be tried in minutes), so it is treated as the phone itself: it is
read, made a keyed pseudonym, and forgotten.
"""

import polars as pl
from polars_hash import CryptographicHashingNameSpace, NonCryptographicHashingNameSpace

from tasks.sources.layouts import Cell
from tasks.sources.plain import NOTHING, PLAIN, TEXT, VALUE, bare

_HEX = r"^[0-9a-f]{32}$|^[0-9a-f]{64}$"
_HASHES = {
    "phone_md5": lambda digits: NonCryptographicHashingNameSpace(digits).md5(),
    "phone_sha256": lambda digits: CryptographicHashingNameSpace(digits).sha2_256(),
}


def read_hash(cells: pl.DataFrame, _cell: Cell, _zone: str) -> pl.DataFrame:
    """The hex digits of an MD5 or SHA-256, in lower case; anything else is null, with the note `unreadable`."""
    folded = bare(TEXT).str.to_lowercase()
    hashed = cells.with_columns(plain=folded).with_columns(value=pl.when(PLAIN.str.contains(_HEX)).then(PLAIN))
    unread = pl.when(PLAIN.is_not_null() & VALUE.is_null()).then(pl.lit("unreadable"))
    return hashed.with_columns(note=unread, fault=NOTHING)


def hashed_phones(phones: pl.DataFrame, key_type: str) -> pl.DataFrame:
    """One row per row of `phones`, in order: `value` hashed as a vendor does, `key_type` that of the hash."""
    return phones.with_columns(value=_HASHES[key_type](VALUE), key_type=pl.lit(key_type))
