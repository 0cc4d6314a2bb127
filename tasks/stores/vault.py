"""The vault's outside: pseudonyms for every table, sealed contact values for one. Opening: opener.py; keys: ring.py.

Whoever reads exports holds a Pseudonymiser and a Sealer. Neither can open anything again.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from polars_hash import CryptographicHashingNameSpace

from tasks.stores.keys import KeyRing, open_key_ring
from tasks.stores.ring import Key
from tasks.stores.sealed_files import encrypt_file

SEPARATOR: Final = "\x1f"
NONCE_BYTES: Final = 12

__all__ = ["KeyRing", "Pseudonymiser", "Sealer", "bound_to", "open_key_ring", "pseudonym_of"]


@dataclass(frozen=True)
class Pseudonymiser:
    """Gives values their pseudonyms, under the chain of keys that a lake has come to."""

    key_id: str
    """Id of the newest key of the chain."""
    secrets: tuple[str, ...] = field(repr=False)
    """Keys in hex, which are the keys' bytes as they stand (polars-hash takes text); the first names the value."""

    @classmethod
    def of(cls, ring: KeyRing, key_id: str | None = None) -> Self:
        """The chain up to the key named, or all of it; raises as KeyRing.chain does."""
        chain = ring.chain(key_id)
        return cls(chain[-1].id, tuple(key.secret for key in chain))

    def __call__(self, key_type: str, key_scope: str, value: pl.Expr) -> pl.Expr:
        """Hex HMAC-SHA256 of type, scope and normalised value; null stays null.

        Type and scope are inside, so the same digits as a phone and as a member id never meet.
        """
        named = pl.concat_str(pl.lit(f"{key_type}{SEPARATOR}{key_scope}{SEPARATOR}"), value)
        return renamed(named, self.secrets)

    @property
    def digest_key(self) -> bytes:
        """The brand's secret for digests that nobody may test a guess against; a re-key leaves it as it is."""
        return self.secrets[0].encode()


def renamed(pseudonym: pl.Expr, secrets: tuple[str, ...]) -> pl.Expr:
    """Hex pseudonyms under further keys of the chain, in order; null stays null."""
    for secret in secrets:
        pseudonym = CryptographicHashingNameSpace(pseudonym).hmac_sha256(key=secret)
    return pseudonym


def pseudonym_of(key_type: str, key_scope: str, value: pl.Expr, ring: KeyRing) -> pl.Expr:
    """The pseudonym under all keys of a ring's chain."""
    return Pseudonymiser.of(ring)(key_type, key_scope, value)


@dataclass(frozen=True)
class Sealer:
    """Seals contact values and raw files under the keys in force."""

    contact_key: Key
    file_key: Key

    @classmethod
    def of(cls, ring: KeyRing) -> Self:
        """Raises ConfigurationError for a ring that is for analysis."""
        return cls(ring.in_force("seal"), ring.in_force("file"))

    def seal(self, contacts: pl.DataFrame) -> pl.DataFrame:
        """One row per contact point: pseudonym, contact_type, nonce, ciphertext, key_id, in the order given.

        Takes pseudonym, contact_type and value; rows without a value are left out. Sealing the same value
        twice gives other bytes, so seal only what the vault does not hold yet.
        """
        known = contacts.select("pseudonym", "contact_type", "value").drop_nulls("value")
        aead = AESGCM(self.contact_key.key)
        nonces = [os.urandom(NONCE_BYTES) for _ in range(known.height)]
        ciphertexts = [
            aead.encrypt(nonce, value.encode(), bound_to(pseudonym, contact_type))
            for nonce, (pseudonym, contact_type, value) in zip(nonces, known.iter_rows(), strict=True)
        ]
        return known.select(
            "pseudonym",
            "contact_type",
            pl.Series("nonce", nonces, dtype=pl.Binary),
            pl.Series("ciphertext", ciphertexts, dtype=pl.Binary),
            pl.lit(self.contact_key.id).alias("key_id"),
        )

    def encrypt_file(self, source: Path, target: Path) -> str:
        """Write the encrypted copy of a file and return its SHA-256; see sealed_files.py."""
        return encrypt_file(source, target, self.file_key)


def bound_to(pseudonym: str, contact_type: str) -> bytes:
    """What a sealed value belongs to: it opens for this person and kind of contact alone."""
    return f"{pseudonym}{SEPARATOR}{contact_type}".encode()
