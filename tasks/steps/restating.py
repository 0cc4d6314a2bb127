"""Locks and flags of fraud that name a person who is forgotten: in the policies of past runs. No task stands here."""

import hashlib

from tasks.errors import SecurityRefusedError
from tasks.policy.models import Policy
from tasks.steps.erasing import Room, State, tokens_of
from tasks.stores.policies import restate, restated_policies


def held_lines(policy: Policy, state: State) -> int:
    """How many lines of holds.yaml name the person, by an id of now or of before."""
    ids = tokens_of(state)
    held = [*(lock.one_id for lock in policy.holds.locks), *(fraud.one_id for fraud in policy.holds.frauds)]
    return sum(one_id in ids for one_id in held)


def refuse_held(room: Room, state: State) -> None:
    """Make sure that the policy in force does not bring the person's id back with the next run.

    Raises:
        SecurityRefusedError: holds.yaml names them.
    """
    if lines := held_lines(room.policy, state):
        raise SecurityRefusedError(
            f"holds.yaml names the person of request {room.request_id} in {lines} of its lines",
            expected="a policy that does not, since every run stores its policy in the lake",
            next_step="take these lines out (`strata explain` shows the lock), then `strata forget --resume` with that "
            "policy; the policies of past runs are rewritten",
        )  # fmt: skip


def restatements(room: Room, state: State) -> dict[str, str]:
    """Digest of every stored policy that names the person, to the SHA-256 of what will stand in its place."""
    found = restated_policies(room.objects, state.naming.tokens)
    return {digest: hashlib.sha256(content).hexdigest() for digest, content in found}


def restate_all(room: Room, state: State) -> None:
    """Put these policies in place, under the person's new name; comes it twice, nothing is left to do."""
    for digest, content in list(restated_policies(room.objects, state.naming.tokens)):
        restate(room.objects, digest, content)
