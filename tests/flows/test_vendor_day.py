"""A vendor's day, as docs/vendor-day.md tells it: poll, verify, send, report; next month without those who said R."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml

from flows.campaign import campaign
from flows.ingest import ingest
from flows.parameters import CampaignParameters, IngestParameters, RefreshParameters
from flows.refresh import refresh
from flows.sends import list_sends
from tests.support.vendor_client import Folder, VendorClient, with_age
from tests.support.winback import SEND_ON, WINBACK, Brand, copy_policy, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
MONTH_END, NEXT = date(2018, 1, 31), date(2018, 2, 1)
COMPLAINED, SAID_R, DEAD, WROTE, NOT_YET = range(5)
"""Places in the vendor's list of those to whom something happens; the others receive the message."""


def receipts(contacts: list[str], words: str) -> Iterator[dict[str, object]]:
    """Aliyun's receipts: late ones first, one twice, one failed before it was delivered."""
    for place, contact in reversed([*enumerate(contacts)]):
        told = {"phone_number": contact, "send_time": "2018-01-01 22:00:00", "report_time": "2018-01-01 22:00:09",
                "success": True, "err_code": "DELIVERED", "biz_id": "9^0", "out_id": words}  # fmt: skip
        failed = told | {"success": False, "err_code": "MOBILE_NOT_ON_SERVICE", "report_time": "2018-01-01 22:00:01"}
        if place in {COMPLAINED, DEAD}:
            yield failed | {"err_code": {COMPLAINED: "MOBILE_IN_BLACK", DEAD: "MK:0001"}[place]}
        elif place != NOT_YET:
            yield from (told, told, failed) if place == WROTE else (told,)


def replies(contacts: list[str]) -> Iterator[dict[str, object]]:
    """Whoever wants no more, and whoever asks when the parcel comes."""
    for place, text in ((SAID_R, " r "), (WROTE, "什么时候发货")):
        yield {"phone_number": contacts[place], "send_time": "2018-01-01 23:00:00", "content": text,
               "sign_name": "演示", "dest_code": "01", "sequence_id": 100 + place}  # fmt: skip


def hand_back(brand: Brand, name: str, rows: Iterable[dict[str, object]], at: str) -> None:
    path = brand.folder / name
    path.write_text(json.dumps(list(rows), ensure_ascii=False), encoding="utf-8")
    given = {"lake": brand.uri, "policy": str(brand.policy), "received_at": at, "exported_at": at}
    ingest(IngestParameters(paths=(str(path),), shop="main", **given))


def funnel_of(brand: Brand) -> dict[str, Any]:
    (own,) = [send for send in list_sends(brand.uri, SEND_ON) if send["send_id"] == WINBACK.id]
    return own


def test_a_vendors_day_from_the_first_poll_to_next_months_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    brand = Brand.found(tmp_path / "brand")
    machine = VendorClient(Folder(brand.folder / "lake" / "outbox"), "demo_sms")
    assert machine.poll() == []
    brand.deliver()
    (batch,) = machine.poll()
    expected = brand.expected()["delivered"]
    assert sorted(batch.contacts) == sorted(map(phone, expected))
    assert machine.poll() == [], "a revision is handled once"
    assert funnel_of(brand)["state"] == "handed over"

    hand_back(brand, "receipts.json", receipts(batch.contacts, batch.send_id), "2018-01-02T12:00:00+08:00")
    hand_back(brand, "receipts-again.json", receipts(batch.contacts, batch.send_id), "2018-01-02T13:00:00+08:00")
    hand_back(brand, "replies.json", replies(batch.contacts), "2018-01-02T14:00:00+08:00")
    clicks = brand.folder / "clicks.csv"
    clicks.write_text(f"send_id,recipient,clicked_at\n{batch.send_id},{batch.contacts[WROTE]},2018-01-01 12:00:00\n")
    brand.take_in(clicks, "2018-01-02T15:00:00+08:00")

    told, sent = funnel_of(brand), len(expected)
    assert (told["state"], told["planned"], told["handed_over"]) == ("reported", sent, sent)
    assert (told["delivered"], told["failed"], told["clicked"], told["replied"]) == (sent - 3, 2, 1, 2)

    refresh(RefreshParameters(as_of=MONTH_END, known_as_of=str(NEXT), lake=brand.uri, policy=str(brand.policy)))
    later = {"name": "winback_sms", "send_on": NEXT, "today": NEXT, "known_as_of": str(NEXT)}
    summary = campaign(CampaignParameters(lake=brand.uri, policy=str(brand.policy), **later))
    (second,) = machine.poll()
    silent = {batch.contacts[place] for place in (COMPLAINED, SAID_R, DEAD)}
    assert set(batch.contacts) - set(second.contacts) == silent
    assert {*machine.handled} == {WINBACK.id, f"demo_sms/winback_sms/{NEXT}"}
    waterfall = summary["waterfall"]
    assert waterfall["unreachable"] == 1
    assert waterfall["delivered"] == len(second.contacts)


def with_key(folder: Path, recipient: str) -> Path:
    """The small brand's policy, with the vendor's files locked to a key."""
    policy = copy_policy(folder)
    path = policy / "vendors" / "demo_sms.yaml"
    profile = yaml.safe_load(path.read_text(encoding="utf-8")) | {"encryption": {"kind": "age", "recipient": recipient}}
    path.write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    return policy


def test_a_day_of_a_vendor_with_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Parts and recalls open with the vendor's key and no other; receipts come back for what stood in them."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    own, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    brand = Brand.found(tmp_path / "brand").under(with_key(tmp_path / "policy", str(own.to_public())))
    outbox = Folder(brand.folder / "lake" / "outbox")
    machine = VendorClient(outbox, "demo_sms", open=with_age(own))
    brand.deliver()
    with pytest.raises(pyrage.DecryptError):
        VendorClient(outbox, "demo_sms", open=with_age(other)).poll()
    (batch,) = machine.poll()
    expected = brand.expected()["delivered"]
    assert sorted(batch.contacts) == sorted(map(phone, expected))
    assert brand.deliver()["status"] == "already_published", "locked anew it would be other bytes"

    hand_back(brand, "receipts.json", receipts(batch.contacts, batch.send_id), "2018-01-02T12:00:00+08:00")
    told = funnel_of(brand)
    assert (told["state"], told["delivered"]) == ("reported", len(expected) - 3)
    gone = min(expected)
    brand.hear_no(gone, tmp_path)
    brand.deliver(day=date(2018, 1, 3))
    (recall,) = machine.poll()
    assert phone(gone) in recall.recalled
    assert recall.contacts == []
    stored = brand.stored()
    assert {key.rpartition(".")[2] for key in stored if "part-" in key or "recall" in key} == {"age"}
    assert not [key for key, data in stored.items() for n in expected if phone(n).encode() in data]
