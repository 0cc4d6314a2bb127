"""A refresh that has been: which run is the newest of a date, and that run as it was, to be read or repeated."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flows.restated import standing_seq
from tasks.errors import MissingDataError
from tasks.refs import Run, Snapshot
from tasks.steps.house import lake_at
from tasks.stores.runs import finished_runs
from tasks.stores.tables import Lake


def newest_refresh(lake: Lake, snapshot: Snapshot, as_of: date | None, *, why: str) -> dict[str, Any]:
    """The record of the newest refresh of the date, or of the newest date; `why` says what it is needed for.

    Raises:
        MissingDataError: there is none.
    """
    runs = finished_runs(lake, snapshot).filter(flow="refresh")
    day: date | None = as_of or max(runs["as_of"].drop_nulls().to_list(), default=None)
    found = runs.clear() if day is None else runs.filter(as_of=day)
    if found.is_empty():
        raise MissingDataError(
            f"{day} was never refreshed" if day else "no date was ever refreshed", expected=f"a refresh: {why}",
            next_step=f"run `strata refresh --as-of {day or 'DATE'}`",
        )  # fmt: skip
    return found.row(-1, named=True)


def as_it_was(row: Mapping[str, Any], uri: str) -> Run:
    """The run of a record: its snapshot (or what an erasure left of it), its policy, its knowledge."""
    return Run(
        run_id=row["run_id"], flow=row["flow"], lake=uri, base_seq=standing_seq(lake_at(uri), row), scratch="",
        **{name: row[name] for name in ("policy_digest", "code_version", "inputs_digest", "as_of", "known_as_of")},
    )  # fmt: skip
