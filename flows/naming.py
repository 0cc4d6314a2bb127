"""Whom somebody at the keyboard means: an id, a printed key, or a type with a plain value, which is never echoed."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from tasks.errors import ConfigurationError, MissingDataError
from tasks.policy.models import Policy
from tasks.refs import Snapshot
from tasks.sources.cells import read_cells
from tasks.sources.parts import Cell
from tasks.steps.house import lake_at, objects_at, pseudonymiser_now
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_runs
from tasks.stores.tables import Lake
from tasks.transforms.lineage import aliases

WORDS = "an id such as c_abcdefgh12345678, a printed key, or a key such as phone:13912345678 or member:qinghe:42"
_PSEUDONYM = re.compile(r"^[0-9a-f]{64}$")
_PARSED = ("phone", "email", "nick")
"""Types of keys whose values are read as files are read; others are taken as they stand."""
_UNSCOPED = ("phone", "email")


@dataclass(frozen=True)
class Register:
    """The identities of one date of a lake, to look people up in."""

    uri: str
    lake: Lake
    snapshot: Snapshot
    day: date

    @cached_property
    def identities(self) -> pl.DataFrame:
        """One row per key and epoch."""
        return self.lake.scan("identities", self.snapshot, partitions=[self.day]).collect()

    @cached_property
    def policy(self) -> Policy:
        """The policy of the newest run."""
        digests = finished_runs(self.lake, self.snapshot).get_column("policy_digest")
        return stored_policy(objects_at(self.uri), str(digests[-1]))

    def person(self, text: str) -> str:
        """The customer that an id, of whatever date, or a key belongs to at the register's date.

        Raises:
            MissingDataError: nobody has it.
        """
        return self._by_id(text) if text.startswith("c_") else self._by_key(text)

    def _by_id(self, one_id: str) -> str:
        now = aliases(self.identities.lazy()).filter(pl.col("old_id") == one_id).collect()
        if now.is_empty():
            raise MissingDataError(
                f"there is no customer {one_id} at {self.day}", expected=WORDS,
                next_step="check the id, or pass another --as-of",
            )  # fmt: skip
        return str(now["one_id"].item())

    def _by_key(self, text: str) -> str:
        key = self.key(text)
        owned = self.identities.filter(pl.col("key") == key).sort("epoch")
        if owned.is_empty():
            raise MissingDataError(
                f"nobody is known by that {kind_of(text)} key at {self.day}", expected=WORDS,
                next_step="check the value, or ask for a later --as-of; a key of too many people is nobody's: "
                "`strata identity explain` says so",
            )  # fmt: skip
        return str(owned["one_id"][-1])

    def key(self, text: str) -> str:
        """The printed key, `type:scope:pseudonym`, of a printed key or of a type, a scope and a plain value.

        Raises:
            MissingDataError: it is no key at all.
            ConfigurationError: the value cannot be a key of its type, or the scope must be told.
        """
        kind, scope, value = self._parts(text)
        if _PSEUDONYM.match(value):
            return f"{kind}:{scope}:{value}"
        named = pseudonymiser_now(self.policy, self.uri)
        return f"{kind}:{scope}:{pl.select(named(kind, scope, pl.lit(normalised(kind, value)))).item()}"

    def _parts(self, text: str) -> tuple[str, str, str]:
        kind, _, rest = text.partition(":")
        if not rest:
            raise MissingDataError(
                "that is no id and no key", expected=WORDS, next_step="name the type of the key before its value"
            )
        scope, colon, value = rest.rpartition(":")
        return (kind, scope, value) if colon or kind in _UNSCOPED else (kind, self._only_scope(kind), value)

    def _only_scope(self, kind: str) -> str:
        """The scope of a type that has one alone in this lake."""
        keys = self.identities.filter(pl.col("key_type") == kind)["key"]
        scopes = keys.str.strip_prefix(f"{kind}:").str.replace(r":[^:]*$", "").unique().sort().to_list()
        if not scopes:
            known = ", ".join(self.identities["key_type"].unique().sort())
            raise ConfigurationError(
                f"nobody has a key of type {kind}", expected=f"one of {known}", next_step="name the type of the key",
            )  # fmt: skip
        if len(scopes) > 1:
            known = ", ".join(f"{kind}:{scope}:…" for scope in scopes)
            raise ConfigurationError(
                f"{len(scopes)} scopes have keys of type {kind}", expected=f"`{kind}:SCOPE:VALUE`; there are {known}",
                next_step="name the scope",
            )  # fmt: skip
        return str(scopes[0])


def register_of(uri: str, day: date | None = None) -> Register:
    """The register of a date, the newest when none is named.

    Raises:
        MissingDataError: the lake has no customers at that date.
    """
    lake = lake_at(uri)
    snapshot = lake.snapshot()
    dates = set(lake.scan("customers", snapshot).select(pl.col("as_of").unique()).collect().to_series())
    if not dates or (day is not None and day not in dates):
        raise MissingDataError(
            f"the lake has no customers {'yet' if day is None else f'at {day}'}", expected="the date of a refresh",
            next_step="run `strata refresh`, or see `strata runs` for the dates that there are",
        )  # fmt: skip
    return Register(uri, lake, snapshot, day or max(dates))


def kind_of(text: str) -> str:
    """The type of a key; the rest may be a person's number and is not repeated."""
    return text.partition(":")[0]


def normalised(kind: str, value: str) -> str:
    """A plain value as files are read: +86 138-0013-8000 is 13800138000.

    Raises:
        ConfigurationError: it can be no key of that type; the value is not repeated.
    """
    if kind not in _PARSED:
        return value.strip()
    read = read_cells(pl.Series([value]), Cell.model_validate({"header": kind, "parse": kind}), "UTC")
    found = read["value"].item()
    if found is None:
        why = read["note"].item() or "not readable"
        raise ConfigurationError(
            f"that value can be no {kind} key ({why})", expected=f"a {kind} that names one person",
            next_step="check it for typing errors",
        )  # fmt: skip
    return str(found)
