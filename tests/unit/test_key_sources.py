"""The same ring from every place: a file, the environment, an envelope of KMS; no message shows a secret."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.keys import export_keys
from flows.rotation import rotate
from tasks.errors import ConfigurationError, SecurityRefusedError, StoreUnavailableError
from tasks.settings import Settings
from tasks.steps.house import pseudonymiser_now
from tasks.steps.keyring import keeper_of
from tasks.stores import kms
from tasks.stores.keys import DEMO_BRANDS, Given, Keeper, KeyFile, open_key_ring
from tasks.stores.ring import KeyRing, demo_ring, named_ring, new_key, parse_ring
from tasks.stores.vault import Pseudonymiser, Sealer
from tests.support.kms_double import KmsDouble, kms_double
from tests.support.vaults import PHONES, Vaulted, found, policy

RING = named_ring("acme-1", bytes(range(7, 39)))
TODAY = date(2026, 11, 1)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Vaulted:
    return found(tmp_path_factory.mktemp("vault") / "house")


@pytest.fixture(scope="module")
def service() -> Iterator[KmsDouble]:
    with kms_double() as running:
        yield running


@pytest.fixture
def settings(service: KmsDouble, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that reach the double, with keys that mean nothing."""
    service.answers_with = ""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.setenv("STRATA_KMS_ENDPOINT", service.url)
    return Settings()


def bigger(ring: KeyRing) -> KeyRing:
    return ring.model_copy(update={"seal": (*ring.seal, new_key("acme-1", TODAY))})


def test_a_document_is_the_ring(tmp_path: Path):
    ring = bigger(RING)
    assert parse_ring(ring.document(), "x") == ring
    assert open_key_ring("acme", "acme-1", ring.document()) == ring
    KeyFile(tmp_path / "key").write(ring.document())
    assert open_key_ring("acme", "acme-1", key_file=tmp_path / "key") == ring
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_the_newest_key_seals_and_all_open():
    ring = bigger(RING)
    assert ring.in_force("seal") == ring.seal[-1]
    assert [ring.opening("seal", key.id) for key in ring.seal] == list(ring.seal)
    assert ring.opening("seal", "acme-1.unknown") is None


def broken(change: str) -> str:
    told = json.loads(bigger(RING).document())
    match change:
        case "secret":
            told["seal"][0] |= {"secret": "canary"}
        case "twice":
            told["seal"][1]["id"] = told["seal"][0]["id"]
        case "weak":
            told["file"][0]["secret"] = "00" * 32
        case "format":
            told["format"] = "strata-keys/9"
        case "cut":
            return bigger(RING).document()[:300]
    return json.dumps(told)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("secret", "seal.0.secret"),
        ("twice", "one id"),
        ("weak", "file.0.secret"),
        ("format", "format"),
        ("cut", "read"),
    ],
)
def test_a_broken_document_is_refused_and_not_shown(change: str, place: str):
    text = broken(change)
    with pytest.raises(ConfigurationError, match=place) as refusal:
        open_key_ring("acme", "acme-1", text)
    assert "canary" not in str(refusal.value)
    assert [key.secret for key in (*RING.seal, *RING.pseudonym) if key.secret in repr(refusal.getrepr())] == []


def test_published_keys_in_a_document_are_refused_to_a_real_brand():
    with pytest.raises(SecurityRefusedError, match="demo-1"):
        open_key_ring("acme", "acme-1", demo_ring().document())


def test_a_demo_brand_has_its_rotated_ring_once_there_is_one(tmp_path: Path):
    ring = bigger(demo_ring())
    KeyFile(tmp_path / "key").write(ring.document())
    for brand in DEMO_BRANDS:
        assert open_key_ring(brand, "demo-1", key_file=tmp_path / "key") == ring
        assert open_key_ring(brand, "demo-1", RING.document()) == demo_ring()


def test_a_ring_for_analysis_names_people_and_opens_nothing():
    ring = RING.for_analysis()
    named = Pseudonymiser.of(ring)("phone", "", pl.lit("13900000000"))
    assert pl.select(named).item() == pl.select(Pseudonymiser.of(RING)("phone", "", pl.lit("13900000000"))).item()
    with pytest.raises(ConfigurationError, match="for analysis"):
        Sealer.of(ring)
    assert not set(ring.document().split('"')) & {key.secret for key in (*RING.seal, *RING.file)}


def test_a_lost_key_file_is_told_and_no_other_made(founded: Vaulted, tmp_path: Path):
    """A new key would name everybody otherwise than the lake does."""
    vaulted = founded.copied(tmp_path / "house")
    (vaulted.folder / "acme.key").unlink()
    for ask in (lambda: pseudonymiser_now(policy(), vaulted.uri), vaulted.keeper.ring):
        with pytest.raises(ConfigurationError, match=r"the key file acme\.key is not there"):
            ask()
    assert not (vaulted.folder / "acme.key").exists()


def test_two_places_at_once_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRATA_KEY", RING.document())
    monkeypatch.setenv("STRATA_KEY_BLOCK", "brand-keys")
    with pytest.raises(ConfigurationError, match="both STRATA_KEY and STRATA_KEY_BLOCK"):
        keeper_of(policy(), "lake")


def test_an_envelope_is_opened_by_kms_alone(service: KmsDouble, settings: Settings):
    envelope = kms.wrap(RING.document(), "alias/brand", "acme", settings)
    assert [key.secret for key in (*RING.pseudonym, *RING.seal, *RING.file) if key.secret in envelope] == []
    assert Keeper("acme", "acme-1", Given(envelope), settings).ring() == RING
    assert service.asked[-2:] == ["GenerateDataKey", "Decrypt"]


def test_the_envelope_of_another_brand_is_refused(settings: Settings):
    envelope = kms.wrap(RING.document(), "alias/brand", "acme", settings)
    with pytest.raises(SecurityRefusedError, match="InvalidCiphertextException"):
        Keeper("beta", "beta-1", Given(envelope), settings).ring()


@pytest.mark.parametrize("part", ["data_key", "nonce", "ring"])
def test_a_changed_envelope_does_not_open(part: str, settings: Settings):
    told = json.loads(kms.wrap(RING.document(), "alias/brand", "acme", settings))
    told[part] = ("B" if told[part][0] == "A" else "A") + told[part][1:]
    with pytest.raises(ConfigurationError):
        Keeper("acme", "acme-1", Given(json.dumps(told)), settings).ring()


@pytest.mark.parametrize(
    ("code", "kind"),
    [("AccessDeniedException", SecurityRefusedError), ("KMSInternalException", StoreUnavailableError)],
)
def test_what_kms_answers_is_told(code: str, kind: type[Exception], service: KmsDouble, settings: Settings):
    envelope = kms.wrap(RING.document(), "alias/brand", "acme", settings)
    service.answers_with = code
    with pytest.raises(kind, match=code):
        Keeper("acme", "acme-1", Given(envelope), settings).ring()


def test_plain_http_to_another_machine_is_refused(settings: Settings):
    far = settings.model_copy(update={"kms_endpoint": "http://kms.example.com"})
    with pytest.raises(SecurityRefusedError, match="STRATA_KMS_ENDPOINT"):
        kms.wrap(RING.document(), "alias/brand", "acme", far)


def test_a_ring_under_kms_rotates_and_stays_under_it(
    founded: Vaulted, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Export under KMS, install, rotate: the file holds an envelope throughout."""
    vaulted = founded.copied(tmp_path / "house")
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    export_keys(tmp_path / "sealed", vaulted.uri, kms_key="alias/brand")
    (vaulted.folder / "acme.key").write_bytes((tmp_path / "sealed").read_bytes())
    assert rotate(vaulted.uri)["contacts"] == len(PHONES)
    assert kms.key_of((vaulted.folder / "acme.key").read_text()) == "alias/brand"
    ring = Keeper("acme", "acme-1", KeyFile(vaulted.folder / "acme.key"), settings).ring()
    assert set(vaulted.rows("contacts")["key_id"]) == {ring.in_force("seal").id}
