"""Ingest: export files become canonical rows; the snapshot moves once, whatever the number of files."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow

from flows.accounting import Summary, told
from flows.artifacts import leave_summary
from flows.begin import House, begin, open_house, scratch_of, until_published
from flows.clock import business_date
from flows.intake import Looked, Reading, Taken, look, reading_of, standing, take_up
from flows.names import run_name
from flows.parameters import InboxParameters, IngestParameters
from tasks.policy.load import digest_of
from tasks.progress import listener
from tasks.refs import Candidate, Run, Snapshot
from tasks.settings import Settings
from tasks.steps.house import objects_at
from tasks.steps.ingest import Row, account_of, drift_of, merge, merge_files, receive_file
from tasks.steps.opening import Item
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.steps.receive import Received, Terms, receive
from tasks.stores.abandoned import desk
from tasks.stores.digests import code_version
from tasks.stores.keys import making_no_key
from tasks.stores.seen import Seen


@flow(name="ingest", flow_run_name=run_name)
def ingest(parameters: IngestParameters) -> dict[str, Any]:
    """Read export files into the lake; the same file again changes nothing."""
    return leave_summary("ingest", ingest_once(parameters))


@flow(name="inbox", flow_run_name=run_name)
def inbox(parameters: InboxParameters) -> dict[str, Any]:
    """Take up what is new in the inbox; without anything new, change nothing and leave nothing."""
    summary = poll_once(parameters)
    return leave_summary("inbox", summary) if summary["outcome"] == "done" else summary


def ingest_once(parameters: IngestParameters) -> Summary:
    """The ingest itself, so that `month` runs it inside its own flow run."""
    return _take_in(parameters, look(parameters.paths, parameters.settle_seconds))


def poll_once(parameters: InboxParameters) -> Summary:
    """One look into the inbox, so often that an empty one must cost nothing: not even a policy is needed."""
    paths = parameters.inbox or (Settings().inbox,) * bool(Settings().inbox)
    looked = look(paths, parameters.settle_seconds)
    if not looked.arrivals:
        return told({"outcome": "nothing there", "files": [], "already_ingested": []}, looked, looked.left)
    given = {"lake": parameters.lake, "policy": parameters.policy}
    return _take_in(IngestParameters(paths=paths, **given), looked)


def _take_in(parameters: IngestParameters, looked: Looked) -> Summary:
    with making_no_key() if parameters.dry_run else nullcontext():
        return _taken_in(parameters, looked)


def _taken_in(parameters: IngestParameters, looked: Looked) -> Summary:
    house = open_house(parameters)
    exported_at = house.instant(parameters.exported_at) if parameters.exported_at else None
    reading = reading_of(house, parameters.shop, exported_at)
    with desk(Path(Settings().scratch)) as folder:
        taken = take_up(house, looked, reading, folder)
        attempt = _Attempt(house, reading, taken, _terms(house, parameters, reading), folder)
        if parameters.dry_run:
            return told(attempt.rehearse(), looked, taken.left)
        done = until_published(attempt.publish)
        Seen(objects_at(house.uri)).remember(taken.read)
        return told(done, looked, taken.left)


class _Attempt:
    """What arrived, on its way into the lake; tried again from the new snapshot when another run was first."""

    def __init__(self, house: House, reading: Reading, taken: Taken, terms: Terms, folder: Path) -> None:
        self.house, self.reading, self.taken, self.terms, self.folder = house, reading, taken, terms, folder

    def publish(self) -> Summary:
        """Receive what is new, and move the snapshot once; leave it where it is when nothing is."""
        snapshot = self.house.lake.snapshot()
        fresh, about = self._sort_out(snapshot)
        if not fresh:
            return about | {"outcome": "already done"}
        inputs = self._inputs(fresh)
        run = begin(self.house, "ingest", inputs, snapshot=snapshot, known_as_of=self.terms.received_at)
        with scratch_of(run):
            received = self._each(fresh, lambda item: receive_file(run, item, self.terms))
            if not received:
                return about | {"outcome": "already done"}
            candidates = merge_files(run, received)
            gate_candidates(run, candidates)
            raw = [file.raw for file in received if file.raw is not None]
            published = publish_candidates(run, candidates, inputs, self.house.started_at, raw)
            rows = {ref.table: ref.rows for ref in published}
            return self._with_account(about, received, candidates[-1]) | {"outcome": "done", "rows": rows}

    def rehearse(self) -> Summary:
        """Do the same without a word to the lake: no policy, no raw file, no table."""
        snapshot = self.house.lake.snapshot()
        fresh, about = self._sort_out(snapshot)
        if not fresh:
            return about | {"outcome": "dry run"}
        run = _unpublished(self.house, snapshot, self.folder / "rehearsal")
        received = self._each(fresh, lambda item: receive(run, item, self.terms, self.house.policy, keep=False))
        candidates = merge(run, self.house.lake, snapshot, received)
        rows = {candidate.table: candidate.rows for candidate in candidates}
        return self._with_account(about, received, candidates[-1]) | {"outcome": "dry run", "rows": rows}

    def _sort_out(self, snapshot: Snapshot) -> tuple[list[Item], Summary]:
        """Exports that say something new, and the account of what says nothing new: known, or refused again."""
        before = standing(self.house, snapshot, self.reading)
        old = [item for item in self.taken.items if before.needs_no_reading(item.sha256, (item.channel, item.shop))]
        names = self.taken.known | {item.sha256: item.name for item in old}
        known = [name for sha256, name in names.items() if sha256 in before.accepted]
        files = self.house.lake.scan("files", snapshot).collect()
        refused = account_of(files, names.keys() - before.accepted, {})
        fresh = [item for item in self.taken.items if item.sha256 not in names]
        return fresh, {"already_ingested": sorted({*known, *self.taken.twice}), "files": refused}

    def _inputs(self, fresh: Sequence[Item]) -> dict[str, Any]:
        places = self.taken.places()
        return {
            "files": sorted(item.sha256 for item in fresh),
            "places": {item.sha256: places[item.sha256] for item in fresh if item.sha256 in places},
            "received_at": self.terms.received_at,
            "told": self.reading.told(),
            "pseudonym_key": self.reading.pseudonym_key,
        }

    def _each(self, fresh: Sequence[Item], take: Callable[[Item], Received | None]) -> list[Received]:
        """Take every export; one that changed meanwhile is left alone."""
        listener().begin("Reading", len(fresh), sum(item.bytes for item in fresh))
        received: list[Received] = []
        for item in fresh:
            listener().at(item.name)
            if (file := take(item)) is None:
                self.taken.leave(item)
            else:
                received.append(file)
            listener().done(item.bytes)
        return received

    def _with_account(self, about: Summary, received: Sequence[Received], files: Candidate) -> Summary:
        notes = {file.sha256: file.about for file in received}
        stands = pl.read_parquet(files.path)
        rows: list[Row] = account_of(stands, notes, notes)
        return about | {"files": [*rows, *about["files"]], "drift": drift_of(stands, notes)}


def _unpublished(house: House, snapshot: Snapshot, folder: Path) -> Run:
    """A run that nobody will hear of."""
    return Run(
        run_id="", flow="ingest", lake=house.uri, base_seq=snapshot.seq, policy_digest=digest_of(house.policy),
        code_version=code_version(), inputs_digest="", scratch=str(folder),
    )  # fmt: skip


def _terms(house: House, parameters: IngestParameters, reading: Reading) -> Terms:
    received_at = house.instant(parameters.received_at)
    return Terms(
        received_at=received_at,
        exported_at=reading.exported_at,
        shop=reading.shop or None,
        file_month=f"{business_date(received_at, house.zone):%Y-%m}",
    )
