"""What an ingest finds: files that arrived, taken apart into exports, sorted into new, known and refused before."""

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.begin import House
from tasks.policy.load import digest_of
from tasks.progress import listener
from tasks.refs import Snapshot
from tasks.settings import Settings
from tasks.sources.declared import layouts_of
from tasks.steps.house import objects_at, pseudonymiser_now
from tasks.steps.opening import Item, items_of, told_by_place
from tasks.stores.arrivals import Arrival, Inbox, Told, open_inbox
from tasks.stores.digests import code_version
from tasks.stores.runs import finished_runs
from tasks.stores.seen import Seen

Place = tuple[str | None, str | None]
"""Channel and shop that the folders around a file tell."""
Places = dict[str, Place]
NOWHERE: Place = (None, None)
CHANGED = "still being uploaded: it changed while it was read"


@dataclass(frozen=True)
class Reading:
    """What decides how a file is read, beside its bytes: told by the caller, and by where it lies."""

    shop: str
    exported_at: datetime | None
    policy_digest: str
    passwords: str
    pseudonym_key: str
    """Id of the key that names people; the run records it, so that no other ring adds to the lake."""

    def told(self) -> dict[str, Any]:
        """The part that a run records among its inputs; policy and code stand beside them."""
        exported_at = self.exported_at and str(self.exported_at)
        return {"shop": self.shop, "exported_at": exported_at, "passwords": self.passwords}


@dataclass(frozen=True)
class Looked:
    """One look at every place that was named."""

    arrivals: tuple[tuple[Inbox, Arrival], ...]
    left: tuple[Told, ...]
    refused: tuple[Told, ...]


@dataclass
class Taken:
    """The exports in all files that arrived."""

    items: list[Item] = field(default_factory=list)
    """Those that were brought here, each digest once."""
    known: dict[str, str] = field(default_factory=dict)
    """Digest to name of what needs no reading: it stands, or was refused as it would be again."""
    twice: list[str] = field(default_factory=list)
    """Names of files whose bytes another one of this call has."""
    left: list[Told] = field(default_factory=list)
    read: list[tuple[Arrival, tuple[str, ...]]] = field(default_factory=list)
    """What to remember of each file."""

    def leave(self, item: Item) -> None:
        """Say of an export that it changed under our hands; it is not to be remembered as read."""
        self.left.append(Told(name=item.name, why=CHANGED))
        self.read = [(arrival, digests) for arrival, digests in self.read if item.sha256 not in digests]

    def places(self) -> Places:
        """Digest to place, of the exports that lie in a place that tells something."""
        told = {item.sha256: (item.channel, item.shop) for item in self.items}
        return {sha256: place for sha256, place in told.items() if place != NOWHERE}


@dataclass(frozen=True)
class Standing:
    """What earlier runs made of files."""

    accepted: frozenset[str]
    refused: Places
    """Refused by the same code and policy, told the same: reading them again from that place would end the same way."""

    def needs_no_reading(self, sha256: str, place: Place) -> bool:
        """Whether nothing new can come of a file that lies in that place."""
        return sha256 in self.accepted or self.refused.get(sha256) == place


def look(paths: tuple[str, ...], settle_seconds: float) -> Looked:
    """Look into every place once.

    Raises:
        BadFileError: a file or folder is not there; nothing was read.
    """
    inboxes = [open_inbox(path, Settings()) for path in paths]
    found = [(inbox, inbox.look(settle_seconds)) for inbox in inboxes]
    return Looked(
        arrivals=tuple((inbox, arrival) for inbox, looked in found for arrival in looked.arrivals),
        left=tuple(told for _, looked in found for told in looked.left),
        refused=tuple(told for _, looked in found for told in looked.refused),
    )


def reading_of(house: House, shop: str, exported_at: datetime | None) -> Reading:
    """What decides how this run reads; of passwords a keyed trace, so that a new one is noticed."""
    passwords = "\x00".join(Settings().passwords).encode()
    named = pseudonymiser_now(house.policy, house.uri)
    trace = hmac.new(named.digest_key, passwords, "sha256").hexdigest()[:8] if passwords else ""
    return Reading(shop, exported_at, digest_of(house.policy), trace, named.key_id)


def standing(house: House, snapshot: Snapshot, reading: Reading) -> Standing:
    """Sort the files of the lake: which stand, and which would be refused again."""
    files = house.lake.scan("files", snapshot).select("sha256", "outcome").collect()
    refused = set(files.filter(outcome="refused")["sha256"])
    tried = _tried(house, snapshot, reading) if refused else {}
    again = {sha256: tried[sha256] for sha256 in refused & tried.keys()}
    return Standing(frozenset(files.filter(outcome="accepted")["sha256"]), again)


def _tried(house: House, snapshot: Snapshot, reading: Reading) -> Places:
    """Digest to place of every file whose last ingest read it as this run would."""
    tried: Places = {}
    for run in finished_runs(house.lake, snapshot).filter(flow="ingest").iter_rows(named=True):
        inputs = json.loads(run["inputs"])
        same = (run["policy_digest"], run["code_version"]) == (reading.policy_digest, code_version())
        for sha256 in inputs["files"]:
            tried.pop(sha256, None)
            if same and inputs.get("told") == reading.told():
                channel, shop = inputs["places"].get(sha256, NOWHERE)
                tried[sha256] = (channel, shop)
    return tried


def take_up(house: House, looked: Looked, reading: Reading, folder: Path) -> Taken:
    """Bring and take apart every file of which it is not known that it says nothing new."""
    channels = {layout.channel for layout in layouts_of(house.policy.layouts)}
    seen, taken = Seen(objects_at(house.uri)), Taken(left=list(looked.left))
    before = standing(house, house.lake.snapshot(), reading)
    listener().begin("Looking", len(looked.arrivals), sum(arrival.bytes for _, arrival in looked.arrivals))
    for number, (inbox, arrival) in enumerate(looked.arrivals):
        listener().at(arrival.name)
        digests, place = seen.digests(arrival), told_by_place(arrival.place, channels)
        if digests and all(before.needs_no_reading(sha256, place) for sha256 in digests):
            taken.known |= dict.fromkeys(digests, arrival.name)
        else:
            _open(inbox, arrival, folder / f"{number:05}", channels, taken)
        listener().done(arrival.bytes)
    return taken


def _open(inbox: Inbox, arrival: Arrival, folder: Path, channels: set[str], taken: Taken) -> None:
    """Bring one file here and take it apart; one that changes under our hands is left alone."""
    folder.mkdir(mode=0o700)
    path = inbox.bring(arrival, folder)
    items = items_of(path, arrival, folder, Settings().passwords, channels) if path else ()
    if path is None or not inbox.is_same(arrival):
        taken.left.append(Told(name=arrival.name, why=CHANGED))
        return
    taken.read.append((arrival, tuple(item.sha256 for item in items)))
    here = {item.sha256 for item in taken.items}
    for item in items:
        if item.sha256 in here:
            taken.twice.append(item.name)
        else:
            taken.items.append(item)
            here.add(item.sha256)
