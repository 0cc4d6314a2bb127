"""Where a brand's key ring is kept: a 0600 file, the environment, or whoever calls. What a ring is: ring.py.

The text found there is one secret (hex or base64), a ring's document, or such a document sealed under a
key of AWS KMS (kms.py). All three may stand in each place.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.settings import Settings
from tasks.stores.ring import (
    DEMO_BRANDS,
    DEMO_KEY_NAME,
    DEMO_SECRET,
    KEY_BYTES,
    KeyRing,
    demo_ring,
    format_of,
    holds_demo_keys,
    is_document,
    is_weak,
    named_ring,
    parse_ring,
)
from tasks.stores.whole import create_whole, write_whole

__all__ = [
    "DEMO_BRANDS",
    "DEMO_KEY_NAME",
    "DEMO_SECRET",
    "KEY_BYTES",
    "Keeper",
    "KeyRing",
    "making_no_key",
    "open_key_ring",
]

ENVELOPE: Final = "strata-envelope/1"
_OWNER_ALONE = 0o600
_HEX = re.compile(r"[0-9a-fA-F]+")
_MAKE_ONE = "make one with `openssl rand -hex 32`, keep it in a secret manager and set STRATA_KEY"


_PASSING: ContextVar[str] = ContextVar("passing_key", default="")


@contextmanager
def making_no_key() -> Iterator[None]:
    """While the block runs, a key file that is not there stays so: a key that is thrown away stands in its place."""
    token = _PASSING.set(secrets.token_hex(KEY_BYTES))
    try:
        yield
    finally:
        _PASSING.reset(token)


class Source(Protocol):
    """A place that keeps the text of a ring."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def look(self) -> str:
        """Return the text; empty when nothing is there."""
        ...

    def read(self) -> str:
        """Return the text, made now where this place makes one on first use."""
        ...

    def write(self, text: str) -> None:
        """Replace the text. Raises ConfigurationError where a person must do it."""
        ...


@dataclass(frozen=True)
class KeyFile:
    """A file of mode 0600, made on first use with 32 random bytes. Keep it outside the lake, and back it up."""

    path: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"the key file {self.path.name}"

    def look(self) -> str:
        """See Source."""
        return _read_file(self.path) if self.path.exists() else ""

    def read(self) -> str:
        """See Source; of two first users one makes it and both read it."""
        if not self.path.exists():
            if passing := _PASSING.get():
                return passing
            with suppress(FileExistsError):
                create_whole(self.path, [secrets.token_hex(KEY_BYTES).encode() + b"\n"], mode=_OWNER_ALONE)
        return _read_file(self.path)

    def write(self, text: str) -> None:
        """See Source."""
        write_whole(self.path, [text.encode()], _OWNER_ALONE)


@dataclass(frozen=True)
class Given:
    """A text that somebody hands over, such as the environment; only they can replace it."""

    text: str
    name: str = "STRATA_KEY"

    def look(self) -> str:
        """See Source."""
        return self.text

    def read(self) -> str:
        """See Source."""
        return self.text

    def write(self, text: str) -> None:
        """See Source."""
        del text  # it holds secrets: only who keeps them puts it there
        raise ConfigurationError(
            f"{self.name} cannot be written from here",
            expected="a place of keys that can: a key file or a Prefect Secret block",
            next_step="`strata keys rotate --out FILE` writes the new ring there; install it, then run this again",
        )


@dataclass(frozen=True)
class Keeper:
    """The ring of one brand, in the place where it is kept."""

    brand_code: str
    key_name: str
    source: Source | None
    settings: Settings

    def ring(self, *, may_make: bool = False) -> KeyRing:
        """Open the ring; a demo brand has the published one until its keys were rotated.

        A key file is made where none is and the caller says that nothing was named by one yet.

        Raises:
            SecurityRefusedError: a real brand asks for a published key, or the key file can be read by others.
            ConfigurationError: no key, one shorter than 32 bytes, not hex or base64, or not random.
        """
        if self.key_name == DEMO_KEY_NAME:
            return self._demo_ring()
        if self.source is None:
            raise ConfigurationError(
                f"brand {self.brand_code} has no key",
                expected=f"{KEY_BYTES} random bytes as hex or base64",
                next_step=_MAKE_ONE,
            )
        ring = self._parsed(self.source.read() if may_make else self._standing(self.source), self.source.name)
        if holds_demo_keys(ring):
            raise _published(self.brand_code, f"has a ring with a key of {DEMO_KEY_NAME}")
        return ring

    def save(self, ring: KeyRing) -> None:
        """Put a changed ring in its place, sealed as before; it is read back before this returns."""
        if self.source is None:
            raise ConfigurationError("there is no place for the ring", next_step="set STRATA_KEY_FILE")
        self.source.write(self.sealed(ring))
        if self._parsed(self.source.read(), self.source.name) != ring:
            raise ConfigurationError(
                f"{self.source.name} does not hold what was written to it",
                expected="one place of keys for one brand",
                next_step="see who else writes there, then run this again",
            )

    def sealed(self, ring: KeyRing) -> str:
        """The ring's document, under the same key of KMS as what stands there now."""
        standing = self.source.look() if self.source else ""
        if format_of(standing) != ENVELOPE:
            return ring.document()
        from tasks.stores import kms  # noqa: PLC0415  boto3 is slow to import

        return kms.wrap(ring.document(), kms.key_of(standing), self.brand_code, self.settings)

    def _standing(self, source: Source) -> str:
        """The text that is there: a key made now would name everybody otherwise than the lake does."""
        if not (text := source.look()):
            raise ConfigurationError(
                f"{source.name} is not there, and people of this lake were named by it",
                expected=f"the ring of brand {self.brand_code}",
                next_step="restore it from where the brand's keys are kept, or set STRATA_KEY or STRATA_KEY_FILE",
            )
        return text

    def _demo_ring(self) -> KeyRing:
        if self.brand_code not in DEMO_BRANDS:
            raise _published(self.brand_code, f"names the published key {DEMO_KEY_NAME}")
        text = self.source.look() if self.source else ""
        ring = self._parsed(text, self.source.name) if self.source and is_document(text) else demo_ring()
        return ring if ring.pseudonym[0] == demo_ring().pseudonym[0] else demo_ring()

    def _parsed(self, text: str, where: str) -> KeyRing:
        if format_of(text) == ENVELOPE:
            from tasks.stores import kms  # noqa: PLC0415  boto3 is slow to import

            return parse_ring(kms.unwrap(text, self.brand_code, self.settings), where)
        return parse_ring(text, where) if is_document(text) else named_ring(self.key_name, _decode(text, where))


def open_key_ring(brand_code: str, key_name: str, settings_key: str = "", key_file: Path | None = None) -> KeyRing:
    """The ring of a brand: the published demo key, else the key given, else the one in a key file; see Keeper."""
    source = Given(settings_key) if settings_key else KeyFile(key_file) if key_file else None
    return Keeper(brand_code, key_name, source, Settings()).ring(may_make=True)


def _published(brand_code: str, what: str) -> SecurityRefusedError:
    return SecurityRefusedError(
        f"brand {brand_code} {what}",
        expected=f"a key of its own; {DEMO_KEY_NAME} is for {' and '.join(sorted(DEMO_BRANDS))}",
        next_step=f"write another key_name in brand.yaml, then {_MAKE_ONE}",
    )


def _decode(text: str, where: str) -> bytes:
    key = _from_text(text.strip())
    if key is None or len(key) < KEY_BYTES:
        found = "is neither hex nor base64" if key is None else f"has only {len(key)} bytes"
        raise ConfigurationError(f"{where} {found}", expected=f"{KEY_BYTES} random bytes or more", next_step=_MAKE_ONE)
    if is_weak(key):
        raise ConfigurationError(
            f"{where} is not random", expected=f"{KEY_BYTES} random bytes or more", next_step=_MAKE_ONE
        )
    return key


def _from_text(text: str) -> bytes | None:
    """Bytes of hex or base64, in either alphabet, padded or not; what looks like hex is never taken for base64."""
    with suppress(binascii.Error, ValueError):
        if _HEX.fullmatch(text):
            return bytes.fromhex(text)
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    return None


def _read_file(path: Path) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, encoding="ascii", errors="replace") as file:
        _owned_alone(path, os.fstat(handle))
        return file.read()


def _owned_alone(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode) or mode & 0o077 or found.st_uid != os.geteuid():
        raise SecurityRefusedError(
            f"the key file {path.name} has mode {mode:04o} and owner {found.st_uid}",
            expected="a regular file of mode 0600, owned by the user that runs strata",
            next_step=f"chmod 600 {path.name}; if others could read it, treat the key as known to them",
        )
