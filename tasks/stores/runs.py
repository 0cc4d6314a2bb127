"""The record of runs: what each read, under which rules, and what it left in the lake."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl

from expectations.tables import TABLES
from tasks.refs import Candidate, Run, Snapshot, StoredFile, TableRef
from tasks.stores.scratch import stage
from tasks.stores.tables import Lake

REKEY: Final = "rekey"
"""The flow that gives everybody another name."""
_BASE_SEQ = pl.col("inputs").str.json_path_match("$.base_seq").cast(pl.Int64)


def content_id(*parts: Any) -> str:
    """SHA-256 over the canonical JSON of the parts: the same inputs give the same id."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def finished_steps(lake: Lake, snapshot: Snapshot) -> pl.DataFrame:
    """One row per step of every finished run that the snapshot knows, in the order in which they were published.

    Not in that of their starts: of two runs at once, the one that began first may have to begin anew and end last.
    """
    return lake.scan("runs", snapshot).sort(_BASE_SEQ, "started_at", "run_id", "step").collect()


def finished_runs(lake: Lake, snapshot: Snapshot) -> pl.DataFrame:
    """One row per finished run, as published, oldest first: its steps' outputs and added files taken together."""
    steps = finished_steps(lake, snapshot)
    merged = ("outputs", "added_files")
    runs = steps.group_by("run_id", maintain_order=True).agg(pl.exclude(merged).first(), *merged)
    return runs.with_columns(
        outputs=pl.Series([_merged_objects(texts) for texts in runs["outputs"]], dtype=pl.String),
        added_files=pl.Series([_merged_lists(texts) for texts in runs["added_files"]], dtype=pl.String),
    ).select(steps.columns)


def is_finished(lake: Lake, snapshot: Snapshot, run_id: str) -> bool:
    """True when a run of the same inputs has already published."""
    return not lake.scan("runs", snapshot).filter(pl.col("run_id") == run_id).head(1).collect().is_empty()


def stage_record(
    run: Run,
    inputs: Mapping[str, Any],
    published: Sequence[tuple[Candidate, TableRef, Sequence[StoredFile]]],
    started_at: datetime,
    others: Sequence[StoredFile] = (),
) -> Candidate:
    """The run's own rows, one per step: inputs, outputs with digests, and every file that the step added.

    `others` are files beside the tables (raw exports, the policy); they stand with the first step.
    """
    names = list(dict.fromkeys(candidate.step for candidate, _, _ in published)) or [run.flow]
    rows = [
        _step_row(run, name, inputs, started_at, [entry for entry in published if entry[0].step == name],
                  others if name == names[0] else ())
        for name in names
    ]  # fmt: skip
    return stage(run, "runs", pl.DataFrame(rows, TABLES["runs"].schema), mode="append")


def _step_row(
    run: Run,
    name: str,
    inputs: Mapping[str, Any],
    started_at: datetime,
    published: Sequence[tuple[Candidate, TableRef, Sequence[StoredFile]]],
    others: Sequence[StoredFile],
) -> dict[str, Any]:
    outputs = {ref.table: {"rows": ref.rows, "digest": ref.digest, "version": ref.version} for _, ref, _ in published}
    files = [*others, *(file for _, _, added in published for file in added)]
    return {
        "run_id": run.run_id, "step": name, "flow": run.flow, "as_of": run.as_of, "known_as_of": run.known_as_of,
        "inputs": _json({**inputs, "base_seq": run.base_seq}), "inputs_digest": run.inputs_digest,
        "policy_digest": run.policy_digest, "code_version": run.code_version, "outputs": _json(outputs),
        "added_files": _json([file.model_dump(include=set(StoredFile.model_fields)) for file in files]),
        "started_at": started_at,
    }  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)


def _merged_objects(texts: Iterable[str]) -> str:
    return _json({name: entry for text in texts for name, entry in json.loads(text).items()})


def _merged_lists(texts: Iterable[str]) -> str:
    return _json([entry for text in texts for entry in json.loads(text)])


def pseudonym_key(lake: Lake, snapshot: Snapshot) -> str | None:
    """Id of the key that names people in a snapshot, as its newest ingest or re-key says; None where none does."""
    told = pl.col("inputs").str.json_path_match("$.pseudonym_key")
    rows = lake.scan("runs", snapshot).filter(told.is_not_null()).select(_BASE_SEQ.alias("seq"), "started_at", key=told)
    newest = rows.sort("seq", "started_at").last().collect()
    return None if newest.is_empty() else str(newest["key"].item())


def rekeys(lake: Lake, snapshot: Snapshot) -> list[dict[str, Any]]:
    """What each re-key that the snapshot knows recorded, oldest first."""
    rows = lake.scan("runs", snapshot).filter(pl.col("flow") == REKEY).sort(_BASE_SEQ, "started_at").collect()
    return [json.loads(text) for text in rows["inputs"].unique(maintain_order=True)]


def output_digests(row: Mapping[str, Any]) -> dict[str, str]:
    """Table to digest, as a finished run recorded them."""
    return {table: str(output["digest"]) for table, output in json.loads(str(row["outputs"])).items()}
