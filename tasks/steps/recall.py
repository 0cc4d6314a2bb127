"""Take a person out of every send, and call them back at the vendors. No task stands here."""

from datetime import timedelta

import polars as pl

from tasks.policy.vendors import Vendor
from tasks.steps.dropping import drop_send
from tasks.steps.erasing import RECALL_DAYS, Room, State, tokens_of
from tasks.steps.forgotten import ids_of
from tasks.steps.house import objects_at, pseudonymiser_of, snapshot_of
from tasks.stores.access_log import EVERY_TYPE
from tasks.stores.erased_masters import delete_masters, masters_with
from tasks.stores.erased_sends import Erasure, erase_from, recipients_in, sends_with
from tasks.stores.policies import stored_policy
from tasks.stores.sends import Send, read_manifest, read_send


def recall_everywhere(room: Room, outbox: str, state: State) -> State:
    """Every send without the person; the state afterwards names the sends that were concerned.

    A vendor whose files are copied to its own server finds the recall there as well.
    """
    state = _without_masters(room, outbox, _erased(room, outbox, state))
    for send in map(Send.parse, state.sends):
        drop_send(objects_at(outbox), send, _vendor_of(room, outbox, send))
    return state


def _erased(room: Room, outbox: str, state: State) -> State:
    """The outbox without the person, and what is kept of that before anything is changed."""
    objects, tokens = objects_at(outbox), tokens_of(state)
    sends = sends_with(objects, tokens)
    if not sends:
        return state
    keys = {key for send in sends for key in recipients_in(objects, send, tokens)}
    state = _with_contacts(room, state, keys)
    state = room.keep(state.model_copy(update={"sends": tuple(sorted({*state.sends, *(send.id for send in sends)}))}))
    for send in sends:
        erase_from(objects, send, _erasure(room, outbox, send, state))
    return state


def concerned_masters(outbox: str, state: State) -> list[str]:
    """Hand-overs of the customer master that name the person now."""
    return masters_with(objects_at(outbox), ids_of(state.person))


def _without_masters(room: Room, outbox: str, state: State) -> State:
    """The outbox without hand-overs of the master that name the person; the state tells which there were."""
    found = concerned_masters(outbox, state)
    state = room.keep(state.model_copy(update={"masters": tuple(sorted({*state.masters, *found}))}))
    delete_masters(objects_at(outbox), found)
    return state


def concerned_sends(outbox: str, state: State) -> list[Send]:
    """Sends that hold the person now; for a dry run."""
    return sends_with(objects_at(outbox), tokens_of(state))


def _with_contacts(room: Room, state: State, keys: set[str]) -> State:
    """The state with the contacts by which sends reached the person, also those shared with somebody else."""
    older = {key: state.contacts[now] for key, now in state.older_keys.items() if now in state.contacts}
    state = state.model_copy(update={"contacts": state.contacts | older})
    missing = sorted({state.older_keys.get(key, key) for key in keys} - state.contacts.keys())
    named = pl.DataFrame({"recipient_key": missing}, {"recipient_key": pl.String}).with_columns(
        pseudonym=pl.col("recipient_key").str.split(":").list.last()
    )
    sealed = room.lake.scan("contacts", snapshot_of(room.run)).filter(pl.col("contact_type") != "name")
    rows = sealed.join(named.lazy(), on="pseudonym").collect()
    if rows.is_empty():
        return state
    opened = room.opener(EVERY_TYPE, rows.height).contacts(rows, ["recipient_key"])
    found = state.contacts | dict(opened.iter_rows())
    found |= {key: found[now] for key, now in state.older_keys.items() if now in found}
    return state.model_copy(update={"contacts": found})


def _erasure(room: Room, outbox: str, send: Send, state: State) -> Erasure:
    return Erasure(
        tokens=state.naming.tokens, contacts=state.contacts, vendor=_vendor_of(room, outbox, send),
        expires_on=state.asked_on + timedelta(days=RECALL_DAYS), key=pseudonymiser_of(room.run).digest_key,
    )  # fmt: skip


def _vendor_of(room: Room, outbox: str, send: Send) -> Vendor:
    """The vendor's profile as it was when the send last went out, but with today's key and server where it has any."""
    objects = objects_at(outbox)
    revisions = read_send(objects, send).published.revisions
    policy = room.policy
    if revisions:
        digest = read_manifest(objects, send, revisions[-1]).origin.policy_digest
        policy = stored_policy(room.objects, digest)
    then = policy.vendor(send.vendor)
    today = next((vendor for vendor in room.policy.vendors if vendor.code == send.vendor), then)
    return then.model_copy(
        update={"encryption": today.encryption or then.encryption, "transport": today.transport or then.transport}
    )
