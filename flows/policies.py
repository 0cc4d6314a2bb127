"""What `strata policy` does: check a folder, tell two policies apart. Neither writes anything, nor wakes Prefect."""

from pathlib import Path
from typing import Any

from tasks.errors import MissingDataError
from tasks.policy.difference import differences
from tasks.policy.lint.check import check_folder
from tasks.policy.load import digest_of, load_policy
from tasks.policy.models import Policy
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_runs

LAST = "last"


def check(folder: str) -> list[dict[str, Any]]:
    """One row per finding, by file and line."""
    return [finding.as_row() for finding in check_folder(Path(folder or Settings().policy or "policy"))]


def compare(before: str, after: str, uri: str = "") -> dict[str, Any]:
    """What differs between two policies, each a folder, the start of a run's id or of a policy's digest, or `last`."""
    old, new = (policy_named(name, uri) for name in (before, after))
    return {
        "before": digest_of(old)[:12],
        "after": digest_of(new)[:12],
        "differences": [one.as_row() for one in differences(old, new)],
    }


def policy_named(name: str, uri: str = "") -> Policy:
    """The policy of a folder, of a finished run, or with a digest.

    Raises:
        MissingDataError: there is no such folder, and the lake knows no such run or policy.
    """
    if (folder := Path(name)).is_dir():
        return load_policy(folder)
    uri = uri or Settings().lake
    lake = lake_at(uri)
    runs = finished_runs(lake, lake.snapshot())
    for row in runs.reverse().iter_rows(named=True):
        if name == LAST or row["policy_digest"].startswith(name) or row["run_id"].startswith(name):
            return stored_policy(objects_at(uri), row["policy_digest"])
    raise MissingDataError(
        f"{name} is no folder, and no run or policy of {uri} begins so",
        expected="a policy folder, the start of a run's id or of a policy's digest, or `last`",
        next_step="`strata runs` lists the runs with their policies",
    )
