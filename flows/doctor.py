"""What `strata doctor` looks at: the machine, the store, the lake, the keys, the sends. It changes nothing."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from flows.agreement import Disagreement, disagreements, roots
from tasks.errors import StrataError
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at, pseudonymiser_now
from tasks.stores.policies import stored_policy
from tasks.stores.runs import finished_runs

LEAST_FREE_BYTES = 2 * 1024**3
Finding = dict[str, str]


def examine(lake: str = "") -> list[Finding]:
    """Run every check; a check that fails says what to do, and the next one still runs."""
    settings = Settings()
    uri = lake or settings.lake
    checks: dict[str, Callable[[], str]] = {
        "python": _python,
        "scratch": lambda: _scratch(settings.scratch),
        "store": lambda: _store(uri),
        "outbox": lambda: _store(settings.outbox or f"{uri}/outbox"),
        "lake": lambda: _lake(uri),
        "keys": lambda: _keys(uri),
        "sends": lambda: _sends(uri, settings.outbox or f"{uri}/outbox"),
    }
    return [_run(name, check) for name, check in checks.items()]


def _run(name: str, check: Callable[[], str]) -> Finding:
    try:
        return {"check": name, "state": "good", "found": check()}
    except StrataError as error:
        return {"check": name, "state": "bad", "found": str(error)}


def _python() -> str:
    return f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"


def _scratch(folder: str) -> str:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path).free
    if free < LEAST_FREE_BYTES:
        raise StrataError(f"{path} has {free // 2**20} MiB free", expected="2 GiB", next_step="set STRATA_SCRATCH")
    return f"{path}: {free // 2**30} GiB free"


def _store(uri: str) -> str:
    objects_at(uri).probe()
    return f"{uri}: conditional writes are honoured"


def _lake(uri: str) -> str:
    lake = lake_at(uri)
    snapshot = lake.snapshot()
    return f"snapshot {snapshot.seq}, {len(snapshot.tables)} tables" if snapshot.seq else "empty: nothing ingested yet"


def _keys(uri: str) -> str:
    lake = lake_at(uri)
    runs = finished_runs(lake, lake.snapshot())
    if runs.is_empty():
        return "no policy has run here yet"
    policy = stored_policy(objects_at(uri), str(runs.get_column("policy_digest")[-1]))
    return f"key {pseudonymiser_now(policy, uri).key_id}"


def _sends(uri: str, outbox: str) -> str:
    found = disagreements(uri, outbox)
    if found:
        told = "; ".join(f"{one.send_id} {one.what}: {one.found}" for one in found)
        raise StrataError(
            told, expected="an outbox and a lake that agree",
            next_step="`strata doctor --repair`; what is damaged or lost comes from the bucket's versions",
        )  # fmt: skip
    return "outbox and lake agree"


def mend(lake: str, *, is_rehearsal: bool) -> list[Finding]:
    """Finish and record what killed runs left, send by send; told is what still disagrees afterwards, too."""
    from flows.parameters import Parameters  # noqa: PLC0415 - only who repairs waits for Prefect

    found, failed = disagreements(*roots(lake)), ""
    if is_rehearsal:
        return [_told(one, "yes" if one.can_be_repaired else _BY_HAND) for one in found]
    if any(one.can_be_repaired for one in found):
        from flows.reconcile import reconcile  # noqa: PLC0415

        try:
            reconcile(Parameters(lake=lake))
        except StrataError as error:
            failed = f"no: {error}"
    left = disagreements(*roots(lake))
    after = [one for one in left if one not in found]
    return [_told(one, (failed or _BY_HAND) if one in left else "yes") for one in (*found, *after)]


_BY_HAND = "no: restore it from the bucket's versions or a backup"


def is_left(mended: list[Finding]) -> bool:
    """Whether a person must look: something still disagrees."""
    return any(one["repaired"].startswith("no") for one in mended)


def _told(one: Disagreement, repaired: str) -> Finding:
    return {"send": one.send_id, "what": one.what, "found": one.found, "repaired": repaired}
