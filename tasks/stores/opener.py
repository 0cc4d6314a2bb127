"""The vault's inside: opens sealed contacts and raw files, for a declared purpose, after it was written down.

Delivery, the officers' commands and the rotation of keys import this, and no other code does: a test
reads the imports. What seals is in vault.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tasks.errors import DamagedError, SecurityRefusedError
from tasks.stores.access_log import EVERY_TYPE, Purpose, record_access
from tasks.stores.objects import Objects
from tasks.stores.ring import KeyRing
from tasks.stores.sealed_files import HEADER_BYTES, decrypt_file, key_id_of
from tasks.stores.vault import bound_to

COLUMNS = ("pseudonym", "contact_type")
FILE = "file"
_BATCH = 50_000
"""Values whose ciphertexts are Python objects at once."""


@dataclass
class Opener:
    """Opens what its purpose names, in all no more than it declares, and nothing else."""

    ring: KeyRing
    log: Objects = field(repr=False)
    """The store whose access log is written, the lake's own."""
    purpose: Purpose
    opened: int = 0

    def contacts(self, sealed: pl.DataFrame, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
        """One row per row given: the columns asked for, and the value in clear.

        A null ciphertext, someone without this contact point, gives a null value.

        Raises:
            SecurityRefusedError: more rows or another kind than declared, or sealed with a key that the ring lacks.
            DamagedError: a row was changed, or its ciphertext moved to another person or kind of contact.
        """
        present = sealed.drop_nulls("ciphertext")
        self._must_be_declared(present.height, present["contact_type"].unique().to_list())
        aeads = self._aeads(present)
        if present.height:
            record_access(self.log, self.purpose, present.height, tuple(sorted(aeads)))
        values = [_opened(batch, aeads) for batch in sealed.iter_slices(_BATCH)]
        return sealed.select(*columns, pl.concat([pl.Series("value", [], dtype=pl.String), *values]))

    def file(self, source: Path, target: Path) -> str:
        """Write a raw file in clear, whole or not at all, and return the SHA-256 of its bytes.

        Raises:
            SecurityRefusedError: the purpose names no files, or the ring lacks the key.
            DamagedError: it was changed, cut off or lengthened, or is no encrypted file.
        """
        self._must_be_declared(1, [FILE])
        with source.open("rb") as file:
            key_id = key_id_of(file.read(HEADER_BYTES))
        record_access(self.log, self.purpose, 1, (key_id,))
        return decrypt_file(source, target, self.ring)

    def _must_be_declared(self, count: int, kinds: Sequence[str]) -> None:
        allowed = self.purpose.contact_type
        others = sorted(kind for kind in kinds if kind != allowed and (allowed != EVERY_TYPE or kind == FILE))
        self.opened += count
        if others or self.opened > self.purpose.most:
            raise SecurityRefusedError(
                f"{self.purpose.what} would open {self.opened} values{f' of kind {others[0]}' if others else ''}",
                expected=f"at most {self.purpose.most} of kind {allowed}, as declared",
                next_step="declare what is needed, or ask for less",
            )

    def _aeads(self, present: pl.DataFrame) -> dict[str, AESGCM]:
        """Id to cipher of every key that sealed one of these rows."""
        ids = present["key_id"].unique().to_list()
        keys = {key_id: self.ring.opening("seal", key_id) for key_id in ids}
        if foreign := sorted(str(key_id) for key_id, key in keys.items() if key is None):
            count = present.filter(pl.col("key_id").is_in(foreign)).height
            raise SecurityRefusedError(
                f"{count} contacts were sealed with {foreign[0]}, not with {self.ring.key_id}",
                expected="a ring that holds the key that sealed them",
                next_step="set STRATA_KEY or STRATA_KEY_FILE of the brand that owns this lake, or restore its key file",
            )
        return {key_id: AESGCM(key.key) for key_id, key in keys.items() if key is not None}


def _opened(sealed: pl.DataFrame, aeads: Mapping[str, AESGCM]) -> pl.Series:
    """The values of one batch, in order."""
    names = ("key_id", "pseudonym", "contact_type", "nonce", "ciphertext")
    rows = zip(*(sealed[name].to_list() for name in names), strict=True)
    values = [None if row[-1] is None else _open(aeads[row[0]], *row[1:]) for row in rows]
    return pl.Series("value", values, dtype=pl.String)


def _open(aead: AESGCM, pseudonym: str, contact_type: str, nonce: bytes, ciphertext: bytes) -> str:
    try:
        return aead.decrypt(nonce, ciphertext, bound_to(pseudonym, contact_type)).decode()
    except (InvalidTag, ValueError) as error:
        raise DamagedError(
            f"the sealed {contact_type} of {pseudonym[:12]}… does not open",
            expected="the bytes that were sealed for this very person",
            next_step="run `strata verify`; restore the contacts table from a backup",
        ) from error
