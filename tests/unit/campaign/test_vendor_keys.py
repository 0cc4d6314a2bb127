"""A vendor's files locked to the vendor's key, opened as the vendor would; what may not be used is refused."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pyrage
import pytest
from pydantic import ValidationError

from tasks.errors import SecurityRefusedError
from tasks.policy.transport import Encryption
from tasks.stores.encryption import is_locked, lock_of, locked
from tasks.stores.vendor_files import File
from tests.support.gnupg import Ring, key_ring
from tests.support.vendor_client import with_age, with_gpg

TODAY = date(2026, 7, 1)
LONG_AGO = "20240101T000000!"
FILE = File("part-00000.csv", b"phone\n13900000001" * 1000, 1)


@pytest.fixture(scope="module")
def ring() -> Iterator[Ring]:
    with key_ring() as ring:
        yield ring


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def test_the_vendor_and_the_escrow_open_an_age_file(identity: pyrage.x25519.Identity) -> None:
    own = pyrage.x25519.Identity.generate()
    told = Encryption(kind="age", recipient=str(identity.to_public()), escrow=str(own.to_public()))
    lock = lock_of(told, TODAY)
    stored = locked(FILE, lock)
    assert with_age(identity)(stored.data) == with_age(own)(stored.data) == FILE.data
    assert stored.name == f"part-00000-{stored.sha256}.csv.age"
    assert lock is not None
    assert lock.key_ids == (str(identity.to_public()), str(own.to_public()))
    assert b"139" not in stored.data


def test_two_lockings_differ_and_say_the_same(identity: pyrage.x25519.Identity) -> None:
    lock = lock_of(Encryption(kind="age", recipient=str(identity.to_public())), TODAY)
    one, two = locked(FILE, lock), locked(FILE, lock)
    assert one.name != two.name
    assert with_age(identity)(one.data) == with_age(identity)(two.data)
    assert is_locked(one.name)
    assert not is_locked(FILE.name)


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]])
def test_a_spoilt_age_file_is_refused(identity: pyrage.x25519.Identity, spoil) -> None:
    stored = locked(FILE, lock_of(Encryption(kind="age", recipient=str(identity.to_public())), TODAY))
    with pytest.raises(pyrage.DecryptError):
        with_age(identity)(spoil(stored.data))


def test_another_vendor_opens_nothing(identity: pyrage.x25519.Identity) -> None:
    stored = locked(FILE, lock_of(Encryption(kind="age", recipient=str(identity.to_public())), TODAY))
    with pytest.raises(pyrage.DecryptError):
        with_age(pyrage.x25519.Identity.generate())(stored.data)


def test_gnupg_opens_an_openpgp_file_and_refuses_a_spoilt_one(ring: Ring) -> None:
    told = Encryption(kind="openpgp", recipient=ring.make("vendor@example.com", lasts="1y"))
    lock = lock_of(told, datetime.now(UTC).date())
    stored = locked(FILE, lock)
    assert with_gpg(ring.home)(stored.data) == FILE.data
    assert lock is not None
    assert lock.key_ids == (ring.fingerprint("vendor@example.com").lower(),)
    assert stored.name.endswith(".csv.pgp")
    for spoilt in (stored.data[:-20], stored.data[:-40] + b"!" + stored.data[-39:]):
        with pytest.raises(subprocess.CalledProcessError):
            with_gpg(ring.home)(spoilt)


def test_an_openpgp_key_that_is_expired_is_refused(ring: Ring) -> None:
    told = Encryption(kind="openpgp", recipient=ring.make("old@example.com", lasts="1d", made=LONG_AGO))
    with pytest.raises(SecurityRefusedError, match="expired on 2024-01-02"):
        lock_of(told, TODAY)


def test_a_key_that_ends_before_the_send_is_refused(ring: Ring) -> None:
    told = Encryption(kind="openpgp", recipient=ring.make("soon@example.com", lasts="1d"))
    with pytest.raises(SecurityRefusedError, match="expired on"):
        lock_of(told, datetime.now(UTC).date() + timedelta(days=9))


def test_a_revoked_key_is_refused(ring: Ring) -> None:
    ring.make("gone@example.com")
    (own,) = ring.home.glob(f"openpgp-revocs.d/{ring.fingerprint('gone@example.com')}.rev")
    ring.gpg("--import", given=own.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
    with pytest.raises(SecurityRefusedError, match="was revoked"):
        lock_of(Encryption(kind="openpgp", recipient=ring.public("gone@example.com")), TODAY)


def test_only_a_living_subkey_is_encrypted_to(ring: Ring) -> None:
    ring.make("sub@example.com", usage="sign,cert", made=LONG_AGO)
    own = ring.fingerprint("sub@example.com")
    ring.gpg("--faked-system-time", "20260101T000000!", "--quick-add-key", own, "cv25519", "encr", "1d")
    lock = lock_of(Encryption(kind="openpgp", recipient=ring.public("sub@example.com")), TODAY)
    with pytest.raises(SecurityRefusedError, match="No suitable encryption subkey"):
        locked(FILE, lock)
    ring.gpg("--quick-add-key", own, "cv25519", "encr", "1y")
    lock = lock_of(Encryption(kind="openpgp", recipient=ring.public("sub@example.com")), TODAY)
    assert with_gpg(ring.home)(locked(FILE, lock).data) == FILE.data


@pytest.mark.parametrize(
    ("told", "match"),
    [
        (Encryption(kind="age", recipient="age1nonsense"), "cannot be read"),
        (Encryption(kind="openpgp", recipient="nonsense"), "is no OpenPGP certificate"),
        (Encryption(kind="age", recipient="age1x", valid_until=date(2026, 6, 30)), "valid until 2026-06-30"),
    ],
)
def test_a_key_that_is_none_is_refused(told: Encryption, match: str) -> None:
    with pytest.raises(SecurityRefusedError, match=match):
        lock_of(told, TODAY)


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "age"},
        {"kind": "sse", "recipient": "age1x"},
        {"kind": "sse", "escrow": "age1x"},
        {"kind": "age", "escrow": "age1x"},
        {"kind": "age", "recipient": "AGE-SECRET-KEY-1ABC"},
        {"kind": "openpgp", "recipient": "-----BEGIN PGP PRIVATE KEY BLOCK-----"},
    ],
)
def test_a_profile_without_its_key_or_with_a_secret_one_is_refused(told: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Encryption.model_validate(told)


def test_nothing_is_locked_where_nothing_is_asked() -> None:
    assert lock_of(None, TODAY) is lock_of(Encryption(kind="sse"), TODAY) is None
    assert locked(FILE, None) == FILE
