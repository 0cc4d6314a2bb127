"""Forget: one person is erased from the lake, its past, its raw files and the outbox; what nobody can trace stays.

The flow is told the id of a request that was sealed before (flows/erasure_requests.py), never a name or number. It
may be killed anywhere and started again with the same id: every step finds what it did.
"""

import json
from typing import Any

from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import House, begin, open_house, scratch_of, until_published
from flows.names import run_name
from flows.parameters import ForgetParameters
from flows.plan import outbox_of
from tasks.refs import Run
from tasks.steps.forget import cut_person, leave_receipt, recall_person, recorded, rename_person, sweep_past
from tasks.steps.house import objects_at
from tasks.steps.publish import publish_candidates
from tasks.stores.erasure_requests import RECEIPT, key_of


@flow(name="forget", flow_run_name=run_name)
def forget(parameters: ForgetParameters) -> dict[str, Any]:
    """Erase the person of a sealed request; twice is once."""
    return leave_summary("forget", forget_once(parameters))


def forget_once(parameters: ForgetParameters) -> dict[str, Any]:
    """The erasure itself."""
    house = open_house(parameters)
    receipt = key_of(parameters.request, RECEIPT)
    if objects_at(house.uri).head(receipt):
        told: dict[str, Any] = json.loads(objects_at(house.uri).read(receipt))
        return {"outcome": "already done", **told}
    until_published(lambda: _rename(house, parameters))
    until_published(lambda: _recall(house, parameters))
    return {"outcome": "done", **_finish(house, parameters.request)}


def _begun(house: House, request_id: str, step: str) -> Run:
    """A run on the snapshot as it stands; of each step and snapshot there is one."""
    snapshot = house.lake.snapshot()
    inputs = {"request": request_id, "step": step, "seq": snapshot.seq}
    return begin(house, "forget", inputs, snapshot=snapshot, known_as_of=house.started_at)


def _rename(house: House, parameters: ForgetParameters) -> None:
    """Raw files, then all tables at once; nothing when the record says that it is done."""
    request_id = parameters.request
    run = _begun(house, request_id, "rename")
    if recorded(run, request_id):
        return
    with scratch_of(run):
        cut_person(run, request_id)
        erased = rename_person(run, outbox_of(parameters), request_id)
        publish_candidates(run, erased.candidates, erased.told, house.started_at, erased.files)


def _recall(house: House, parameters: ForgetParameters) -> None:
    """The outbox, then what the lake says of it."""
    run = _begun(house, parameters.request, "recall")
    with scratch_of(run):
        candidates = recall_person(run, outbox_of(parameters), parameters.request)
        if candidates:
            publish_candidates(run, candidates, {"request": parameters.request}, house.started_at)


def _finish(house: House, request_id: str) -> dict[str, Any]:
    run = _begun(house, request_id, "finish")
    with scratch_of(run):
        sweep_past(run, request_id)
        return leave_receipt(run, request_id)
