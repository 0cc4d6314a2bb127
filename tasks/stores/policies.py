"""The policy of every run, kept under its digest, so that a past rule can be read and run again."""

import hashlib
import json
from functools import lru_cache

from tasks.errors import DamagedError
from tasks.policy.load import canonical, digest_of, over_defaults, parse_policy
from tasks.policy.models import Policy
from tasks.stores.objects import Objects


def keep_policy(objects: Objects, policy: Policy) -> str:
    """Store the policy unless it is there, and return its digest."""
    digest = digest_of(policy)
    key = policy_key(digest)
    if objects.head(key) is None:
        objects.create(key, canonical(policy).encode())
    return digest


_IN_HAND: dict[str, Policy] = {}


def hold_policy(policy: Policy) -> str:
    """Let this process find the policy under its digest, which is returned; nothing is stored, for dry runs."""
    digest = digest_of(policy)
    _IN_HAND[digest] = policy
    return digest


def stored_policy(objects: Objects, digest: str) -> Policy:
    """The policy with that digest.

    Raises:
        MissingDataError: no run with that policy has been here.
        DamagedError: its file was altered.
    """
    if digest in _IN_HAND:
        return _IN_HAND[digest]
    key = policy_key(digest)
    data = objects.read(key)
    if hashlib.sha256(data).hexdigest() != digest:
        raise DamagedError(
            f"{key} does not have the digest of its name",
            expected="the policy as it was stored",
            next_step="restore the file from a backup, then run `strata verify`",
        )
    return _parsed(data, digest)


@lru_cache(maxsize=16)
def _parsed(data: bytes, digest: str) -> Policy:
    """Parse a stored policy once per process: every step of a run asks for it."""
    return parse_policy(over_defaults(json.loads(data)), f"policy {digest[:12]}")


def policy_key(digest: str) -> str:
    """The key of the policy, whose digest is the SHA-256 of its file."""
    return f"policies/{digest}/policy.json"
