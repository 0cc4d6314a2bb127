"""The key ring itself: which keys a brand has for what, and the document that holds several. keys.py finds it.

A ring begins as one secret of 32 bytes or more, from which every purpose has a key of its own (HKDF),
so that no key is used for two things. Once a key was rotated the ring is a JSON document with a list per
purpose. Lists are oldest first: the last key that is not retired is in force, the others still open.

Pseudonyms are a chain: HMAC under the second key of what the first one gave, and so on. A new key thus
renames what stands without knowing any plaintext (infra/adr/0007-keys.md).
"""

import json
import secrets
from datetime import date
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field, ValidationError, field_validator

from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.refs import Ref

FORMAT: Final = "strata-keys/1"
KEY_BYTES: Final = 32
FEWEST_DIFFERENT_BYTES: Final = 12
"""32 random bytes have fewer once in 10^17 times; typed ones usually do."""

DEMO_KEY_NAME: Final = "demo-1"
DEMO_BRANDS: Final = frozenset({"complete_journey", "demo_cn"})
DEMO_SECRET: Final = b"demo-1 is published: anyone can undo what it protects, so it is for invented people alone"

Rotated = Literal["seal", "file"]
ROTATED: Final[tuple[Rotated, ...]] = ("seal", "file")
"""The purposes whose keys rotate by re-wrapping."""


class Key(Ref):
    """One key for one purpose. Printing it shows the id alone."""

    id: str = Field(min_length=1, max_length=120, description="name and fingerprint; stands beside what it sealed")
    secret: str = Field(repr=False, pattern=r"^[0-9a-f]{64}$", description="32 bytes in hex")
    made_on: date | None = Field(default=None, description="null where the ring began with one secret")
    retired_on: date | None = Field(default=None, description="nothing that stands uses it since; it still opens")

    @field_validator("secret")
    @classmethod
    def _random(cls, secret: str) -> str:
        if is_weak(bytes.fromhex(secret)):
            raise ValueError("not random")
        return secret

    @property
    def key(self) -> bytes:
        """The key's bytes."""
        return bytes.fromhex(self.secret)


class KeyRing(Ref):
    """The keys of one brand by purpose, each list oldest first. A ring for analysis has pseudonym keys alone."""

    format: Literal["strata-keys/1"] = FORMAT
    pseudonym: tuple[Key, ...] = Field(min_length=1, description="the chain; a lake says how far along it is")
    seal: tuple[Key, ...] = Field(default=(), description="contact values, AES-256-GCM")
    file: tuple[Key, ...] = Field(default=(), description="raw files; every file has a key of its own from these")
    tombstone: Key | None = Field(default=None, description="marks of erased people; never changes")

    @property
    def key_id(self) -> str:
        """Id of the newest pseudonym key, by which people name the ring."""
        return self.pseudonym[-1].id

    def in_force(self, purpose: Rotated) -> Key:
        """The key that seals from now on. Raises ConfigurationError in a ring that has none."""
        standing = [key for key in self.keys(purpose) if key.retired_on is None]
        if not standing:
            raise ConfigurationError(
                f"the key ring {self.key_id} has no {purpose} key: it is one for analysis",
                expected="the brand's full ring",
                next_step="run this where the full ring is, or set STRATA_KEY or STRATA_KEY_FILE to it",
            )
        return standing[-1]

    def keys(self, purpose: Rotated) -> tuple[Key, ...]:
        """All keys of a purpose, the retired ones too."""
        return self.seal if purpose == "seal" else self.file

    def opening(self, purpose: Rotated, key_id: str) -> Key | None:
        """The key of that id; None for one that this ring does not hold."""
        return next((key for key in self.keys(purpose) if key.id == key_id), None)

    def chain(self, key_id: str | None = None) -> tuple[Key, ...]:
        """The pseudonym keys up to the one named, or all.

        Raises:
            SecurityRefusedError: the ring has no such key, so it would name everybody otherwise than the lake does.
        """
        ids = [key.id for key in self.pseudonym]
        if key_id is None:
            return self.pseudonym
        if key_id not in ids:
            raise SecurityRefusedError(
                f"the lake's pseudonyms are of key {key_id}, and this ring has {', '.join(ids)}",
                expected="the ring of the brand that owns this lake",
                next_step="set STRATA_KEY or STRATA_KEY_FILE, or restore the key file, of that brand",
            )
        return self.pseudonym[: ids.index(key_id) + 1]

    def document(self) -> str:
        """The ring as JSON, with its secrets: for the place where keys are kept, and nowhere else."""
        return self.model_dump_json(indent=1, exclude_none=True) + "\n"

    def for_analysis(self) -> "KeyRing":
        """The ring with pseudonym keys alone: it can find people by their numbers, and open nothing."""
        return KeyRing(pseudonym=self.pseudonym)


def ring_of_one(key_id: str, secret: bytes) -> KeyRing:
    """The ring that follows from one secret."""
    key = {
        purpose: Key(id=key_id, secret=_derived(secret, name).hex())
        for purpose, name in (("pseudonym", "pseudonym"), ("seal", "contact"), ("file", "file"))
    }
    tombstone = Key(id=key_id, secret=_derived(secret, "tombstone").hex())
    return KeyRing(pseudonym=(key["pseudonym"],), seal=(key["seal"],), file=(key["file"],), tombstone=tombstone)


def named_ring(key_name: str, secret: bytes) -> KeyRing:
    """The ring of a brand's one secret; another secret under the same name has another id."""
    return ring_of_one(_id(key_name, secret), secret)


def demo_ring() -> KeyRing:
    """The published ring of the demo's brands."""
    return ring_of_one(DEMO_KEY_NAME, DEMO_SECRET)


def new_key(key_name: str, made_on: date) -> Key:
    """A fresh key of 32 random bytes."""
    secret = secrets.token_bytes(KEY_BYTES)
    return new_key(key_name, made_on) if is_weak(secret) else Key(
        id=_id(key_name, secret), secret=secret.hex(), made_on=made_on
    )  # fmt: skip


def is_document(text: str) -> bool:
    """Whether a text is meant as JSON and not as hex or base64."""
    return text.lstrip().startswith("{")


def parse_ring(text: str, where: str) -> KeyRing:
    """Read a ring's document.

    Raises:
        ConfigurationError: no such document, or two keys of one purpose with one id. Nothing of it is shown.
    """
    try:
        ring = KeyRing.model_validate_json(text)
    except ValidationError as error:
        faults = {".".join(map(str, fault["loc"])) or "the document" for fault in error.errors(include_input=False)}
        raise _unreadable(where, f"cannot be read at {', '.join(sorted(faults))}") from None
    for name in ("pseudonym", "seal", "file"):
        ids = [key.id for key in getattr(ring, name)]
        if len(set(ids)) != len(ids):
            raise _unreadable(where, f"has two {name} keys of one id")
    return ring


def format_of(text: str) -> str:
    """What a JSON document says it is; empty when it does not."""
    try:
        told = json.loads(text)
    except ValueError:
        return ""
    return str(told.get("format", "")) if isinstance(told, dict) else ""


def holds_demo_keys(ring: KeyRing) -> bool:
    """Whether any key of the ring is a published one."""
    published = {key.secret for key in _every(demo_ring())}
    return any(key.secret in published for key in _every(ring))


def is_weak(secret: bytes) -> bool:
    """Whether a secret is plainly not random."""
    return len(set(secret)) < FEWEST_DIFFERENT_BYTES or secret == DEMO_SECRET


def _every(ring: KeyRing) -> tuple[Key, ...]:
    return (*ring.pseudonym, *ring.seal, *ring.file, *((ring.tombstone,) if ring.tombstone else ()))


def _unreadable(where: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where} {what}",
        expected=f"a key ring, {FORMAT}, as `strata keys rotate` writes it",
        next_step="restore it from where the brand's keys are kept",
    )


def _id(key_name: str, secret: bytes) -> str:
    return f"{key_name}.{_derived(secret, 'fingerprint', 4).hex()}"


def _derived(secret: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"strata/1/{purpose}".encode()).derive(secret)
