"""The policy of every run, kept under its digest, so that a past rule can be read and run again."""

import json

from tasks.errors import MissingDataError
from tasks.policy.load import canonical, digest_of, parse_policy
from tasks.policy.models import Policy
from tasks.stores.objects import Objects


def keep_policy(objects: Objects, policy: Policy) -> str:
    """Store the policy unless it is there, and return its digest."""
    digest = digest_of(policy)
    key = _key(digest)
    if objects.head(key) is None:
        objects.create(key, canonical(policy).encode())
    return digest


def stored_policy(objects: Objects, digest: str) -> Policy:
    """The policy with that digest.

    Raises:
        MissingDataError: no run with that policy has been here, or its file was altered.
    """
    policy = parse_policy(json.loads(objects.read(_key(digest))), f"policy {digest[:12]}")
    if digest_of(policy) != digest:
        raise MissingDataError(
            f"{_key(digest)} does not have the digest of its name",
            expected="the policy as it was stored",
            next_step="restore the file from a backup, then run `strata verify`",
        )
    return policy


def _key(digest: str) -> str:
    return f"policies/{digest}/policy.json"
