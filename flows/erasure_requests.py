"""Requests for erasure before they are carried out: who is meant, sealed at once; what would go, as numbers."""

import re
from pathlib import Path
from typing import Any

import polars as pl

from flows.begin import House, begin, scratch_of
from flows.plan import outbox_of
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.sources.cells import read_cells
from tasks.sources.layouts import Cell
from tasks.steps.cutting import Files, find_everywhere
from tasks.steps.erasing import Room, counted
from tasks.steps.house import objects_at, pseudonymiser_now
from tasks.steps.keyring import keeper_of
from tasks.steps.recall import concerned_masters, concerned_sends
from tasks.steps.renaming import rename_tables
from tasks.steps.restating import named_in, restatements
from tasks.stores.abandoned import desk
from tasks.stores.erasure_requests import REQUEST, Requests, new_id

_PRINTED = re.compile(r"[a-z_]+:[^:]*(?::[^:]+)*:[0-9a-f]{64}")
_TYPED = re.compile(r"(?P<kind>[a-z_]+):(?P<scope>.*):(?P<value>[^:]+)")
_ID = re.compile(r"c_[a-z2-7]{16}")
CONTACTS = ("phone", "email")


def is_safe_to_type(text: str) -> bool:
    """Whether a command line may show it: a customer id or a printed key, which name nobody without the brand's key."""
    return bool(_ID.fullmatch(text) or _PRINTED.fullmatch(text))


def key_of_text(text: str, house: House) -> str:
    """The customer id or printed key that is meant by what a person typed at a prompt.

    Raises:
        ConfigurationError: neither an id, a key, a phone number nor an e-mail address; it is not repeated.
    """
    text = text.strip()
    if is_safe_to_type(text):
        return text
    kind, scope, value = _parted(text)
    if value is None:
        raise ConfigurationError(
            "that is no phone number, e-mail address, customer id or key",
            expected="a number, an address, c_…, or type:scope:value such as member:youzan:12",
            next_step="check it and try again",
        )
    named = pseudonymiser_now(house.policy, house.uri)(kind, scope, pl.lit(value))
    return f"{kind}:{scope}:{pl.select(named).item()}"


def _parted(text: str) -> tuple[str, str, str | None]:
    typed = _TYPED.fullmatch(text)
    if typed and typed["kind"] not in CONTACTS:
        return typed["kind"], typed["scope"], typed["value"]
    value = typed["value"] if typed else text
    kind = "email" if "@" in value else "phone"
    read = read_cells(pl.Series([value]), Cell(header=kind, parse=kind), "UTC")
    return kind, "", read["value"][0] if read["fault"][0] is None else None


def seal_request(asked: str, house: House) -> str:
    """Seal who is meant, and return the id under which the erasure is carried out."""
    request_id = new_id()
    ring = keeper_of(house.policy, house.uri).ring()
    content = {"asked": asked, "asked_at": house.started_at.isoformat()}
    Requests(objects_at(house.uri), ring, Path(Settings().scratch)).seal(request_id, REQUEST, content)
    return request_id


def waiting_requests(house: House) -> list[str]:
    """Ids of requests that were not carried out to their end."""
    ring = keeper_of(house.policy, house.uri).ring()
    return list(Requests(objects_at(house.uri), ring, Path(Settings().scratch)).waiting())


def rehearse(asked: str, parameters: Any, house: House) -> dict[str, Any]:
    """Table by table, file by file, send by send: what an erasure would change. Nothing is written."""
    request_id, snapshot = new_id(), house.lake.snapshot()
    run = begin(house, "forget", {"request": request_id}, snapshot=snapshot, known_as_of=house.started_at)
    with scratch_of(run):
        room = Room(run, request_id)
        state = room.decide(asked, house.started_at)
        done = rename_tables(room, state, is_dry=True)
        with desk(Path(Settings().scratch)) as scratch:
            files = Files(room, scratch)
            found, _ = find_everywhere(files, state)
        names = [{"file": files.known[sha256]["name"], "rows": len(rows)} for sha256, rows in found.items()]
        sends = [send.id for send in concerned_sends(outbox_of(parameters), state)]
        masters = concerned_masters(outbox_of(parameters), state)
        holds = {
            "named_in_policy": named_in(house.policy, state),
            "stored_policies": len(restatements(room, state)),
        }
    told = {"outcome": "dry run", "found": counted(state), "rows": done.rows, "raw_files": names, "sends": sends}
    told["masters"] = masters
    if holds["named_in_policy"]:
        told["first"] = "take the customer out of the policy: an erasure is refused while it names them"
    return told | holds
