"""The steps of an erasure. Each is told the id of a sealed request, never whom it is about, and may come twice."""

import json
from datetime import timedelta
from typing import Any

import polars as pl
from prefect import task

from expectations.tables import TABLES
from tasks.refs import Candidate, Ref, Run, StoredFile
from tasks.settings import Settings
from tasks.steps.cutting import cut_files
from tasks.steps.erasing import RECALL_DAYS, Room
from tasks.steps.house import lake_at, objects_at, snapshot_of
from tasks.steps.olden import delete_lists, with_older_names
from tasks.steps.recall import recall_everywhere
from tasks.steps.renaming import files_of, rename_tables, told_of
from tasks.steps.restating import refuse_named, restate_all, restatements
from tasks.stores.failpoints import reach
from tasks.stores.runs import finished_runs
from tasks.stores.scratch import stage
from tasks.stores.sends import Send, read_manifest, read_send
from tasks.stores.vacuum import vacuum


class Erased(Ref):
    """The tables without a person, staged, and what the record is to say of it."""

    candidates: tuple[Candidate, ...]
    told: dict[str, Any]
    files: tuple[StoredFile, ...]


@task(name="cut files", task_run_name="cut files of {request_id}")
def cut_person(run: Run, request_id: str) -> int:
    """Take the person's rows out of every raw file; return how many files were cut."""
    room = Room(run, request_id)
    state = room.keep(room.grown(room.state()))
    refuse_named(room, state)
    reach("forget:files", "before")
    state = cut_files(room, state)
    reach("forget:files", "after")
    return len(state.cuts)


@task(name="rename rows", task_run_name="rename rows of {request_id}")
def rename_person(run: Run, outbox: str, request_id: str) -> Erased:
    """Stage every touched partition under other names, with the marks by which a return is noticed."""
    room = Room(run, request_id)
    state = room.keep(with_older_names(room, outbox, room.state()))
    done = rename_tables(room, state)
    told = told_of(room, done, state) | {"policies": restatements(room, state)}
    return Erased(candidates=tuple(done.candidates), told=told, files=tuple(files_of(state)))


@task(name="recall", task_run_name="recall for {request_id}")
def recall_person(run: Run, outbox: str, request_id: str) -> tuple[Candidate, ...]:
    """Take the person out of every send and call them back; stage what the lake is to say of the new revisions."""
    room = Room(run, request_id)
    reach("forget:recall", "before")
    state = recall_everywhere(room, outbox, room.state())
    delete_lists(room.objects, state.lists)
    reach("forget:recall", "after")
    candidate = _deliveries(room, outbox, state.sends)
    return (candidate,) if candidate else ()


@task(name="sweep the past", task_run_name="sweep the past for {request_id}")
def sweep_past(run: Run, request_id: str) -> None:
    """Give up every older snapshot with its files and log entries, and the policies that name the person."""
    room = Room(run, request_id)
    restate_all(room, room.state())
    vacuum(objects_at(run.lake), wait_seconds=Settings().lease_wait_seconds)


@task(name="leave a receipt", task_run_name="receipt of {request_id}")
def leave_receipt(run: Run, request_id: str) -> dict[str, Any]:
    """Store what was done, without a name, and destroy the request and its secret."""
    room = Room(run, request_id)
    state, told = room.state(), recorded(run, request_id)
    erasures = room.lake.scan("erasures", snapshot_of(run)).filter(pl.col("request_id") == request_id).collect()
    marks = room.lake.scan("tombstones", snapshot_of(run)).filter(pl.col("request_id") == request_id).collect()
    receipt = {
        "request": request_id, "asked_at": state.asked_at.isoformat(), "rows": told["rows"],
        "raw_files": erasures.height, "raw_rows": int(erasures["rows_erased"].sum()), "marks": marks.height,
        "sends_recalled": list(state.sends), "masters_deleted": list(state.masters),
        "recall_until": str(state.asked_on + timedelta(days=RECALL_DAYS)) if state.sends else None,
        "restated": told["restated"], "policies": len(told.get("policies", ())), "oldest_snapshot": run.base_seq,
    }  # fmt: skip
    reach("forget:receipt", "before")
    room.requests.close(request_id, receipt)
    return receipt


def recorded(run: Run, request_id: str) -> dict[str, Any]:
    """What the record says that was renamed for a request; empty before it was."""
    runs = finished_runs(lake_at(run.lake), snapshot_of(run)).filter(flow="forget")
    told = [json.loads(text) for text in runs["inputs"]]
    return next((one for one in told if one.get("request") == request_id and "restated" in one), {})


def _deliveries(room: Room, outbox: str, sends: tuple[str, ...]) -> Candidate | None:
    """The deliveries with the revisions that stand now; None when the lake says so already."""
    stands = room.lake.scan("deliveries", snapshot_of(room.run)).collect()
    new = pl.concat(
        [
            stands.filter(~pl.col("send_id").is_in(list(sends))),
            *(_revisions(room, outbox, stands, send) for send in sends),
        ]
    )
    if new.sort("send_id", "seq").equals(stands.sort("send_id", "seq")):
        return None
    return stage(room.run, "deliveries", new, mode="overwrite")


def _revisions(room: Room, outbox: str, stands: pl.DataFrame, send_id: str) -> pl.DataFrame:
    """One row per published revision of a send; what was recorded before keeps its counts."""
    objects, send = objects_at(outbox), Send.parse(send_id)
    before = {row["seq"]: row for row in stands.filter(send_id=send_id).iter_rows(named=True)}
    rows = []
    for revision in read_send(objects, send).published.revisions:
        manifest = read_manifest(objects, send, revision)
        known = before.get(revision.seq) or {
            "send_id": send_id, "seq": revision.seq, "campaign": send.campaign, "vendor": send.vendor,
            "send_on": send.send_on, "rows": 0, "recalled": manifest.recalled, "run_id": room.run.run_id,
            "waterfall": json.dumps(manifest.origin.waterfall), "policy_digest": manifest.origin.policy_digest,
            "published_at": room.state().asked_at,
        }  # fmt: skip
        rows.append({**known, "revision": revision.revision, "manifest_sha256": revision.manifest_sha256})
    return pl.DataFrame(rows, TABLES["deliveries"].schema)
