"""The vault: pseudonyms for every table, sealed contact values for one. Keys: keys.py; whole files: sealed_files.py.

A pseudonym cannot be undone without the brand's key; a sealed value can be opened
with it, which delivery alone does.
"""

import os
from collections.abc import Sequence
from typing import Final

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from polars_hash import CryptographicHashingNameSpace

from tasks.errors import DamagedError, SecurityRefusedError
from tasks.stores.keys import KeyRing, open_key_ring
from tasks.stores.sealed_files import decrypt_file, encrypt_file

SEPARATOR: Final = "\x1f"
NONCE_BYTES: Final = 12

__all__ = ["KeyRing", "decrypt_file", "encrypt_file", "open_key_ring", "pseudonym_of", "seal", "unseal"]


def pseudonym_of(key_type: str, key_scope: str, value: pl.Expr, ring: KeyRing) -> pl.Expr:
    """Hex HMAC-SHA256 of type, scope and normalised value; null stays null.

    Type and scope are inside, so the same digits as a phone and as a member id never meet.
    """
    named = pl.concat_str(pl.lit(f"{key_type}{SEPARATOR}{key_scope}{SEPARATOR}"), value)
    pseudonym: pl.Expr = CryptographicHashingNameSpace(named).hmac_sha256(key=ring.hmac_key)
    return pseudonym


def seal(contacts: pl.DataFrame, ring: KeyRing) -> pl.DataFrame:
    """One row per contact point: pseudonym, contact_type, nonce, ciphertext, key_id, in the order given.

    Takes pseudonym, contact_type and value; rows without a value are left out. Sealing the same value
    twice gives other bytes, so seal only what the vault does not hold yet.
    """
    known = contacts.select("pseudonym", "contact_type", "value").drop_nulls("value")
    aead = AESGCM(ring.aead_key)
    nonces = [os.urandom(NONCE_BYTES) for _ in range(known.height)]
    ciphertexts = [
        aead.encrypt(nonce, value.encode(), _bound_to(pseudonym, contact_type))
        for nonce, (pseudonym, contact_type, value) in zip(nonces, known.iter_rows(), strict=True)
    ]
    return known.select(
        "pseudonym",
        "contact_type",
        pl.Series("nonce", nonces, dtype=pl.Binary),
        pl.Series("ciphertext", ciphertexts, dtype=pl.Binary),
        pl.lit(ring.key_id).alias("key_id"),
    )


def unseal(sealed: pl.DataFrame, ring: KeyRing, columns: Sequence[str] = ("pseudonym", "contact_type")) -> pl.DataFrame:
    """One row per row given: the columns asked for, and the value in clear. For delivery alone.

    A null ciphertext, someone without this contact point, gives a null value.

    Raises:
        SecurityRefusedError: a row was sealed with another key.
        DamagedError: a row was changed, or its ciphertext moved to another person or kind of contact.
    """
    _must_be_ours(sealed, ring)
    aead = AESGCM(ring.aead_key)
    rows = sealed.select("pseudonym", "contact_type", "nonce", "ciphertext").iter_rows()
    values = [None if row[-1] is None else _open(aead, *row) for row in rows]
    return sealed.select(*columns, pl.Series("value", values, dtype=pl.String))


def _must_be_ours(sealed: pl.DataFrame, ring: KeyRing) -> None:
    foreign = sealed.filter(pl.col("ciphertext").is_not_null() & pl.col("key_id").ne_missing(ring.key_id))
    if foreign.height:
        raise SecurityRefusedError(
            f"{foreign.height} contacts were sealed with {foreign['key_id'][0]}, not with {ring.key_id}",
            expected="the key that sealed them",
            next_step="set STRATA_KEY, or restore the key file, of the brand that owns this lake",
        )


def _open(aead: AESGCM, pseudonym: str, contact_type: str, nonce: bytes, ciphertext: bytes) -> str:
    try:
        return aead.decrypt(nonce, ciphertext, _bound_to(pseudonym, contact_type)).decode()
    except (InvalidTag, ValueError) as error:
        raise DamagedError(
            f"the sealed {contact_type} of {pseudonym[:12]}… does not open",
            expected="the bytes that were sealed for this very person",
            next_step="run `strata verify`; restore the contacts table from a backup",
        ) from error


def _bound_to(pseudonym: str, contact_type: str) -> bytes:
    return f"{pseudonym}{SEPARATOR}{contact_type}".encode()
