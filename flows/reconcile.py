"""Makes the lake's record and the outbox say the same again, after a run that was killed between the two.

The outbox is right: what stands there the vendor may have read. So this never delivers; it finishes what was left
undone there, and writes into the lake what the lake does not know yet.
"""

from functools import partial

from prefect import flow

from flows.agreement import Disagreement, disagreements
from flows.begin import House, begin, open_house, scratch_of, until_published
from flows.parameters import Parameters
from flows.plan import outbox_of
from tasks.steps.deliver import record_send
from tasks.steps.house import objects_at
from tasks.steps.knowledge import horizon_of
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.stores.outbox import finish
from tasks.stores.sends import Send


@flow(name="reconcile")
def reconcile(parameters: Parameters) -> list[Disagreement]:
    """Make good what a machine can; return what it was. Twice is once."""
    house, outbox = open_house(parameters), outbox_of(parameters)
    mended = [one for one in disagreements(house.uri, outbox) if one.can_be_repaired]
    for send_id in dict.fromkeys(one.send_id for one in mended):
        send = Send.parse(send_id)
        finish(objects_at(outbox), send)
        until_published(partial(_record, house, outbox, send))
    return mended


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
