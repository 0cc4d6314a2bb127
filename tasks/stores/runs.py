"""The record of runs: what each read, under which rules, and what it left in the lake."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run, Snapshot, StoredFile, TableRef
from tasks.stores.scratch import stage
from tasks.stores.tables import Lake


def content_id(*parts: Any) -> str:
    """SHA-256 over the canonical JSON of the parts: the same inputs give the same id."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def finished_runs(lake: Lake, snapshot: Snapshot) -> pl.DataFrame:
    """One row per step of every finished run that the snapshot knows, oldest first."""
    return lake.scan("runs", snapshot).sort("started_at", "run_id", "step").collect()


def is_finished(lake: Lake, snapshot: Snapshot, run_id: str) -> bool:
    """True when a run of the same inputs has already published."""
    return not lake.scan("runs", snapshot).filter(pl.col("run_id") == run_id).head(1).collect().is_empty()


def stage_record(
    run: Run, inputs: Mapping[str, Any], published: Sequence[tuple[TableRef, Sequence[StoredFile]]], started_at: datetime,
    others: Sequence[StoredFile] = (),
) -> Candidate:  # fmt: skip
    """The run's own row: inputs, outputs with digests, and every file it added."""
    outputs = {ref.table: {"rows": ref.rows, "digest": ref.digest, "version": ref.version} for ref, _ in published}
    files = [*others, *(file for _, added in published for file in added)]
    row = {
        "run_id": run.run_id, "step": run.flow, "flow": run.flow, "as_of": run.as_of, "known_as_of": run.known_as_of,
        "inputs": json.dumps({**inputs, "base_seq": run.base_seq}, sort_keys=True, default=str, ensure_ascii=False),
        "inputs_digest": run.inputs_digest, "policy_digest": run.policy_digest, "code_version": run.code_version,
        "outputs": json.dumps(outputs, sort_keys=True),
        "added_files": json.dumps([file.model_dump() for file in files], sort_keys=True), "started_at": started_at,
    }  # fmt: skip
    return stage(run, "runs", pl.DataFrame([row], TABLES["runs"].schema), mode="append")


def output_digests(row: Mapping[str, Any]) -> dict[str, str]:
    """Table to digest, as a finished run recorded them."""
    return {table: str(output["digest"]) for table, output in json.loads(str(row["outputs"])).items()}
