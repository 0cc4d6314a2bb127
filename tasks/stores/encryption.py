"""A vendor's files locked to the vendor's key before they are hashed and published. What fails is refused, never clear.

Ciphertext is random, so a locked file is named by the SHA-256 of its bytes: two attempts at one revision write
two files, and the manifest that stands names one of them.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from tasks.errors import SecurityRefusedError
from tasks.policy.transport import Encryption
from tasks.stores.vendor_files import File

SUFFIXES: Final = (".age", ".pgp")


class Lock(NamedTuple):
    """How to lock a file, and by which keys the vendor knows that it can open it."""

    suffix: str
    key_ids: tuple[str, ...]
    seal: Callable[[bytes], bytes]


def lock_of(encryption: Encryption | None, send_on: date) -> Lock | None:
    """The lock that a vendor's profile asks for; None where files are not encrypted by us.

    Raises:
        SecurityRefusedError: a key that is invalid, expired or revoked, now or on the day of the send.
    """
    if encryption is None or encryption.kind == "sse":
        return None
    if encryption.valid_until and encryption.valid_until < max(send_on, datetime.now(UTC).date()):
        raise SecurityRefusedError(
            f"the vendor's key was valid until {encryption.valid_until}", expected="a key in force",
            next_step="ask the vendor for its new key; nothing goes out in clear instead",
        )  # fmt: skip
    return _age(encryption) if encryption.kind == "age" else _openpgp(encryption, send_on)


def locked(file: File, lock: Lock | None) -> File:
    """The file as it is stored: `part-00000-<sha256>.csv.age`; as it is where there is no lock."""
    if lock is None:
        return file
    sealed = file._replace(data=lock.seal(file.data))
    stem, _, ending = file.name.partition(".")
    return sealed._replace(name=f"{stem}-{sealed.sha256}.{ending}{lock.suffix}")


def is_locked(name: str) -> bool:
    """Whether a stored file is one of ours with its digest in its name."""
    return name.endswith(SUFFIXES)


def _age(encryption: Encryption) -> Lock:
    import pyrage  # noqa: PLC0415 - only where files are encrypted

    try:
        keys = [pyrage.x25519.Recipient.from_str(key) for key in encryption.recipients]
    except pyrage.RecipientError as error:
        raise SecurityRefusedError(
            f"the vendor's age key cannot be read: {error}", expected="`age1…` as `age-keygen` prints it",
            next_step="correct `encryption` of the vendor's profile; nothing goes out in clear instead",
        ) from error  # fmt: skip
    return Lock(".age", encryption.recipients, lambda data: bytes(pyrage.encrypt(data, keys)))


def _openpgp(encryption: Encryption, send_on: date) -> Lock:
    from tasks.stores.openpgp import encrypt_to, living_key  # noqa: PLC0415 - only where files are encrypted

    at = max(datetime.now(UTC), datetime(send_on.year, send_on.month, send_on.day, tzinfo=UTC))
    keys = tuple(living_key(key, at) for key in encryption.recipients)
    return Lock(".pgp", tuple(key.fingerprint for key in keys), lambda data: encrypt_to(keys, data))
