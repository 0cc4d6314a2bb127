"""A request for erasure while it is carried out, sealed in the lake between its steps. No task stands here."""

from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from tasks.errors import MissingDataError
from tasks.policy.models import Policy
from tasks.refs import Ref, Run
from tasks.settings import Settings
from tasks.steps.forgotten import find_person, ids_of
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import EVERY_TYPE, Purpose
from tasks.stores.erasure_requests import REQUEST, STATE, Requests, new_secret
from tasks.stores.opener import Opener
from tasks.stores.ring import KeyRing
from tasks.transforms.erasure import Person, Renaming, renaming_of

ROLE = "erasure"
RECALL_DAYS = 30
"""Days for which a vendor finds the recall file."""


class Cut(Ref):
    """One raw file without the person's rows."""

    name: str
    rows: tuple[int, ...]
    """Numbers of the rows taken out, as received."""
    key: str
    """The object that stands now."""
    raw_sha256: str
    bytes: int = 0
    replaces: tuple[str, ...] = ()
    """Objects that it stands in place of."""


class State(Ref):
    """Everything that a request needs to be carried out, and nobody may see: it is sealed, and destroyed at the end."""

    secret: str = Field(repr=False)
    asked_at: datetime
    keys: tuple[str, ...]
    seq: int = Field(description="snapshot from which keys, orders and events were read")
    epochs: dict[str, int] = Field(default={})
    orders: tuple[tuple[str, str, str], ...] = ()
    events: tuple[tuple[str, str], ...] = ()
    numbers: tuple[str, ...] = ()
    contacts: dict[str, str] = Field(default={}, repr=False, description="recipient key to plain contact")
    values: tuple[str, ...] | None = Field(default=None, repr=False, description="what stood in raw files, in clear")
    cuts: dict[str, Cut] = Field(default={}, description="SHA-256 of the file as received to what stands now")
    sends: tuple[str, ...] = ()
    masters: tuple[str, ...] = Field(default=(), description="hand-overs of the customer master that were deleted")
    older: dict[str, str] = Field(default={}, description="names of before a re-key to the names afterwards")
    older_keys: dict[str, str] = Field(default={}, description="recipient key of before a re-key to that of now")
    lists: dict[str, str] = Field(
        default={}, description="lists of ids that a re-key left, to those without the person"
    )

    @property
    def person(self) -> Person:
        """Who is meant."""
        return Person(
            frozenset(self.keys), self.epochs, frozenset(self.orders), frozenset(self.events), frozenset(self.numbers)
        )

    @property
    def naming(self) -> Renaming:
        """How they are called afterwards; worked out at each call, because a copy of the state may know more."""
        naming = renaming_of(self.person, bytes.fromhex(self.secret))
        lists = {_digest_in(old): _digest_in(new) for old, new in self.lists.items() if old != new}
        return replace(naming, tokens={**naming.tokens, **self.older, **lists})

    @property
    def asked_on(self) -> date:
        """Date of the request, UTC."""
        return self.asked_at.date()


def _digest_in(path: str) -> str:
    """The digest by which a list of ids is called."""
    return path.rpartition("/")[2].removesuffix(".csv")


class Room:
    """Where one request is worked on."""

    def __init__(self, run: Run, request_id: str) -> None:
        """Open nothing yet."""
        self.run, self.request_id = run, request_id
        self.objects, self.lake = objects_at(run.lake), lake_at(run.lake)

    @cached_property
    def policy(self) -> Policy:
        """The policy of the run."""
        return policy_of(self.run)

    @cached_property
    def ring(self) -> KeyRing:
        """The brand's full ring."""
        return keeper_of(self.policy, self.run.lake).ring()

    @property
    def requests(self) -> Requests:
        """The requests of the lake."""
        return Requests(self.objects, self.ring, Path(Settings().scratch))

    def opener(self, contact_type: str, most: int) -> Opener:
        """What opens sealed things for this request, each on the record."""
        purpose = Purpose(role=ROLE, what=f"request {self.request_id}", contact_type=contact_type, most=most)
        return Opener(self.ring, self.objects, purpose)

    def state(self) -> State:
        """What is known so far; worked out and sealed at the first call.

        Raises:
            MissingDataError: there is no such request, or nobody is meant by it.
        """
        known = self.requests.open(self.request_id, STATE)
        if known is not None:
            return State.model_validate(known)
        state = self.decided()
        self.keep(state)
        return state

    def keep(self, state: State) -> State:
        """Seal the state in place of the one before."""
        self.requests.seal(self.request_id, STATE, state.model_dump(mode="json"))
        return state

    def decided(self) -> State:
        """Who is meant by the request, as the run's snapshot has them, and a secret of this erasure's own."""
        asked = self.requests.open(self.request_id, REQUEST)
        if asked is None:
            raise MissingDataError(
                f"there is no request {self.request_id}",
                expected="a request that `strata forget` sealed and that is not done",
                next_step="`strata forget --waiting` lists them",
            )
        return self.decide(str(asked["asked"]), datetime.fromisoformat(str(asked["asked_at"])))

    def decide(self, asked: str, asked_at: datetime) -> State:
        """The same for a customer id or printed key."""
        person = find_person(self.lake, snapshot_of(self.run), asked)
        state = State(secret=new_secret(), asked_at=asked_at, seq=self.run.base_seq, **_listed(person))
        return state.model_copy(update={"contacts": self.contacts_of(person.pseudonyms)})

    def grown(self, state: State) -> State:
        """The state with what came in since it was decided: the person's new orders, events and keys."""
        if state.seq == self.run.base_seq:
            return state
        snapshot = snapshot_of(self.run)
        sightings = self.lake.scan("sightings", snapshot).filter(pl.col("key").is_in(list(state.keys)))
        known = sightings.select("key").unique().sort("key").collect()["key"]
        people = [state.person, *(find_person(self.lake, snapshot, key) for key in known)]
        both = Person(
            keys=frozenset().union(*(one.keys for one in people)),
            epochs={key: epoch for one in people for key, epoch in one.epochs.items()},
            orders=frozenset().union(*(one.orders for one in people)),
            events=frozenset().union(*(one.events for one in people)),
            numbers=frozenset().union(*(one.numbers for one in people)),
        )
        contacts = self.contacts_of(both.pseudonyms) if both.keys != state.person.keys else {}
        return state.model_copy(
            update={**_listed(both), "seq": self.run.base_seq, "contacts": state.contacts | contacts}
        )

    def contacts_of(self, pseudonyms: frozenset[str]) -> dict[str, str]:
        """Printed contact key to plain value of everything sealed under these pseudonyms, but names."""
        sealed = self.lake.scan("contacts", snapshot_of(self.run)).filter(
            pl.col("pseudonym").is_in(sorted(pseudonyms)), pl.col("contact_type") != "name"
        )
        rows = sealed.collect()
        if rows.is_empty():
            return {}
        opened = self.opener(EVERY_TYPE, rows.height).contacts(rows)
        return {f"{row['contact_type']}::{row['pseudonym']}": row["value"] for row in opened.iter_rows(named=True)}


def _listed(person: Person) -> dict[str, Any]:
    """A person as the state keeps them."""
    return {
        "keys": tuple(sorted(person.keys)), "epochs": dict(person.epochs), "orders": tuple(sorted(person.orders)),
        "events": tuple(sorted(person.events)), "numbers": tuple(sorted(person.numbers)),
    }  # fmt: skip


def counted(state: State) -> dict[str, Any]:
    """What was found, in numbers."""
    return {"keys": len(state.keys), "orders": len(state.orders), "events": len(state.events)}


def tokens_of(state: State) -> frozenset[str]:
    """Pseudonyms and customer ids of the person."""
    return frozenset(state.naming.tokens) | ids_of(state.person)
