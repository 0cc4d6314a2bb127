"""Rotation: everything under new keys, readable all the while; killed anywhere and run again, it ends the same."""

import os
import signal
from pathlib import Path

import pytest

from flows import rotation
from flows.keys import access_log, show_keys
from flows.verify import verify
from tasks.errors import ConfigurationError
from tasks.steps.house import lake_at, objects_at
from tasks.stores.access_log import Purpose
from tasks.stores.opener import FILE, Opener
from tasks.stores.raw import raw_files
from tasks.stores.rewrap import raw_keys
from tests.support.kills import places
from tests.support.strata import strata
from tests.support.vaults import EXPORTS, PHONES, Vaulted, found


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Vaulted:
    return found(tmp_path_factory.mktemp("vault") / "house")


@pytest.fixture
def vaulted(founded: Vaulted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vaulted:
    """A copy of the lake of one's own, and its settings in the environment."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    for name in ("STRATA_KEY", "STRATA_KEY_FILE", "STRATA_KEY_BLOCK"):
        monkeypatch.delenv(name, raising=False)
    return founded.copied(tmp_path / "house")


def exports(vaulted: Vaulted, folder: Path) -> dict[str, bytes]:
    """Every raw file in clear, by name."""
    folder.mkdir(exist_ok=True)
    read = {}
    for raw in raw_files(vaulted.objects):
        purpose = Purpose(role="test", what="a look", contact_type=FILE, most=1)
        vaulted.objects.fetch(raw.key, folder / "sealed")
        Opener(vaulted.keeper.ring(), objects_at(str(folder / "aside")), purpose).file(
            folder / "sealed", folder / "clear"
        )
        read[raw.name] = (folder / "clear").read_bytes()
    return read


def assert_rotated(vaulted: Vaulted, old: str, folder: Path) -> None:
    """Everything opens, under keys that are not the old one, and nothing lies twice or unrecorded."""
    ring = vaulted.keeper.ring()
    assert vaulted.phones() == sorted(PHONES)
    assert exports(vaulted, folder) == EXPORTS
    assert set(vaulted.rows("contacts")["key_id"]) == {ring.in_force("seal").id}
    assert set(raw_keys(vaulted.objects)) == {ring.in_force("file").id}
    assert old not in {ring.in_force("seal").id, ring.in_force("file").id}
    assert [raw.keys for raw in raw_files(vaulted.objects) if len(raw.keys) != 1] == []
    assert (len(ring.seal), len(ring.file), len(ring.pseudonym)) == (2, 2, 1)
    assert [key.id for key in (*ring.seal, *ring.file) if key.retired_on] == [old, old]
    assert verify(vaulted.uri).damaged == []


def test_everything_comes_under_new_keys_and_pseudonyms_stay(vaulted: Vaulted, tmp_path: Path):
    old, before = vaulted.keeper.ring().key_id, vaulted.rows("contacts")
    told = rotation.rotate(vaulted.uri)
    assert (told["outcome"], told["contacts"], told["raw_files"], told["retired"]) == ("rotated", 20, 2, [old])
    assert_rotated(vaulted, old, tmp_path / "look")
    stays = ["pseudonym", "contact_type", "known_from", "file_sha256"]
    assert vaulted.rows("contacts").select(stays).equals(before.select(stays))
    assert vaulted.keeper.ring().key_id == old


def test_twice_is_once(vaulted: Vaulted, tmp_path: Path):
    old = vaulted.keeper.ring().key_id
    rotation.rotate(vaulted.uri)
    seq, ring = vaulted.lake.snapshot().seq, vaulted.keeper.ring()
    assert rotation.rotate(vaulted.uri)["outcome"] == "already done"
    assert (vaulted.lake.snapshot().seq, vaulted.keeper.ring()) == (seq, ring)
    assert rotation.rotate(vaulted.uri, again=True)["contacts"] == 20
    assert len(vaulted.keeper.ring().seal) == 3
    assert old in {key.id for key in vaulted.keeper.ring().seal}
    assert exports(vaulted, tmp_path / "look") == EXPORTS


def test_a_dry_run_changes_nothing(vaulted: Vaulted):
    before = {path: path.read_bytes() for path in vaulted.folder.rglob("*") if path.is_file()}
    told = rotation.rotate(vaulted.uri, dry_run=True)
    assert (told["new_keys"], told["contacts"], told["raw_files"]) == (True, 20, 2)
    assert {path: path.read_bytes() for path in vaulted.folder.rglob("*") if path.is_file()} == before


def test_old_snapshots_still_open(vaulted: Vaulted):
    before = vaulted.lake.snapshot()
    rotation.rotate(vaulted.uri)
    old = vaulted.lake.scan("contacts", before).collect()
    purpose = Purpose(role="test", what="a look", contact_type="phone", most=old.height)
    assert sorted(Opener(vaulted.keeper.ring(), vaulted.objects, purpose).contacts(old)["value"]) == sorted(PHONES)


def test_each_opening_is_on_the_record(vaulted: Vaulted):
    rotation.rotate(vaulted.uri)
    log = access_log(vaulted.uri)
    assert {(row["role"], row["contact_type"]) for row in log} == {("rotation", "*"), ("rotation", "file")}
    assert sum(row["count"] for row in log) == len(PHONES) + len(EXPORTS)
    assert not any(phone in str(log) for phone in PHONES)


def test_what_is_shown_has_ids_and_no_secret(vaulted: Vaulted):
    rotation.rotate(vaulted.uri)
    shown, ring = show_keys(vaulted.uri), vaulted.keeper.ring()
    assert [(row["purpose"], row["stands_under_it"]) for row in shown["keys"]] == [
        ("pseudonym", None), ("seal", 0), ("seal", 20), ("file", 0), ("file", 2), ("tombstone", None),
    ]  # fmt: skip
    assert [key.secret for key in (*ring.pseudonym, *ring.seal, *ring.file) if key.secret in str(shown)] == []


def test_a_ring_that_a_person_keeps_is_written_aside(vaulted: Vaulted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The environment cannot be written: rotate --out, install, rotate again."""
    old = vaulted.keeper.ring()
    monkeypatch.setenv("STRATA_KEY", (vaulted.folder / "acme.key").read_text())
    with pytest.raises(ConfigurationError, match="--out FILE"):
        rotation.rotate(vaulted.uri)
    rotation.rotate(vaulted.uri, out=tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    assert set(vaulted.rows("contacts")["key_id"]) == {old.key_id}
    monkeypatch.setenv("STRATA_KEY", (tmp_path / "new").read_text())
    assert rotation.rotate(vaulted.uri)["contacts"] == 20
    assert old.key_id not in set(vaulted.rows("contacts")["key_id"])


POINTS = (
    "rotate:ring:after", "rewrap:after", "table:contacts:after", "pointer:before", "pointer:after",
    "rotate:delete:before",
)  # fmt: skip
BY_DEFAULT = ("rewrap:after", "pointer:after")


@pytest.mark.slow
@pytest.mark.parametrize("point", places(POINTS, BY_DEFAULT))
def test_killed_and_run_again_it_ends_the_same(point: str, vaulted: Vaulted, tmp_path: Path):
    old = vaulted.keeper.ring().key_id
    ended = strata("keys", "rotate", "--lake", vaulted.uri, env=os.environ, STRATA_FAILPOINT=f"{point}:kill")
    assert ended.code == -signal.SIGKILL, f"{point} never fired: {ended.problem}"
    assert vaulted.phones() == sorted(PHONES)
    assert exports(vaulted, tmp_path / "look") == EXPORTS
    lake_at.cache_clear()
    rotation.rotate(vaulted.uri)
    assert_rotated(vaulted, old, tmp_path / "look")
