"""A campaign goes out locked to a vendor's OpenPGP certificate; the vendor opens it with the real GnuPG."""

import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.support.gnupg import Ring, key_ring
from tests.support.vendor_client import Folder, VendorClient, with_gpg
from tests.support.winback import Brand, copy_policy, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]


@pytest.fixture
def ring() -> Iterator[Ring]:
    """The vendor's own."""
    with key_ring() as made:
        yield made


def locked_to(certificate: str, folder: Path) -> Path:
    """The small brand's policy, with the vendor's files locked to a certificate."""
    policy = copy_policy(folder)
    path = policy / "vendors" / "demo_sms.yaml"
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    profile |= {"encryption": {"kind": "openpgp", "recipient": certificate}}
    path.write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    return policy


def test_a_campaign_that_only_the_vendor_can_open(
    founded: Brand, ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Parts and the recall open with the vendor's key and no other, and no number lies in the outbox in clear."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    policy = locked_to(ring.make("vendor <ops@vendor.example>"), tmp_path / "policy")
    brand = founded.copy(tmp_path / "brand").under(policy)
    brand.deliver()
    outbox = Folder(brand.folder / "lake" / "outbox")
    with key_ring() as stranger:
        stranger.make("somebody <else@vendor.example>")
        other = VendorClient(outbox, "demo_sms", open=with_gpg(stranger.home))
        with pytest.raises(subprocess.CalledProcessError):
            other.poll()
    machine = VendorClient(outbox, "demo_sms", open=with_gpg(ring.home))
    (batch,) = machine.poll()
    expected = brand.expected()["delivered"]
    assert sorted(batch.contacts) == sorted(map(phone, expected))
    assert brand.deliver()["status"] == "already_published"

    gone = min(expected)
    brand.hear_no(gone, tmp_path)
    brand.deliver(day=date(2018, 1, 3))
    (recall,) = machine.poll()
    assert phone(gone) in recall.recalled
    stored = brand.stored()
    assert {key.rpartition(".")[2] for key in stored if "part-" in key or "recall" in key} == {"pgp"}
    assert not [key for key, data in stored.items() for n in expected if phone(n).encode() in data]
