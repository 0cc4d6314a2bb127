"""The ring in a Prefect Secret block: read from the server, and written back there by a rotation."""

from pathlib import Path

import pytest
from prefect.blocks.system import Secret

from flows.rotation import rotate
from tasks.errors import ConfigurationError
from tasks.steps.keyring import keeper_of
from tests.support.vaults import PHONES, found, policy

pytestmark = pytest.mark.acceptance


def test_a_ring_lives_in_a_secret_block(prefect_harness: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert prefect_harness
    vaulted = found(tmp_path / "house")
    text = (vaulted.folder / "acme.key").read_text().strip()
    (vaulted.folder / "acme.key").unlink()
    Secret(value=text).save("acme-keys", overwrite=True)
    monkeypatch.setenv("STRATA_KEY_BLOCK", "acme-keys")
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    assert rotate(vaulted.uri)["contacts"] == len(PHONES)
    ring = keeper_of(policy(), vaulted.uri).ring()
    assert set(vaulted.rows("contacts")["key_id"]) == {ring.seal[-1].id}
    assert not (vaulted.folder / "acme.key").exists()


def test_a_block_that_is_not_there_is_told(prefect_harness: str, monkeypatch: pytest.MonkeyPatch):
    assert prefect_harness
    monkeypatch.setenv("STRATA_KEY_BLOCK", "no-such-block")
    with pytest.raises(ConfigurationError, match="no-such-block is not there"):
        keeper_of(policy(), "lake").ring()
