"""What `strata keys rotate` does: new keys for contacts and raw files, everything re-wrapped, old keys retired.

Each part can be killed: the ring gets its new keys first, and keeps the old ones; the tables move once;
raw files are deleted under the old key when the lake names them under the new one. Running it again
goes on where it stopped, and a second run of a day that finds all done changes nothing.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.begin import House, begin, last_policy, scratch_of, until_published
from flows.clock import business_date, this_instant
from tasks.errors import ConfigurationError
from tasks.refs import Candidate, Run, Snapshot, StoredFile
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import EVERY_TYPE, Purpose
from tasks.stores.failpoints import reach
from tasks.stores.keys import Keeper
from tasks.stores.lease import hold
from tasks.stores.opener import FILE, Opener
from tasks.stores.raw import RawFile
from tasks.stores.rewrap import contact_keys, raw_keys, rewrap_raw, rewrapped, superseded, waiting_requests
from tasks.stores.ring import ROTATED, KeyRing, new_key
from tasks.stores.runs import stage_record
from tasks.stores.scratch import stage_pieces
from tasks.stores.tables import LEASE_SECONDS
from tasks.stores.vault import Sealer
from tasks.stores.whole import create_whole

FLOW = "rotate_keys"
Told = dict[str, Any]


@dataclass(frozen=True)
class Use:
    """What stands under which key."""

    contacts: Mapping[str, int]
    raw: Mapping[str, list[RawFile]]

    def stale_contacts(self, ring: KeyRing) -> int:
        """Contacts under another key than the one in force."""
        return sum(count for key_id, count in self.contacts.items() if key_id != ring.in_force("seal").id)

    def stale_raw(self, ring: KeyRing) -> list[RawFile]:
        """Raw files of which any object stands under another key than the one in force.

        Also where one under that key stands beside it: an attempt that died may have left it unrecorded.
        """
        stale = (files for key_id, files in self.raw.items() if key_id != ring.in_force("file").id)
        return sorted({raw for files in stale for raw in files})

    def is_stale(self, ring: KeyRing) -> bool:
        """Whether anything is left to re-wrap."""
        return bool(self.stale_contacts(ring) or self.stale_raw(ring))


def rotate(uri: str = "", *, out: Path | None = None, again: bool = False, dry_run: bool = False) -> Told:
    """Give contacts and raw files new keys; with `out`, only write the ring with new keys there.

    Raises:
        ConfigurationError: the ring is kept where only a person can write, or is one for analysis.
    """
    house = house_of(uri)
    keeper = keeper_of(house.policy, house.uri)
    ring, use, today = keeper.ring(), use_of(house), business_date(house.started_at, house.zone)
    makes = again or (not use.is_stale(ring) and ring.in_force("seal").made_on != today)
    if dry_run:
        return _told(ring, use, makes=makes) | {"outcome": "dry run"}
    if out is not None:
        create_whole(out, [keeper.sealed(with_new_keys(ring, house, today)).encode()], 0o600)
        return {"outcome": "written", "ring": str(out), "next": "install it where the brand's keys are, rotate again"}
    if makes:
        ring = changed(house, keeper, lambda standing: with_new_keys(standing, house, today))
    reach("rotate:ring", "after")
    files = until_published(lambda: _rewrap(house, ring))
    _delete_superseded(house, ring)
    return _told(ring, use, makes=makes) | {
        "outcome": "rotated" if use.is_stale(ring) or makes else "already done",
        "files_rewrapped": len(files), "retired": _retire(house, keeper, today),
    }  # fmt: skip


def use_of(house: House) -> Use:
    """What stands under which key now."""
    return Use(contact_keys(house.lake.scan("contacts", house.lake.snapshot())), raw_keys(objects_at(house.uri)))


def with_new_keys(ring: KeyRing, house: House, today: date) -> KeyRing:
    """The ring with a fresh key in force for each purpose that rotates; the old ones still open."""
    name = house.policy.brand.key_name
    return ring.model_copy(update={purpose: (*ring.keys(purpose), new_key(name, today)) for purpose in ROTATED})


def changed(house: House, keeper: Keeper, change: Any) -> KeyRing:
    """Change the ring while holding the lake: of two who change it at once, the second sees the first's keys."""
    wait = Settings().lease_wait_seconds
    with hold(objects_at(house.uri), "keys", wait_seconds=wait, lease_seconds=LEASE_SECONDS):
        ring: KeyRing = change(keeper.ring())
        keeper.save(ring)
        return ring


def house_of(uri: str) -> House:
    """The lake under the policy of its newest run; Prefect is not woken."""
    uri = uri or Settings().lake
    return House(uri, lake_at(uri), last_policy(uri), this_instant())


def _rewrap(house: House, ring: KeyRing) -> list[StoredFile]:
    """Re-wrap what is stale and publish it as one run; none when nothing is."""
    snapshot, use = house.lake.snapshot(), use_of(house)
    if not use.is_stale(ring):
        return []
    inputs = {"seal": ring.in_force("seal").id, "file": ring.in_force("file").id,
              "replaced": _replaced(use, ring)}  # fmt: skip
    run = begin(house, FLOW, {**inputs, "seq": snapshot.seq}, snapshot=snapshot)
    with scratch_of(run) as scratch:
        files = [
            rewrap_raw(objects_at(house.uri), raw, _opener(house, run, ring, FILE, 1), Sealer.of(ring), scratch)
            for raw in use.stale_raw(ring)
        ]
        candidates = [_contacts(house, run, ring, snapshot)] if use.stale_contacts(ring) else []
        _publish(house, run, inputs, candidates, files)
    return files


def _replaced(use: Use, ring: KeyRing) -> list[str]:
    new = ring.in_force("file").id
    return [key for raw in use.stale_raw(ring) for key in raw.keys if key != raw.under(new)]


def _contacts(house: House, run: Run, ring: KeyRing, snapshot: Snapshot) -> Candidate:
    contacts = house.lake.scan("contacts", snapshot)
    opener = _opener(house, run, ring, EVERY_TYPE, sum(contact_keys(contacts).values()))
    return stage_pieces(run, "contacts", rewrapped(contacts, opener, Sealer.of(ring)), mode="overwrite")


def _opener(house: House, run: Run, ring: KeyRing, kind: str, most: int) -> Opener:
    purpose = Purpose(role="rotation", what="rotation of keys", contact_type=kind, most=most, run_id=run.run_id)
    return Opener(ring, objects_at(house.uri), purpose)


def _publish(house: House, run: Run, inputs: Told, candidates: list[Candidate], files: list[StoredFile]) -> None:
    """Record what was re-wrapped, and make it what readers see."""
    with house.lake.writer(run, Settings().lease_wait_seconds) as writer:
        published = [(candidate, *writer.commit(candidate)) for candidate in candidates]
        writer.commit(stage_record(run, inputs, published, house.started_at, files))
        writer.move_pointer()


def _delete_superseded(house: House, ring: KeyRing) -> None:
    """Delete raw files under older keys where the same file stands under the one in force, as the lake records."""
    objects = objects_at(house.uri)
    for key in superseded(objects, ring.in_force("file").id):
        reach("rotate:delete", "before")
        objects.delete(key)


def _retire(house: House, keeper: Keeper, today: date) -> list[str]:
    """Mark keys that nothing uses any more; they still open what a backup or an older snapshot holds."""
    use, ring = use_of(house), keeper.ring()
    used = {"seal": set(use.contacts), "file": set(use.raw) | waiting_requests(objects_at(house.uri))}
    gone = [
        key.id for purpose in ROTATED for key in ring.keys(purpose)
        if key.retired_on is None and key != ring.in_force(purpose) and key.id not in used[purpose]
    ]  # fmt: skip
    if gone:
        with suppress(ConfigurationError):  # where only a person can write, `strata keys show` tells them
            changed(house, keeper, lambda standing: _retired(standing, used, today))
    return sorted(set(gone))


def _retired(ring: KeyRing, used: Mapping[str, set[str]], today: date) -> KeyRing:
    return ring.model_copy(update={
        purpose: tuple(
            key if key.retired_on or key == ring.in_force(purpose) or key.id in used[purpose]
            else key.model_copy(update={"retired_on": today})
            for key in ring.keys(purpose)
        )
        for purpose in ROTATED
    })  # fmt: skip


def _told(ring: KeyRing, use: Use, *, makes: bool) -> Told:
    return {
        "new_keys": makes, "seal_key": ring.in_force("seal").id, "file_key": ring.in_force("file").id,
        "contacts": sum(use.contacts.values()) if makes else use.stale_contacts(ring),
        "raw_files": len({raw for files in use.raw.values() for raw in files}) if makes else len(use.stale_raw(ring)),
    }  # fmt: skip
