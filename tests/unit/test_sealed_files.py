"""An encrypted file gives back its bytes or nothing: never less, never others, never in another order."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import BadFileError, DamagedError, SecurityRefusedError, StrataError
from tasks.stores import sealed_files
from tasks.stores.keys import open_key_ring
from tasks.stores.sealed_files import MAGIC, PIECE_BYTES, SALT_BYTES, decrypt_file, encrypt_file

RING = open_key_ring("demo_cn", "demo-1")
OTHER = open_key_ring("acme", "acme-1", bytes(range(7, 39)).hex())
KEY = RING.in_force("file")
PIECE = 64
STORED_PIECE = PIECE + 16
HEADER = len(MAGIC) + 1 + len(RING.key_id) + SALT_BYTES


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces make a few hundred bytes span several of them."""
    monkeypatch.setattr(sealed_files, "PIECE_BYTES", PIECE)


@pytest.fixture
def stored(tmp_path: Path, small_pieces: None) -> Path:
    """A file of three full pieces and a part of a fourth, encrypted."""
    assert small_pieces is None
    (tmp_path / "clear").write_bytes(bytes(range(200)))
    encrypt_file(tmp_path / "clear", tmp_path / "stored", KEY)
    return tmp_path / "stored"


def pieces(path: Path) -> tuple[bytes, list[bytes]]:
    data = path.read_bytes()
    header, body = data[:HEADER], data[HEADER:]
    return header, [body[at : at + STORED_PIECE] for at in range(0, len(body), STORED_PIECE)]


def does_not_open(path: Path, data: bytes, kind: type[StrataError] = DamagedError) -> None:
    path.write_bytes(data)
    with pytest.raises(kind):
        decrypt_file(path, path.with_name("out"), RING)
    assert not path.with_name("out").exists()


@given(data=st.binary(max_size=4 * PIECE))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_encrypted_comes_back(data: bytes, tmp_path: Path, small_pieces: None) -> None:
    assert small_pieces is None
    (tmp_path / "clear").write_bytes(data)
    told = encrypt_file(tmp_path / "clear", tmp_path / "stored", KEY)
    assert told == hashlib.sha256((tmp_path / "stored").read_bytes()).hexdigest()
    assert decrypt_file(tmp_path / "stored", tmp_path / "out", RING) == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "out").read_bytes() == data


@pytest.mark.parametrize("size", [0, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_pieces_of_a_mebibyte_meet_at_their_edges(tmp_path: Path, size: int) -> None:
    data = (b"strata " * (size // 7 + 1))[:size]
    (tmp_path / "clear").write_bytes(data)
    encrypt_file(tmp_path / "clear", tmp_path / "stored", KEY)
    decrypt_file(tmp_path / "stored", tmp_path / "out", RING)
    assert (tmp_path / "out").read_bytes() == data
    assert b"strata " not in (tmp_path / "stored").read_bytes()


def test_the_same_file_gives_the_same_bytes_and_another_key_others(tmp_path: Path) -> None:
    (tmp_path / "clear").write_bytes(b"order_id,phone\n1,13900000000\n")
    told = [
        encrypt_file(tmp_path / "clear", tmp_path / name, ring.in_force("file"))
        for name, ring in [("a", RING), ("b", RING), ("c", OTHER)]
    ]
    assert told[0] == told[1] != told[2]
    assert b"13900000000" not in (tmp_path / "a").read_bytes()


def test_files_are_readable_by_their_owner_alone(stored: Path, tmp_path: Path) -> None:
    decrypt_file(stored, tmp_path / "out", RING)
    assert {path.stat().st_mode & 0o777 for path in (stored, tmp_path / "out")} == {0o600}


def test_every_single_flipped_byte_is_seen(stored: Path) -> None:
    data = stored.read_bytes()
    for at in range(len(data)):
        in_key_id = len(MAGIC) <= at <= len(MAGIC) + len(RING.key_id)
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        does_not_open(stored, flipped, SecurityRefusedError if in_key_id else DamagedError)


def test_every_truncation_is_seen(stored: Path) -> None:
    data = stored.read_bytes()
    for length in range(len(data)):
        does_not_open(stored, data[:length], StrataError)


def test_moved_dropped_repeated_or_added_pieces_are_seen(stored: Path) -> None:
    header, (one, two, three, last) = pieces(stored)
    for injured in ([two, one, three, last], [one, three, last], [one, two, two, three, last], [one, two, three]):
        does_not_open(stored, header + b"".join(injured))
    does_not_open(stored, header + one + two + three + last + last)
    does_not_open(stored, header + one + two + three + last + b"x")


def test_pieces_of_another_file_are_seen(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "clear").write_bytes(bytes(range(1, 201)))
    encrypt_file(tmp_path / "clear", tmp_path / "other", KEY)
    header, mine = pieces(stored)
    does_not_open(stored, header + pieces(tmp_path / "other")[1][0] + b"".join(mine[1:]))


def test_another_key_is_refused_by_name(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(SecurityRefusedError, match="encrypted with demo-1, not with acme-1"):
        decrypt_file(stored, tmp_path / "out", OTHER)


def test_a_file_in_clear_is_not_taken_for_an_encrypted_one(tmp_path: Path) -> None:
    (tmp_path / "clear").write_bytes(b"order_id,phone\n")
    with pytest.raises(DamagedError, match="does not begin"):
        decrypt_file(tmp_path / "clear", tmp_path / "out", RING)


def test_a_source_that_changes_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "clear"
    source.write_bytes(b"one")
    really = sealed_files._encrypted

    def late(*args: object) -> object:
        source.write_bytes(b"two")
        return really(*args)

    monkeypatch.setattr(sealed_files, "_encrypted", late)
    with pytest.raises(BadFileError, match="changed while it was read"):
        encrypt_file(source, tmp_path / "stored", KEY)
    assert not (tmp_path / "stored").exists()
