"""Gate candidates, then publish them: the last two steps of every run that changes the lake."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from prefect import task

from expectations.results import RESULTS
from tasks.errors import StoreUnavailableError
from tasks.gate import Verdict, judge, require_good, require_steady
from tasks.refs import Candidate, Run, StoredFile, TableRef
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.inputs import previous_as_of
from tasks.stores.runs import stage_record
from tasks.stores.tables import Lake
from tasks.transforms.results import result_figures

_JUDGED = frozenset({"customers", "traits", "tags", "migrations"})
"""The tables by which a refresh is judged as a whole."""


def is_transient(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what a second try can change: the store did not answer. Anything else fails at once."""
    return isinstance(state.result(raise_on_failure=False), StoreUnavailableError)


@task(name="gate", task_run_name="gate {run.flow}")
def gate_candidates(run: Run, candidates: Sequence[Candidate]) -> None:
    """Let every candidate, and a refresh as a whole, face its suite; keep the pages; refuse the run when one fails."""
    results = _results(run, candidates)
    verdicts = judge([*candidates, *results], _least_rows(run), Path(run.scratch))
    _keep_pages(run, verdicts)
    for result in results:
        require_steady(pl.read_parquet(result.path))
    require_good(verdicts)


def _results(run: Run, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The figures of a refresh as a whole, beside its candidates; no other run has any."""
    made = {candidate.table: pl.scan_parquet(candidate.path) for candidate in candidates}
    if run.as_of is None or not made.keys() >= _JUDGED:
        return []
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    before = previous_as_of(lake, snapshot, run.as_of)
    previous = None if before is None else lake.scan("customers", snapshot, partitions=[before])
    figures = result_figures(made, previous, policy_of(run).drift)
    path = Path(run.scratch) / f"{RESULTS}.parquet"
    figures.write_parquet(path)
    return [Candidate(table=RESULTS, path=str(path), rows=1, digest="", mode="append")]


@task(
    name="publish",
    task_run_name="publish {run.flow}",
    retries=3,
    retry_delay_seconds=[1, 4, 15],
    retry_condition_fn=is_transient,
)
def publish_candidates(
    run: Run,
    candidates: Sequence[Candidate],
    inputs: Mapping[str, Any],
    started_at: datetime,
    others: Sequence[StoredFile] = (),
) -> tuple[TableRef, ...]:
    """Commit every candidate and the run's record, then move the snapshot once."""
    with lake_at(run.lake).writer(run, Settings().lease_wait_seconds) as writer:
        published = [(candidate, *writer.commit(candidate)) for candidate in candidates]
        writer.commit(stage_record(run, inputs, published, started_at, others))
        writer.move_pointer()
    return tuple(ref for _, ref, _ in published)


def _least_rows(run: Run) -> dict[str, int]:
    """The customer table may not shrink beyond policy from one month to the next."""
    before = _customers_before(lake_at(run.lake), run)
    return {"customers": int(before * (1 - policy_of(run).brand.max_volume_drop))}


def _customers_before(lake: Lake, run: Run) -> int:
    if run.as_of is None:
        return 0
    counts = (
        lake.scan("customers", snapshot_of(run)).filter(pl.col("as_of") < run.as_of).group_by("as_of").len().collect()
    )
    return 0 if counts.is_empty() else int(counts.sort("as_of").get_column("len")[-1])


def _keep_pages(run: Run, verdicts: Sequence[Verdict]) -> None:
    objects = objects_at(run.lake)
    for verdict in verdicts:
        objects.put(f"validations/{verdict.table}/{run.run_id[:16]}.html", verdict.page.encode())
