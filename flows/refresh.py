"""Refresh: every customer's scores, tier, stage, tags and moves at one date, as known at one instant."""

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import House, begin, distinct, is_standing, known_files, open_house, scratch_of, until_published
from flows.clock import business_date
from flows.names import run_name
from flows.parameters import RefreshParameters
from tasks.refs import Run, Snapshot, TableRef
from tasks.steps.inputs import previous_as_of
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.steps.refresh import describe, layer, measure, score_warnings, tag, trace
from tasks.stores.runs import finished_runs, output_digests


@flow(name="refresh", flow_run_name=run_name)
def refresh(parameters: RefreshParameters) -> dict[str, Any]:
    """Work out every customer's scores, tier, stage, tags and moves at one date."""
    return leave_summary("refresh", refresh_once(parameters))


def refresh_once(parameters: RefreshParameters) -> dict[str, Any]:
    """The refresh itself, so that `month` and `backfill` run it inside their own flow run."""
    house = open_house(parameters)
    return until_published(lambda: _attempt(house, parameters))


def _attempt(house: House, parameters: RefreshParameters) -> dict[str, Any]:
    """One try on the newest snapshot."""
    run, inputs = _begin(house, parameters)
    about = {"as_of": str(run.as_of), "known_as_of": str(run.known_as_of)}
    if is_standing(house, run):
        return about | {"run_id": run.run_id, "outcome": "already done", "rows": {}}
    run = distinct(house, run)
    with scratch_of(run):
        published, warnings = _compute(run, inputs, house)
    told = {"scores": warnings} if warnings else {}
    rows = {ref.table: ref.rows for ref in published}
    return about | {"run_id": run.run_id, "outcome": "done", "rows": rows, **told}


def _begin(house: House, parameters: RefreshParameters) -> tuple[Run, dict[str, Any]]:
    as_of = parameters.as_of or business_date(house.started_at, house.zone) - timedelta(days=1)
    known_as_of = house.instant(parameters.known_as_of, is_end=True)
    snapshot = house.lake.snapshot()
    previous = previous_as_of(house.lake, snapshot, as_of)
    inputs = {
        "files": known_files(house, snapshot, known_as_of),
        "touches": _touches(house, snapshot, known_as_of, as_of),
        "previous_as_of": previous,
        "previous": _digests(house, snapshot, previous),
    }
    return begin(house, "refresh", inputs, snapshot=snapshot, as_of=as_of, known_as_of=known_as_of), inputs


def _touches(house: House, snapshot: Snapshot, known_as_of: datetime, as_of: date) -> int:
    """How many rows of the ledger a refresh reads: it only ever grows, so its length says what it holds."""
    ledger = house.lake.scan("touches", snapshot)
    read = ledger.filter(pl.col("known_from") <= known_as_of, pl.col("send_on") <= as_of)
    return int(read.select(pl.len()).collect().item())


def _digests(house: House, snapshot: Snapshot, as_of: date | None) -> dict[str, str]:
    """What the last refresh of the earlier date put out: the state that this one starts from."""
    if as_of is None:
        return {}
    runs = finished_runs(house.lake, snapshot).filter(flow="refresh").filter(as_of=as_of)
    return {} if runs.is_empty() else output_digests(runs.row(-1, named=True))


def _compute(run: Run, inputs: dict[str, Any], house: House) -> tuple[tuple[TableRef, ...], list[dict[str, object]]]:
    """What was published, and what there is to say about the scores."""
    layers = layer(run)
    traits, models = describe(run, layers)
    layered = (candidate for candidate in layers if candidate.table != models.table)
    candidates = (*layered, traits, models, *tag(run, layers, traits), trace(run, layers), measure(run, layers))
    gate_candidates(run, candidates)
    warnings = score_warnings(run, layers)
    return publish_candidates(run, candidates, inputs, house.started_at), warnings
