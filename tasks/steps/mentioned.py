"""A policy that names somebody who was forgotten is refused before a run stores it. No task stands here."""

import json

from tasks.errors import SecurityRefusedError
from tasks.policy.load import canonical
from tasks.policy.mentions import mentions, shown
from tasks.policy.models import Policy
from tasks.refs import Snapshot
from tasks.steps.keyring import forgotten_at, opens_marks
from tasks.stores.tables import Lake
from tasks.transforms.erasure import renamed_ids

EPOCHS = 9
"""How often a number may have been given away for the ids of its owners to be recognised."""
_RECORDS = ("order:", "event:")


def refuse_forgotten(policy: Policy, lake: Lake, uri: str, snapshot: Snapshot) -> None:
    """Make sure that a policy names nobody who was forgotten, before a run stores it.

    Where the ring has no tombstone key (one for analysis) nobody can tell; an ingest is refused there anyway.

    Raises:
        SecurityRefusedError: it does; the name is not repeated.
    """
    told = mentions(json.loads(canonical(policy)))
    if not told or "tombstones" not in snapshot.tables or not opens_marks(policy, uri):
        return
    keys = sorted(mark for mark in forgotten_at(policy, lake, uri, snapshot) if not mark.startswith(_RECORDS))
    names = {key.rpartition(":")[2] for key in keys}
    names |= set(renamed_ids({key: key for key in keys}, dict.fromkeys(keys, EPOCHS)))
    if places := [place for place, found in told.items() if not found.isdisjoint(names)]:
        raise SecurityRefusedError(
            f"the policy names a customer who was forgotten: {shown(places)}",
            expected="a policy that names nobody who was forgotten, since every run stores its policy in the lake",
            next_step="take these lines out; perhaps an older copy of a file has come back",
        )
