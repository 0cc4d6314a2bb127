"""Two hundred publishers killed at random moments, while vendors poll all along: whole revisions, each person once.

Plain and locked files, on a directory and on the real S3 server. One vendor follows CURRENT.json, the other
_SUCCESS; both go on where they stood, as machines that know nothing of the deaths. Only what died by the signal counts.
"""

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from threading import Timer
from typing import NamedTuple

import pytest

from tasks.settings import Settings
from tasks.stores.index import orphans
from tasks.stores.objects import Objects, open_objects
from tests.faults.test_locked_kill import LOCKED, VENDOR, contacts, publisher, swept
from tests.support.sends import SEND
from tests.support.vendor_client import Bucket, Folder, Store, VendorClient, as_it_is, with_age
from tests.support.warm import Forked
from tests.support.weed import Endpoint

KILLS, KILLS_OF_A_SEND, REPAIRED = 200, 20, 0.5
NOTHING_NEW, UNMARKED, WHOLE = "nothing new visible", "visible, not yet marked", "visible and marked"
TOO_LATE, REPAIR = "ended before the kill", "run again to the end"
PLAIN: dict = {}


@dataclass
class Vendor:
    """A vendor's machine and what it was told so far."""

    machine: VendorClient
    recalled: list[str] = field(default_factory=list)
    polls: int = 0

    def poll(self) -> None:
        self.polls += 1
        self.recalled += [contact for batch in self.machine.poll() for contact in batch.recalled]

    @property
    def sent(self) -> list[str]:
        return [contact for _, contact in self.machine.sent]


class Place(NamedTuple):
    """An outbox: its store, the vendor's view of it, and what a process needs to write there."""

    objects: Objects
    view: Store
    env: dict[str, str]


class World:
    """One outbox, who is wanted in its one send, and two vendors who poll it."""

    def __init__(self, place: Place, profile: dict, chance: random.Random) -> None:
        """Begin with nobody."""
        self.objects, self.view, self.env = place
        self.profile, self.chance = profile, chance
        self.opener = with_age(VENDOR) if profile is LOCKED else as_it_is
        self.vendors = self.fresh()
        self.wanted: list[int] = []
        self.ever = 0
        self.seconds = 0.0

    def fresh(self) -> list[Vendor]:
        """Two vendors who come for the first time."""
        ways = ("pointer", "success")
        return [Vendor(VendorClient(self.view, SEND.vendor, follow, self.opener)) for follow in ways]

    def another_round(self) -> None:
        """Up to three people more, now and then one less who is never wanted again."""
        for _ in range(self.chance.randint(1, 3)):
            self.ever += 1
            self.wanted.append(self.ever)
        if len(self.wanted) > 3 and self.chance.random() < 0.3:
            self.wanted.remove(self.chance.choice(self.wanted))

    def publish(self) -> None:
        """Publish in a child that nobody kills, polled all the while."""
        child, begun = publisher(self.objects.uri, self.profile, self.wanted, self.env), time.monotonic()
        self.watch(child)
        assert child.returncode == 0, child.communicate()[1]
        self.seconds = time.monotonic() - begun

    def kill(self) -> str:
        """Publish in a child that dies at a random moment; what that left, or that it had ended before."""
        before = self.newest()
        child = publisher(self.objects.uri, self.profile, self.wanted, self.env)
        killer = Timer(self.chance.uniform(0, self.seconds), kill, [child])
        killer.start()
        self.watch(child)
        killer.cancel()
        if child.wait() != -signal.SIGKILL:
            return TOO_LATE
        by_pointer, by_mark = self.newest()
        if by_pointer == before[0]:
            return NOTHING_NEW
        return WHOLE if by_mark == by_pointer else UNMARKED

    def newest(self) -> tuple[int, ...]:
        """The number of the newest revision that each of the two vendors knows."""
        return tuple(max(vendor.machine.handled.get(SEND.id, {0})) for vendor in self.vendors)

    def watch(self, child: Forked) -> None:
        while child.poll() is None:
            self.look()
        self.look()

    def look(self) -> None:
        """Both vendors poll: nobody was told twice, nobody who was never wanted, nobody recalled who is wanted."""
        for vendor in self.vendors:
            vendor.poll()
            assert len(vendor.sent) == len(set(vendor.sent))
            assert set(vendor.sent) <= set(contacts(range(1, self.ever + 1)))
            assert len(vendor.recalled) == len(set(vendor.recalled))
            assert not set(vendor.recalled) & set(contacts(self.wanted))

    def end(self) -> None:
        """Finish: all vendors, old and new, know the same; nothing is left over after the sweep."""
        self.publish()
        swept(self.objects)
        assert orphans(self.objects) == ()
        self.look()
        for vendor in (*self.vendors, *self.fresh()):
            vendor.poll()
            assert len(vendor.sent) == len(set(vendor.sent))
            assert set(vendor.sent) - set(vendor.recalled) == set(contacts(self.wanted))


def kill(child: Forked) -> None:
    """End it unless it just ended."""
    with suppress(ProcessLookupError):
        child.kill()


@pytest.fixture(params=["directory", "s3"])
def places(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Outboxes without end."""
    settings: Settings = request.getfixturevalue(f"{request.param}_settings")
    server = request.getfixturevalue("s3_server") if request.param == "s3" else None
    return (_place(f"{settings.lake}/{number}", settings, server) for number in count())


def _place(uri: str, settings: Settings, server: Endpoint | None) -> Place:
    objects = open_objects(uri, settings)
    if server is None:
        return Place(objects, Folder(Path(uri.removeprefix("file://"))), {})
    prefix = uri.removeprefix(f"s3://{server.bucket}/") + "/"
    return Place(objects, Bucket(server.client(), server.bucket, prefix), server.env())


def one_send(world: World, told: Counter[str]) -> int:
    """Publish a send through twenty deaths; half of them are followed by a run that stands. Returns the polls."""
    world.another_round()
    world.publish()
    deaths = 0
    while deaths < KILLS_OF_A_SEND:
        world.another_round()
        left = world.kill()
        told[left] += 1
        deaths += left != TOO_LATE
        if world.chance.random() < REPAIRED:
            world.publish()
            told[REPAIR] += 1
    world.end()
    return sum(vendor.polls for vendor in world.vendors)


@pytest.mark.proof
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("profile", [PLAIN, LOCKED], ids=["plain", "locked"])
def test_two_hundred_kills_at_random_moments(places: Iterator[Place], profile: dict):
    chance, told, begun = random.Random(6), Counter[str](), time.monotonic()  # noqa: S311 - can be played again
    polls = sum(one_send(World(place, profile, chance), told) for place in islice(places, KILLS // KILLS_OF_A_SEND))
    assert sum(told[left] for left in (NOTHING_NEW, UNMARKED, WHOLE)) == KILLS
    assert all(told[left] for left in (NOTHING_NEW, WHOLE)), told
    seconds = time.monotonic() - begun
    sys.stdout.write(f"\n{KILLS} kills: {dict(sorted(told.items()))}, {polls} polls, {seconds:.0f} s\n")
