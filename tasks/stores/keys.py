"""The brand's key ring: where its secret comes from and what is derived from it. Nothing is sealed here.

One secret of 32 bytes or more per brand; every purpose has a key of its own, derived
by HKDF, so that no key is used for two things.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.stores.whole import create_whole

DEMO_KEY_NAME: Final = "demo-1"
DEMO_BRANDS: Final = frozenset({"complete_journey", "demo_cn"})
DEMO_SECRET: Final = b"demo-1 is published: anyone can undo what it protects, so it is for invented people alone"

KEY_BYTES: Final = 32
_FEWEST_DIFFERENT_BYTES = 12  # 32 random bytes have fewer once in 10^17 times; typed ones usually do
_HEX = re.compile(r"[0-9a-fA-F]+")
_MAKE_ONE = "make one with `openssl rand -hex 32`, keep it in a secret manager and set STRATA_KEY"


@dataclass(frozen=True)
class KeyRing:
    """The keys of one brand, one per purpose. Printing it shows the id alone."""

    key_id: str
    """Name and fingerprint: another secret under the same name has another id."""
    hmac_key: str = field(repr=False)
    """Key of pseudonyms: 64 hex digits, which are the key's bytes as they stand (polars-hash takes text)."""
    aead_key: bytes = field(repr=False)
    """Key of contact values, AES-256-GCM."""
    file_key: bytes = field(repr=False)
    """Key from which every stored file's own key comes."""


def open_key_ring(brand_code: str, key_name: str, settings_key: str = "", key_file: Path | None = None) -> KeyRing:
    """The ring of a brand: the published demo key, else the key in the settings, else the one in a key file.

    The key file is made on first use, with 32 random bytes, readable by its owner alone. Keep it outside
    the lake, and back it up: without it no contact can be unsealed and no pseudonym found again.

    Raises:
        SecurityRefusedError: a real brand asks for the published key, or the key file can be read by others.
        ConfigurationError: no key, one shorter than 32 bytes, not hex or base64, or not random.
    """
    if key_name == DEMO_KEY_NAME:
        _only_for_demos(brand_code)
        return _derive(DEMO_KEY_NAME, DEMO_SECRET)
    if settings_key:
        return _named(key_name, _decode(settings_key, "STRATA_KEY"))
    if key_file:
        return _named(key_name, _decode(_read_key_file(key_file), f"the key file {key_file.name}"))
    raise ConfigurationError(
        f"brand {brand_code} has no key", expected=f"{KEY_BYTES} random bytes as hex or base64", next_step=_MAKE_ONE
    )


def _only_for_demos(brand_code: str) -> None:
    if brand_code not in DEMO_BRANDS:
        raise SecurityRefusedError(
            f"brand {brand_code} names the published key {DEMO_KEY_NAME}",
            expected=f"a key of its own; {DEMO_KEY_NAME} is for {' and '.join(sorted(DEMO_BRANDS))}",
            next_step=f"write another key_name in brand.yaml, then {_MAKE_ONE}",
        )


def _decode(text: str, where: str) -> bytes:
    key = _from_text(text.strip())
    if key is None or len(key) < KEY_BYTES:
        found = "is neither hex nor base64" if key is None else f"has only {len(key)} bytes"
        raise ConfigurationError(f"{where} {found}", expected=f"{KEY_BYTES} random bytes or more", next_step=_MAKE_ONE)
    if len(set(key)) < _FEWEST_DIFFERENT_BYTES or key == DEMO_SECRET:
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


def _read_key_file(path: Path) -> str:
    """The text of the key file, made now if there is none; of two first users one makes it and both read it."""
    if not path.exists():
        with suppress(FileExistsError):
            create_whole(path, [secrets.token_hex(KEY_BYTES).encode() + b"\n"], mode=0o600)
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


def _named(key_name: str, secret: bytes) -> KeyRing:
    return _derive(f"{key_name}.{_purpose(secret, 'fingerprint', 4).hex()}", secret)


def _derive(key_id: str, secret: bytes) -> KeyRing:
    return KeyRing(
        key_id=key_id,
        hmac_key=_purpose(secret, "pseudonym").hex(),
        aead_key=_purpose(secret, "contact"),
        file_key=_purpose(secret, "file"),
    )


def _purpose(secret: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"strata/1/{purpose}".encode()).derive(secret)
