"""Gate candidates, then publish them: the last two steps of every run that changes the lake."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from prefect import task

from tasks.errors import StoreUnavailableError
from tasks.gate import Verdict, judge, require_good
from tasks.refs import Candidate, Run, StoredFile, TableRef
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.stores.runs import stage_record
from tasks.stores.tables import Lake


def is_transient(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what a second try can change: the store did not answer. Anything else fails at once."""
    return isinstance(state.result(raise_on_failure=False), StoreUnavailableError)


@task(name="gate", task_run_name="gate {run.flow}")
def gate_candidates(run: Run, candidates: Sequence[Candidate]) -> None:
    """Let every candidate face its suite; keep the pages; refuse the run when one fails."""
    verdicts = judge(candidates, _least_rows(run), Path(run.scratch))
    _keep_pages(run, verdicts)
    require_good(verdicts)


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
