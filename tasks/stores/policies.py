"""The policy of every run, kept under its digest, so that a past rule can be read and run again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tasks.errors import DamagedError, SecurityRefusedError
from tasks.policy.load import canonical, digest_of, over_defaults, parse_policy
from tasks.policy.mentions import under_other_names
from tasks.policy.models import Policy
from tasks.stores.objects import Objects


def keep_policy(objects: Objects, policy: Policy) -> str:
    """Store the policy unless it is there, and return its digest.

    Raises:
        SecurityRefusedError: somebody whom it names was forgotten, and taken out of it.
    """
    digest = digest_of(policy)
    key = policy_key(digest)
    if objects.head(key) is None and not policy.recorded_as:
        _refuse_return(objects, digest)
        objects.create(key, canonical(policy).encode())
    return digest


def _refuse_return(objects: Objects, digest: str) -> None:
    if objects.head(restated_key(digest)):
        raise SecurityRefusedError(
            "the policy names a customer who was forgotten", expected="a policy without them",
            next_step="take the line out (most often of holds.yaml); an older copy of it has come back",
        )  # fmt: skip


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
    if objects.head(key) is None and objects.head(restated_key(digest)):
        return _parsed(objects.read(restated_key(digest)), digest).as_recorded(digest)
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


def restated_policies(objects: Objects, names: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Digest and new content of every stored policy that names one of these people, in whatever text.

    `names` are customer ids and pseudonyms to those that they have afterwards; why something was held is blanked.
    """
    for digest in sorted({meta.key.split("/")[1] for meta in objects.list("policies/")}):
        keys = (policy_key(digest), restated_key(digest))
        content = json.loads(next(objects.read(key) for key in keys if objects.head(key)))
        renamed = under_other_names(content, names)
        if renamed != content:
            yield digest, json.dumps(renamed, ensure_ascii=False, sort_keys=True, indent=1).encode()


def restate(objects: Objects, digest: str, content: bytes) -> None:
    """Put a policy in the place of the one that was stored; comes it twice, nothing changes."""
    objects.put(restated_key(digest), content)
    objects.delete(policy_key(digest))


def restated_key(digest: str) -> str:
    """The key of what stands in place of a policy since an erasure; its own digest is in the erasure's record."""
    return f"policies/{digest}/restated.json"


def policy_key(digest: str) -> str:
    """The key of the policy, whose digest is the SHA-256 of its file."""
    return f"policies/{digest}/policy.json"
