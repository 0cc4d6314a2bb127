"""Somebody is forgotten whose vendor's files are locked: nothing of them stays; the recall opens with today's key."""

from pathlib import Path

import pyrage
import pytest
import yaml

from tests.support.forgetting import forgotten
from tests.support.leaks import leaks_in
from tests.support.vendor_client import Folder, VendorClient, with_age
from tests.support.winback import Brand, copy_policy, phone

pytestmark = pytest.mark.acceptance


@pytest.fixture(autouse=True)
def _own_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))


def locked_to(folder: Path, key: pyrage.x25519.Identity) -> Path:
    """The demo's policy, its SMS vendor's files locked to a key."""
    policy = copy_policy(folder)
    path = policy / "vendors" / "demo_sms.yaml"
    encryption = {"kind": "age", "recipient": str(key.to_public())}
    told = yaml.safe_load(path.read_text(encoding="utf-8")) | {"encryption": encryption}
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return policy


def test_the_recall_of_an_erasure_opens_with_the_key_that_the_vendor_has_today(founded: Brand, tmp_path: Path):
    old, new = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    copy = founded.copy(tmp_path / "brand")
    brand = Brand(copy.folder, locked_to(tmp_path / "then", old), copy.root)
    brand.deliver()
    household = min(brand.expected()["delivered"])
    assert phone(household) in messages(brand, old)
    forgotten({"lake": brand.uri, "policy": str(locked_to(tmp_path / "now", new))}, phone(household))
    cut, recall = VendorClient(outbox(brand), "demo_sms", open=with_age(new)).poll()
    assert (cut.files, recall.recalled) == ({}, (phone(household),))
    clear = [key for key in outbox(brand).list("demo_sms/") if "part-" in key or "recall" in key]
    assert [Path(key).suffix for key in clear] == [".age"], "the file with the person in it went whole"
    assert leaks_in(Path(brand.uri, "outbox"), [phone(household)]) == {}


def outbox(brand: Brand) -> Folder:
    return Folder(Path(brand.uri, "outbox"))


def messages(brand: Brand, key: pyrage.x25519.Identity) -> list[str]:
    """To whom the vendor would send."""
    return [
        row["phone"]
        for batch in VendorClient(outbox(brand), "demo_sms", open=with_age(key)).poll()
        for row in batch.rows
    ]
