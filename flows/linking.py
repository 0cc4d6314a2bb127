"""Declare what no export says of two keys: a line in the brand's own list, taken in like any other file."""

from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from flows.clock import now, parse_instant
from flows.declaring import take_in
from flows.naming import Register, register_of
from tasks.errors import ConfigurationError, MissingDataError
from tasks.settings import Settings

Link = Literal["must", "cannot", "rebind"]
HEADER = ("link", "key_a", "key_b", "decided_at", "evidence")
MEANING = {
    "must": "are one person", "cannot": "are two persons", "rebind": "left its owner, and is somebody else's since",
}  # fmt: skip


def declare(
    link: Link, first: str, second: str, evidence: str, *, at: str = "", received_at: str = "", dry_run: bool = False,
    uri: str = "", policy: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Take in one declaration about two keys, or ids of customers, which stand for the key that named them.

    Raises:
        ConfigurationError: no evidence, the same key twice, or a value that is no key.
        MissingDataError: an id that nobody ever had.
    """
    uri = uri or Settings().lake
    register = register_of(uri)
    keys = [_key(register, text) for text in (first, second or first)]
    _require_sense(link, keys, evidence)
    decided_at = parse_instant(at, register.policy.brand.zone) if at else now()
    told = {
        "link": link,
        "keys": keys[:1] if link == "rebind" else sorted(keys),
        "means": f"{'the number' if link == 'rebind' else 'the two keys'} {MEANING[link]}",
        "customers_now": sorted({owner for key in keys if (owner := _owner(register, key))}),
        "decided_at": decided_at,
        "outcome": "dry run: nothing was written",
    }
    if not dry_run:
        line = (link, keys[0], "" if link == "rebind" else keys[1], decided_at.isoformat(), evidence.strip())
        told["outcome"] = take_in(
            "identity_links", HEADER, [line], exported_at=line[3], received_at=received_at, uri=uri, policy=policy
        )
        zone = ZoneInfo(register.policy.brand.zone)
        told["next"] = (
            f"strata refresh --as-of {decided_at.astimezone(zone):%Y-%m-%d}, or a later date: it holds from then"
        )
    return told


def _key(register: Register, text: str) -> str:
    """The printed key; of an id the key that gave it."""
    if not text.startswith("c_"):
        return register.key(text)
    named = register.identities.filter(pl.col("own_id") == text)
    if named.is_empty():
        raise MissingDataError(
            f"there is no customer {text} at {register.day}", expected="an id of that date, or a key",
            next_step="see `strata identity explain`",
        )  # fmt: skip
    return str(named["key"][0])


def _owner(register: Register, key: str) -> str | None:
    owned = register.identities.filter(pl.col("key") == key).sort("epoch")
    return None if owned.is_empty() else str(owned["one_id"][-1])


def _require_sense(link: Link, keys: list[str], evidence: str) -> None:
    if not evidence.strip():
        raise ConfigurationError(
            "a declaration without evidence", expected="who or what says so: a form, a call, a carrier's notice",
            next_step="pass --evidence; no name or number belongs there",
        )  # fmt: skip
    if link != "rebind" and keys[0] == keys[1]:
        raise ConfigurationError("both are the same key", expected="two keys", next_step="name the other one")
