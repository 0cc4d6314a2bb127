"""Policies that name a person who is forgotten: the one in force, and those of past runs. No task stands here."""

import hashlib
import json

from tasks.errors import SecurityRefusedError
from tasks.policy.load import canonical
from tasks.policy.mentions import places_of, shown
from tasks.policy.models import Policy
from tasks.steps.erasing import Room, State, tokens_of
from tasks.stores.policies import restate, restated_policies


def named_in(policy: Policy, state: State) -> list[str]:
    """Places of a policy that name the person, by an id of now or of before, or by a pseudonym."""
    return places_of(json.loads(canonical(policy)), tokens_of(state))


def refuse_named(room: Room, state: State) -> None:
    """Make sure that the policy in force does not bring the person's id back with the next run.

    Raises:
        SecurityRefusedError: it names them, as a lock in holds.yaml does.
    """
    if places := named_in(room.policy, state):
        raise SecurityRefusedError(
            f"the policy names the person of request {room.request_id}: {shown(places)}",
            expected="a policy that does not, since every run stores its policy in the lake",
            next_step="take these lines out (`strata explain` shows a lock), then `strata forget --resume` with that "
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
