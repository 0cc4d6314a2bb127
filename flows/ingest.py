"""Ingest: export files become canonical rows; the snapshot moves once, whatever the number of files."""

from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow

from flows.artifacts import leave_summary
from flows.begin import House, begin, open_house, scratch_of, until_published
from flows.clock import business_date
from flows.names import run_name
from flows.parameters import IngestParameters
from tasks.errors import BadFileError
from tasks.refs import Run
from tasks.steps.ingest import account_of, merge_files, receive_file
from tasks.steps.publish import gate_candidates, publish_candidates
from tasks.steps.receive import Received, Terms
from tasks.stores.digests import file_sha256


@flow(name="ingest", flow_run_name=run_name)
def ingest(parameters: IngestParameters) -> dict[str, Any]:
    """Read export files into the lake; the same file again changes nothing."""
    return leave_summary("ingest", ingest_once(parameters))


def ingest_once(parameters: IngestParameters) -> dict[str, Any]:
    """The ingest itself, so that `month` runs it inside its own flow run."""
    house = open_house(parameters)
    return until_published(lambda: _attempt(house, parameters))


def export_files(paths: tuple[str, ...]) -> list[Path]:
    """Every regular file named, and in the folders named, in order of path; hidden ones are left alone.

    Raises:
        BadFileError: a path does not exist.
    """
    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if not path.exists():
            raise BadFileError(f"{path} does not exist", expected="an export file or a folder", next_step="check it")
        inside = sorted(entry for entry in path.rglob("*") if entry.is_file()) if path.is_dir() else [path]
        found += [entry for entry in inside if not entry.name.startswith(".")]
    return found


def _attempt(house: House, parameters: IngestParameters) -> dict[str, Any]:
    fresh, known = _split_known(house, export_files(parameters.paths))
    about = {"already_ingested": [path.name for path in known], "files": []}
    if not fresh:
        return about | {"outcome": "already done"}
    terms = _terms(house, parameters)
    inputs = {"files": sorted(fresh), "received_at": terms.received_at, "exported_at": terms.exported_at}
    run = begin(house, "ingest", inputs, known_as_of=terms.received_at)
    with scratch_of(run):
        return about | _take_in(house, run, [str(path) for path in fresh.values()], terms, inputs)


def _take_in(house: House, run: Run, paths: list[str], terms: Terms, inputs: dict[str, Any]) -> dict[str, Any]:
    received: list[Received] = [receive_file(run, path, terms) for path in paths]
    candidates = merge_files(run, received)
    gate_candidates(run, candidates)
    published = publish_candidates(run, candidates, inputs, house.started_at, [file.raw for file in received])
    files = account_of(candidates[-1], [file.sha256 for file in received])
    return {"outcome": "done", "files": files, "rows": {ref.table: ref.rows for ref in published}}


def _split_known(house: House, paths: list[Path]) -> tuple[dict[str, Path], list[Path]]:
    """New files by digest, and those that were accepted before (or stand twice in this call)."""
    files = house.lake.scan("files", house.lake.snapshot()).filter(pl.col("outcome") == "accepted")
    accepted = set(files.select("sha256").collect().to_series())
    fresh: dict[str, Path] = {}
    known: list[Path] = []
    for path in paths:
        sha256 = file_sha256(path)
        if sha256 in accepted or sha256 in fresh:
            known.append(path)
        else:
            fresh[sha256] = path
    return fresh, known


def _terms(house: House, parameters: IngestParameters) -> Terms:
    received_at = house.instant(parameters.received_at)
    return Terms(
        received_at=received_at,
        exported_at=house.instant(parameters.exported_at) if parameters.exported_at else None,
        shop=parameters.shop or None,
        file_month=f"{business_date(received_at, house.zone):%Y-%m}",
    )
