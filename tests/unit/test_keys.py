"""Where a brand's key comes from, and which keys are refused."""

import base64
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.settings import Settings
from tasks.stores.keys import DEMO_SECRET, KeyRing, making_no_key, open_key_ring
from tasks.stores.vault import Pseudonymiser, Sealer

SECRET = bytes(range(7, 39))


@pytest.mark.parametrize("brand", ["complete_journey", "demo_cn"])
def test_the_demo_brands_share_the_published_key(brand: str) -> None:
    ring = open_key_ring(brand, "demo-1")
    assert ring.key_id == "demo-1"
    assert ring == open_key_ring("demo_cn", "demo-1", settings_key=SECRET.hex())


@pytest.mark.parametrize("brand", ["acme", "Demo_cn", "demo_cn2", ""])
def test_any_other_brand_is_refused_the_published_key(brand: str) -> None:
    with pytest.raises(SecurityRefusedError, match="openssl rand -hex 32") as refusal:
        open_key_ring(brand, "demo-1", settings_key=SECRET.hex())
    assert refusal.value.exit_code == 4


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper(),
        f" {SECRET.hex()}\n",
        base64.b64encode(SECRET).decode(),
        base64.b64encode(SECRET).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET).decode(),
    ],
)
def test_a_key_is_hex_or_base64(text: str) -> None:
    assert open_key_ring("acme", "acme-1", text) == open_key_ring("acme", "acme-1", SECRET.hex())


@given(st.binary(min_size=48, max_size=80).filter(lambda key: len(set(key)) >= 12))
def test_both_spellings_of_a_key_are_one_key(key: bytes) -> None:
    assert open_key_ring("acme", "k", key.hex()) == open_key_ring("acme", "k", base64.b64encode(key).decode())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("demo-1", "only 4 bytes"),
        ("changeme!", "neither hex nor base64"),
        (SECRET.hex()[:62], "only 31 bytes"),
        ("abc", "neither hex nor base64"),
        ("00" * 32, "not random"),
        ("0123456789abcdef" * 4, "not random"),
        (base64.b64encode(DEMO_SECRET).decode(), "not random"),
    ],
)
def test_a_weak_key_is_refused_and_not_shown(text: str, found: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        open_key_ring("acme", "acme-1", text)
    assert found in str(refusal.value)
    assert text not in str(refusal.value)


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="brand acme has no key"):
        open_key_ring("acme", "acme-1")


def test_a_key_file_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys/acme.key"
    first = open_key_ring("acme", "acme-1", key_file=path)
    assert open_key_ring("acme", "acme-1", key_file=path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_key_ring("acme", "acme-1", path.read_text()) == first


def test_many_first_users_make_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: open_key_ring("acme", "acme-1", key_file=tmp_path / "key"), range(8)))
    assert len({ring.pseudonym for ring in rings}) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    open_key_ring("acme", "acme-1", key_file=path)
    path.chmod(mode)
    with pytest.raises(SecurityRefusedError, match="chmod 600 key"):
        open_key_ring("acme", "acme-1", key_file=path)


def test_a_cut_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET.hex()[:40])
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="the key file key has only 20 bytes"):
        open_key_ring("acme", "acme-1", key_file=path)


def test_every_purpose_and_every_brand_has_a_key_of_its_own() -> None:
    ring, other = (open_key_ring("acme", "acme-1", secrets.token_hex(32)) for _ in range(2))
    assert ring.tombstone is not None
    keys = [key.key for key in (*ring.pseudonym, *ring.seal, *ring.file, ring.tombstone)]
    assert {len(key) for key in keys} == {32}
    assert len(set(keys)) == 4
    assert ring.key_id != other.key_id


def test_printing_shows_the_id_alone() -> None:
    ring = open_key_ring("acme", "acme-1", SECRET.hex())
    assert ring.key_id.startswith("acme-1.")
    assert ring.key_id in repr(ring)
    for shown in (repr(ring), str(ring), repr(Sealer.of(ring)), repr(Pseudonymiser.of(ring))):
        assert [key.secret for key in (*ring.pseudonym, *ring.seal, *ring.file) if key.secret in shown] == []


def test_printing_the_settings_shows_no_secret() -> None:
    hidden = {"key": "canary", "s3_secret_access_key": "canary"}
    assert "canary" not in repr(Settings(**hidden))


def test_a_key_stays_what_it_was() -> None:
    """Pinned: another derivation would orphan every pseudonym that was ever written."""
    ring = open_key_ring("acme", "acme-1", SECRET.hex())
    assert isinstance(ring, KeyRing)
    assert (ring.key_id, ring.pseudonym[0].secret[:16]) == ("acme-1.0ac52836", "17ad9c77c811b74b")
    assert (ring.seal[0].secret[:16], ring.file[0].secret[:16]) == ("85670f5a5d7b4e37", "c89bcd95c63d7a08")


def test_while_no_key_is_made_one_that_is_thrown_away_stands_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "acme.key"
    with making_no_key():
        passing = [open_key_ring("acme", "acme-1", key_file=file) for _ in range(2)]
        assert not file.exists()
    made = open_key_ring("acme", "acme-1", key_file=file)
    assert passing[0] == passing[1] != made
    with making_no_key():
        assert open_key_ring("acme", "acme-1", key_file=file) == made
