"""Where a brand's key ring is found, and which part of it each role is handed. No task stands here.

Steps take a Pseudonymiser or a Sealer from here. `keeper_of` hands out the ring itself: who may import it is
held by a test (delivery's door, the officers' commands, the rotation of keys).
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tasks.errors import ConfigurationError
from tasks.policy.models import Policy
from tasks.refs import Snapshot
from tasks.settings import Settings
from tasks.stores.keys import Given, Keeper, KeyFile, Source
from tasks.stores.runs import pseudonym_key
from tasks.stores.tables import Lake
from tasks.stores.tombstones import open_marks
from tasks.stores.vault import Pseudonymiser, Sealer


@dataclass(frozen=True)
class SecretBlock:
    """A Prefect Secret block: what the Prefect server keeps encrypted under a key of its own."""

    block: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"the Prefect Secret block {self.block}"

    def look(self) -> str:
        """See Source."""
        from prefect.blocks.system import Secret  # noqa: PLC0415  only who keeps keys there wakes Prefect

        try:
            block: Any = Secret.load(self.block)
        except ValueError as error:
            raise ConfigurationError(
                f"{self.name} is not there",
                expected="a Secret block of that name on the Prefect server in use",
                next_step="make it in Prefect's dashboard under Blocks, or unset STRATA_KEY_BLOCK",
            ) from error
        value = block.get()
        return value if isinstance(value, str) else json.dumps(value)

    def read(self) -> str:
        """See Source."""
        return self.look()

    def write(self, text: str) -> None:
        """See Source."""
        from prefect.blocks.system import Secret  # noqa: PLC0415

        Secret(value=text).save(self.block, overwrite=True)


def keeper_of(policy: Policy, lake: str) -> Keeper:
    """Who keeps the brand's ring: the environment, a Prefect block, or a 0600 file beside a local lake."""
    settings = Settings()
    return Keeper(policy.brand.code, policy.brand.key_name, _source(settings, policy, lake), settings)


def pseudonymiser_at(policy: Policy, lake: Lake, uri: str, snapshot: Snapshot) -> Pseudonymiser:
    """What names people in that snapshot: the chain of keys as far as the lake had come then.

    Raises:
        SecurityRefusedError: the ring lacks the key that named the people of this lake.
        ConfigurationError: there is no ring, and the lake has people.
    """
    ring = keeper_of(policy, uri).ring(may_make=snapshot.seq == 0)
    if snapshot.seq == 0:
        return Pseudonymiser.of(ring)
    return Pseudonymiser.of(ring, _key_in_force(lake, snapshot) or ring.pseudonym[0].id)


def sealer_of(policy: Policy, uri: str) -> Sealer:
    """What seals from now on; ask for the pseudonymiser first, which looks whether the lake has another ring."""
    return Sealer.of(keeper_of(policy, uri).ring(may_make=True))


def forgotten_at(policy: Policy, lake: Lake, uri: str, snapshot: Snapshot) -> frozenset[str]:
    """Printed keys and records of people who were forgotten, by their marks in that snapshot; for an ingest."""
    if "tombstones" not in snapshot.tables:
        return frozenset()
    marks = lake.scan("tombstones", snapshot).select("mark").collect()["mark"]
    return open_marks(marks, keeper_of(policy, uri).ring().tombstone)


def opens_marks(policy: Policy, uri: str) -> bool:
    """Whether the ring can tell who was forgotten; one for analysis alone cannot."""
    return keeper_of(policy, uri).ring().tombstone is not None


@cache
def _key_of(lake: Lake, manifest_sha256: str) -> str | None:
    return pseudonym_key(lake, Snapshot(manifest_sha256=manifest_sha256))


def _key_in_force(lake: Lake, snapshot: Snapshot) -> str | None:
    return _key_of(lake, snapshot.manifest_sha256)


def _source(settings: Settings, policy: Policy, lake: str) -> Source | None:
    if settings.key and settings.key_block:
        raise ConfigurationError(
            "both STRATA_KEY and STRATA_KEY_BLOCK are set", expected="one place of keys", next_step="unset one of them"
        )
    if settings.key:
        return Given(settings.key)
    if settings.key_block:
        return SecretBlock(settings.key_block)
    if settings.key_file:
        return KeyFile(Path(settings.key_file))
    local = str(lake).removeprefix("file://")
    return None if "://" in local else KeyFile(Path(local).parent / f"{policy.brand.code}.key")
