"""Makes the lake's record and the outbox say the same again, after a run that was killed between the two.

The outbox is right: what stands there the vendor may have read. So this never delivers; it finishes what was left
undone there, and writes into the lake what the lake does not know yet.
"""

from dataclasses import replace
from functools import partial

from prefect import flow

from flows.agreement import STRAY, Disagreement, disagreements
from flows.begin import House, begin, open_house, scratch_of, until_published
from flows.parameters import Parameters
from flows.plan import outbox_of
from tasks.errors import StrataError
from tasks.steps.deliver import record_send
from tasks.steps.house import objects_at
from tasks.steps.knowledge import horizon_of
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.stores.index import drop_strays
from tasks.stores.outbox import finish
from tasks.stores.policies import stored_policy
from tasks.stores.sends import Send, read_manifest, read_send


@flow(name="reconcile")
def reconcile(parameters: Parameters) -> list[Disagreement]:
    """Make good what a machine can, send by send; return what it was. A damaged send is left alone. Twice is once.

    Raises:
        StrataError: some send could not be mended; every other one is.
    """
    house, outbox = open_house(parameters), outbox_of(parameters)
    mended = [one for one in disagreements(house.uri, outbox) if one.can_be_repaired]
    failed: list[StrataError] = []
    for send_id in dict.fromkeys(one.send_id for one in mended):
        try:
            _mend(house, outbox, Send.parse(send_id), {one.what for one in mended if one.send_id == send_id})
        except StrataError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return mended


def _mend(house: House, outbox: str, send: Send, what: set[str]) -> None:
    """Take a stray out of the index, or finish and record a send."""
    if STRAY in what:
        drop_strays(objects_at(outbox), send.vendor)
    if what - {STRAY}:
        finish(objects_at(outbox), send)
        until_published(partial(_record, _under(house, outbox, send), outbox, send))


def _under(house: House, outbox: str, send: Send) -> House:
    """The house under a policy that knows the campaign: today's, else that of the send's newest revision."""
    if send.campaign in {campaign.code for campaign in house.policy.campaigns}:
        return house
    objects = objects_at(outbox)
    newest = read_manifest(objects, send, read_send(objects, send).published.revisions[-1])
    return replace(house, policy=stored_policy(objects_at(house.uri), newest.origin.policy_digest))


def _record(house: House, outbox: str, send: Send) -> None:
    """Write into the lake what the outbox says of one send, unless it stands there."""
    snapshot = house.lake.snapshot()
    inputs = {"reconcile": send.id, "seq": snapshot.seq}
    run = begin(house, "reconcile", inputs, snapshot=snapshot, known_as_of=house.started_at)
    with scratch_of(run):
        candidates = record_send(run, outbox, send.id, horizon_of(run, send.send_on)).candidates
        if candidates:
            gate_candidates(run, candidates)
            publish_candidates(run, candidates, inputs, house.started_at)
