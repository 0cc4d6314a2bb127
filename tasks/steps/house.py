"""Open the rooms that a step works in: the lake, the outbox, the policy, pseudonyms. No task stands here."""

from functools import cache

from tasks.policy.models import Policy
from tasks.refs import Run, Snapshot
from tasks.settings import Settings
from tasks.steps.keyring import pseudonymiser_at
from tasks.stores.objects import Objects, open_objects
from tasks.stores.policies import stored_policy
from tasks.stores.tables import Lake
from tasks.stores.vault import Pseudonymiser


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


def pseudonymiser_of(run: Run) -> Pseudonymiser:
    """What names people in the snapshot that the run reads."""
    return pseudonymiser_at(policy_of(run), lake_at(run.lake), run.lake, snapshot_of(run))


def pseudonymiser_now(policy: Policy, uri: str) -> Pseudonymiser:
    """What names people in the lake as it stands."""
    lake = lake_at(uri)
    return pseudonymiser_at(policy, lake, uri, lake.snapshot())
