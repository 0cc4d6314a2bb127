"""How every flow begins: open the lake, fix the policy and the knowledge, give the run its content id."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from flows.clock import end_of, now, parse_instant
from flows.parameters import Parameters
from tasks.errors import MissingDataError, SnapshotMovedError
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.refs import Run, Snapshot
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.steps.mentioned import refuse_forgotten
from tasks.stores.abandoned import held, sweep_scratch
from tasks.stores.digests import code_version
from tasks.stores.policies import hold_policy, keep_policy, stored_policy
from tasks.stores.runs import content_id, finished_runs, is_finished, rekeys
from tasks.stores.tables import Lake

ATTEMPTS = 5
T = TypeVar("T")


@dataclass(frozen=True)
class House:
    """The lake that a flow works on, and the policy that holds."""

    uri: str
    lake: Lake
    policy: Policy
    started_at: datetime

    @property
    def zone(self) -> str:
        """The brand's business time zone."""
        return self.policy.brand.zone

    def instant(self, text: str, *, is_end: bool = False) -> datetime:
        """What a person gave as a date or instant; the start of the run when empty."""
        return parse_instant(text, self.zone, is_end=is_end) if text else self.started_at

    def known_at(self, day: date) -> datetime:
        """Knowledge at the end of a business day."""
        return end_of(day, self.zone)


def open_house(parameters: Parameters) -> House:
    """Open the lake named by parameters or settings, under the policy named there or last used."""
    settings = Settings()
    uri = parameters.lake or settings.lake
    lake = lake_at(uri)
    folder = parameters.policy or settings.policy
    return House(uri, lake, load_policy(Path(folder)) if folder else last_policy(uri), now())


def last_policy(uri: str) -> Policy:
    """The policy of the newest run on this lake, repairs passed over: they may run under that of an old send."""
    lake = lake_at(uri)
    runs = finished_runs(lake, lake.snapshot()).filter(pl.col("flow") != "reconcile")
    if runs.is_empty():
        raise MissingDataError(
            f"the lake {uri} has no policy yet",
            expected="a policy folder for the first run",
            next_step="pass --policy DIR (make one with `strata init DIR`)",
        )
    return stored_policy(objects_at(uri), str(runs.get_column("policy_digest")[-1]))


def begin(
    house: House,
    flow: str,
    inputs: dict[str, Any],
    *,
    snapshot: Snapshot | None = None,
    as_of: date | None = None,
    known_as_of: datetime | None = None,
    is_rehearsal: bool = False,
) -> Run:
    """Store the policy and name the run by the content of its inputs, which were read from `snapshot`.

    A rehearsal stores nothing: this process alone knows its policy.
    Inputs read from one snapshot and a run based on the next would miss what moved between the two.
    """
    objects = objects_at(house.uri)
    if not is_rehearsal:
        objects.probe()
    snapshot = snapshot or house.lake.snapshot()
    refuse_forgotten(house.policy, house.lake, house.uri, snapshot)
    policy_digest = hold_policy(house.policy) if is_rehearsal else keep_policy(objects, house.policy)
    names = [told["pseudonym_key"] for told in rekeys(house.lake, snapshot)]  # under other names nothing is done yet
    inputs_digest = content_id(flow, inputs, policy_digest, code_version(), as_of, *names[-1:])
    return Run(
        run_id=inputs_digest[:32],
        flow=flow,
        lake=house.uri,
        base_seq=snapshot.seq,
        policy_digest=policy_digest,
        code_version=code_version(),
        inputs_digest=inputs_digest,
        as_of=as_of,
        known_as_of=known_as_of,
        scratch=str(Path(Settings().scratch) / f"{inputs_digest[:16]}-{snapshot.seq}-{os.getpid()}"),
    )


def is_standing(house: House, run: Run) -> bool:
    """True when the last run of the flow at that date had the same inputs, code and policy: readers see its result."""
    runs = finished_runs(house.lake, house.lake.at(run.base_seq)).filter(flow=run.flow)
    return runs.filter(as_of=run.as_of)["inputs_digest"].tail(1).to_list() == [run.inputs_digest]


def distinct(house: House, run: Run) -> Run:
    """The run under an id of its own, when the same inputs were published before and others have stood since."""
    if not is_finished(house.lake, house.lake.at(run.base_seq), run.run_id):
        return run
    return run.model_copy(update={"run_id": content_id(run.run_id, run.base_seq)[:32]})


@contextmanager
def scratch_of(run: Run) -> Iterator[Path]:
    """The run's scratch folder, gone when the run ends, however it ends; first those of killed runs are swept."""
    sweep_scratch(Path(run.scratch).parent)
    with held(Path(run.scratch)) as folder:
        yield folder


def until_published(attempt: Callable[[], T]) -> T:
    """Run `attempt`; when another run published first, read again and recompute."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except SnapshotMovedError:
            continue
    return attempt()


def known_files(house: House, snapshot: Snapshot, known_as_of: datetime) -> list[str]:
    """The export files known at an instant: what a refresh rests on."""
    files = house.lake.scan("files", snapshot).filter(
        (pl.col("received_at") <= known_as_of) & (pl.col("outcome") == "accepted")
    )
    return files.select("sha256").sort("sha256").collect().get_column("sha256").to_list()
