"""A damaged send is told and left alone, and stops no other: neither expiry, nor the doctor, nor the repair."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows import doctor, reconcile
from flows.agreement import DAMAGED, STRAY, UNFINISHED, UNRECORDED, disagreements
from flows.begin import House
from tasks.errors import DamagedError
from tasks.stores.directory import DirectoryObjects
from tasks.stores.expiry import expire
from tasks.stores.index import drop_strays, strays
from tasks.stores.sends import SUCCESS, read_send
from tests.support.sends import SEND, send_to

OTHER = SEND._replace(campaign="welcome")
DAY_AFTER = date(2026, 8, 1)


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    send_to(DirectoryObjects(tmp_path / "outbox"), [1, 2])
    send_to(DirectoryObjects(tmp_path / "outbox"), [3], send=OTHER)
    return tmp_path / "outbox"


def one_of(outbox: Path, pattern: str) -> Path:
    return next((outbox / SEND.id).glob(pattern))


def found(outbox: Path) -> list[tuple[str, str, bool]]:
    told = disagreements(str(outbox.parent / "lake"), str(outbox))
    return [(one.send_id, one.what, one.can_be_repaired) for one in told]


@pytest.mark.parametrize("data", [b'{"format": "str', b"[]", b'{"send_id": "sms_vendor/welcome/2026-07-01"}'])
def test_a_pointer_that_cannot_be_read_is_damage(outbox: Path, data: bytes):
    (outbox / SEND.current).write_bytes(data)
    with pytest.raises(DamagedError, match=re.escape(SEND.current)):
        read_send(DirectoryObjects(outbox), SEND)
    assert found(outbox) == [(OTHER.id, UNRECORDED, True), (SEND.id, DAMAGED, False)]


def test_a_damaged_send_is_not_to_be_marked_and_the_next_one_is(outbox: Path):
    one_of(outbox, "rev-*/part-*").unlink()
    one_of(outbox, f"rev-*/{SUCCESS}").unlink()
    (outbox / SEND.vendor / "INDEX.json").unlink()
    told = found(outbox)
    assert {(what, can) for send, what, can in told if send == SEND.id} == {
        (DAMAGED, False), (UNFINISHED, False), (UNRECORDED, False),
    }  # fmt: skip
    assert {(what, can) for send, what, can in told if send == OTHER.id} == {(UNFINISHED, True), (UNRECORDED, True)}


def test_the_terms_of_other_sends_end_although_one_is_damaged(outbox: Path):
    one_of(outbox, "rev-*/manifest.json").unlink()
    with pytest.raises(DamagedError, match=r"manifest\.json"):
        expire(DirectoryObjects(outbox), DAY_AFTER)
    assert [*(outbox / OTHER.id).glob("rev-*/part-*")] == []
    assert read_send(DirectoryObjects(outbox), OTHER).published.is_expired


def test_a_send_that_the_index_alone_names_is_found_and_taken_out(outbox: Path):
    objects, path = DirectoryObjects(outbox), outbox / SEND.vendor / "INDEX.json"
    good, ghost = path.read_bytes(), f"{SEND.vendor}/ghost/2026-07-01"
    index = json.loads(good)
    path.write_text(json.dumps(index | {"sends": index["sends"] | {ghost: {"seq": 1}}}))
    assert (ghost, STRAY, True) in found(outbox)
    assert strays(objects, SEND.vendor) == (ghost,)
    drop_strays(objects, SEND.vendor)
    assert path.read_bytes() == good
    assert STRAY not in {what for _, what, _ in found(outbox)}


def test_a_repair_goes_on_behind_a_send_that_it_cannot_mend(outbox: Path, monkeypatch: pytest.MonkeyPatch):
    """And the doctor tells of what still disagrees afterwards, not of what was meant to be mended."""
    mended: list[str] = []

    def mend(_house: House, _outbox: str, send: Any, _what: set[str]) -> None:
        if send == SEND:
            raise DamagedError("no bytes", expected="bytes")
        mended.append(send.id)

    monkeypatch.setattr(reconcile, "_mend", mend)
    monkeypatch.setattr(reconcile, "open_house", lambda _: House(str(outbox.parent / "lake"), None, None, None))  # type: ignore[arg-type]
    monkeypatch.setattr(reconcile, "outbox_of", lambda _: str(outbox))
    monkeypatch.setattr(reconcile, "reconcile", reconcile.reconcile.fn)
    monkeypatch.setattr(doctor, "roots", lambda _: (str(outbox.parent / "lake"), str(outbox)))
    told = doctor.mend("", is_rehearsal=False)
    assert mended == [OTHER.id]
    assert all(one["repaired"].startswith("no: no bytes") for one in told)
    assert doctor.is_left(told)


def test_a_campaign_that_is_gone_is_recorded_under_the_policy_of_its_send(
    outbox: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    monkeypatch.setattr(reconcile, "stored_policy", lambda _, digest: asked.append(digest))

    class Nothing:
        campaigns = ()

    house = House(str(outbox.parent / "lake"), None, Nothing(), datetime(2026, 7, 1, tzinfo=UTC))  # type: ignore[arg-type]
    assert reconcile._under(house, str(outbox), SEND) == replace(house, policy=None)  # type: ignore[arg-type]
    assert asked == ["p" * 64]
