"""A re-key killed anywhere leaves the old names or the new ones, whole; run again, it ends with one new key."""

import os
import signal
from pathlib import Path

import polars as pl
import pytest

from flows.keys import show_keys
from flows.rekeying import rekey
from flows.rotation import rotate
from flows.verify import verify
from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.steps.house import lake_at, pseudonymiser_now
from tasks.stores.vault import Pseudonymiser
from tests.support.kills import places
from tests.support.strata import strata
from tests.support.vaults import PHONES, Vaulted, found, policy

POINTS = ("rekey:ring:after", "table:contacts:after", "table:sightings:after", "pointer:before", "pointer:after")
BY_DEFAULT = ("table:sightings:after",)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Vaulted:
    return found(tmp_path_factory.mktemp("vault") / "house")


@pytest.fixture
def vaulted(founded: Vaulted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vaulted:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    return founded.copied(tmp_path / "house")


def names(vaulted: Vaulted) -> set[str]:
    return set(vaulted.rows("sightings")["pseudonym"])


def named_by(vaulted: Vaulted, keys: int) -> set[str]:
    """What the first keys of the ring's chain name the phones."""
    ring = vaulted.keeper.ring()
    named = Pseudonymiser.of(ring, ring.pseudonym[keys - 1].id)
    return set(pl.DataFrame({"value": PHONES}).select(named("phone", "", pl.col("value"))).to_series())


def assert_renamed(vaulted: Vaulted) -> None:
    ring = vaulted.keeper.ring()
    assert len(ring.pseudonym) == 2
    assert names(vaulted) == named_by(vaulted, 2) == set(vaulted.rows("contacts")["pseudonym"])
    assert vaulted.phones() == sorted(PHONES)
    assert pseudonymiser_now(policy(), vaulted.uri).key_id == ring.key_id
    assert verify(vaulted.uri).damaged == []


def test_everybody_is_renamed_and_every_contact_opens_for_its_new_name(vaulted: Vaulted):
    before = names(vaulted)
    assert before == named_by(vaulted, 1)
    told = rekey(vaulted.uri)
    assert (told["outcome"], told["rows"]) == ("re-keyed", {"contacts": len(PHONES), "sightings": len(PHONES)})
    assert_renamed(vaulted)
    assert not before & names(vaulted)


def test_a_second_re_key_renames_once_more(vaulted: Vaulted):
    rekey(vaulted.uri)
    rekey(vaulted.uri, again=True)
    assert names(vaulted) == named_by(vaulted, 3)
    assert vaulted.phones() == sorted(PHONES)


def test_a_dry_run_changes_nothing(vaulted: Vaulted):
    before = {path: path.read_bytes() for path in vaulted.folder.rglob("*") if path.is_file()}
    assert rekey(vaulted.uri, dry_run=True)["rows"] == {"contacts": len(PHONES), "sightings": len(PHONES)}
    assert {path: path.read_bytes() for path in vaulted.folder.rglob("*") if path.is_file()} == before


def test_a_ring_of_before_is_refused(vaulted: Vaulted):
    """Whoever still has the old ring would give everybody another name than the lake does."""
    old = (vaulted.folder / "acme.key").read_text()
    rekey(vaulted.uri)
    (vaulted.folder / "acme.key").write_text(old)
    with pytest.raises(SecurityRefusedError, match="pseudonyms are of key"):
        pseudonymiser_now(policy(), vaulted.uri)


def test_an_erasure_that_waits_ends_first(vaulted: Vaulted):
    """Its sealed state names the person as the lake does now."""
    vaulted.objects.create("forget/fr-0123456789abcdef/request.sealed", b"sealed")
    before = names(vaulted)
    with pytest.raises(ConfigurationError, match="strata forget"):
        rekey(vaulted.uri)
    assert names(vaulted) == before
    assert len(vaulted.keeper.ring().pseudonym) == 1


def test_the_chain_is_shown_and_a_rotation_keeps_it(vaulted: Vaulted):
    rekey(vaulted.uri)
    renamed = names(vaulted)
    rotate(vaulted.uri)
    states = [row["state"] for row in show_keys(vaulted.uri)["keys"] if row["purpose"] == "pseudonym"]
    assert states == ["in the chain", "in force"]
    assert names(vaulted) == renamed
    assert vaulted.phones() == sorted(PHONES)


@pytest.mark.slow
@pytest.mark.parametrize("point", places(POINTS, BY_DEFAULT))
def test_killed_and_run_again_it_ends_the_same(point: str, vaulted: Vaulted):
    ended = strata("keys", "rekey", "--lake", vaulted.uri, env=os.environ, STRATA_FAILPOINT=f"{point}:kill")
    assert ended.code == -signal.SIGKILL, f"{point} never fired: {ended.problem}"
    assert names(vaulted) == named_by(vaulted, 2 if point == "pointer:after" else 1)
    assert vaulted.phones() == sorted(PHONES)
    lake_at.cache_clear()
    assert rekey(vaulted.uri)["outcome"] == ("already done" if point == "pointer:after" else "re-keyed")
    assert_renamed(vaulted)
