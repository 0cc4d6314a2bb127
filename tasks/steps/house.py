"""Open the rooms that a step works in: the lake, the outbox, the policy, the keys. No task stands here."""

from functools import cache
from pathlib import Path

from tasks.policy.models import Policy
from tasks.refs import Run, Snapshot
from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tasks.stores.policies import stored_policy
from tasks.stores.tables import Lake
from tasks.stores.vault import KeyRing, open_key_ring


@cache
def objects_at(uri: str) -> Objects:
    """The object store below `uri`, with this process's credentials."""
    return open_objects(uri, Settings())


@cache
def lake_at(uri: str) -> Lake:
    """The lake whose root is `uri`."""
    return Lake(objects_at(uri))


def snapshot_of(run: Run) -> Snapshot:
    """The snapshot that the run reads, however far the lake has moved since."""
    return lake_at(run.lake).at(run.base_seq)


def policy_of(run: Run) -> Policy:
    """The policy under which the run runs, as it was stored when the run began."""
    return stored_policy(objects_at(run.lake), run.policy_digest)


def key_ring(policy: Policy, lake: str) -> KeyRing:
    """The brand's keys; only a published key, the settings or a 0600 file beside a local lake give one."""
    settings = Settings()
    local = Path(lake.removeprefix("file://"))
    key_file = None if "://" in str(lake).removeprefix("file://") else local.parent / f"{policy.brand.code}.key"
    return open_key_ring(policy.brand.code, policy.brand.key_name, settings.key, key_file)
