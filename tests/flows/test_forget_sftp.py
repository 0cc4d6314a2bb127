"""Whoever is forgotten is called back also where a vendor's files are copied to its own server."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.forgetting import forgotten
from tests.support.sshd import Sshd, sshd_server
from tests.support.winback import WINBACK, Brand, copy_policy, phone

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd_server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def brand(founded: Brand, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Brand:
    """The small brand whose SMS vendor wants its files on a server of its own."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    for name, value in sshd.env("demo_sms").items():
        monkeypatch.setenv(name, value)
    policy = copy_policy(tmp_path / "policy")
    profile = policy / "vendors" / "demo_sms.yaml"
    told = yaml.safe_load(profile.read_text(encoding="utf-8")) | {"transport": sshd.transport()}
    profile.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    copy = founded.copy(tmp_path / "brand")
    return Brand(copy.folder, policy, copy.root)


def recalled(root: Path) -> list[str]:
    """Who is called back by what lies on the server under its mark."""
    found = [path for path in root.rglob("recall.csv") if (path.parent / "_SUCCESS").exists()]
    return [row["phone"] for path in found for row in csv.DictReader(path.open(encoding="utf-8", newline=""))]


def test_the_recall_of_an_erasure_lies_on_the_vendor_s_server(brand: Brand, sshd: Sshd):
    brand.deliver()
    assert recalled(sshd.root) == []
    assert len(list(sshd.root.rglob("_SUCCESS"))) == 1
    household = min(brand.expected()["delivered"])
    forgotten({"lake": brand.uri, "policy": str(brand.policy)}, phone(household))
    assert recalled(sshd.root) == [phone(household)]
    notes = Path(brand.uri, "outbox", "_drops", *WINBACK.id.split("/"))
    assert sorted(path.name for path in notes.glob("*.dropped.json")) == ["1.dropped.json", "2.dropped.json"]
    assert all(json.loads(path.read_text())["host"] == "127.0.0.1" for path in notes.glob("*.dropped.json"))
