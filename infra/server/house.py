"""Up and down: PostgreSQL, the Prefect server, a process worker and the deployments, in that order and back."""

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from flows.cli import QUIET
from infra.server import postgres
from infra.server.api import POOL, bury_dead_runs, has_worker, is_healthy
from infra.server.processes import end, end_strays, log_of, log_tail, running, start, wait_until
from tasks.errors import ConfigurationError, TransientError

ROOT = Path(__file__).parents[2]
DEMO_LAKE = ROOT / "lake/complete_journey"
DEMO_POLICY = ROOT / "infra/demo/complete_journey/policy"
HOST = "127.0.0.1"
SERVER, WORKER, DEPLOY = "server", "worker", "deploy"
START_SECONDS = 240
RUNS_AT_ONCE = 4
"""More than one, because a run that is held for approval keeps its process for a day."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where one house stands: the folder of its state, the port of its dashboard, what its runs work on."""

    state: Path = ROOT / ".strata/server"
    port: int = 4200
    lake: str = ""
    policy: str = ""
    inbox: str = ""

    @property
    def dashboard(self) -> str:
        """The address for people."""
        return f"http://{HOST}:{self.port}"

    @property
    def api(self) -> str:
        """The address for programs."""
        return f"{self.dashboard}/api"


def up(place: Place, say: Say) -> None:
    """Start what does not run yet, register the deployments, and return when a run could start; twice is once."""
    environment = environment_of(place)
    with _alone(place.state):
        say("PostgreSQL: waiting for its first answer …")
        postgres.ensure_postgres(place.state, environment)
        say("Prefect server: waiting until it is ready, 20 to 60 seconds the first time …")
        _ensure_server(place, environment)
        say("worker: waiting until it serves the pool …")
        _ensure_worker(place, environment)
        say("deployments: registering infra/prefect.yaml …")
        _register(place, environment)


def down(place: Place) -> list[str]:
    """End everything, however it was started or left behind, and name what ended."""
    if not place.state.exists():
        return []
    with _alone(place.state):
        ended = [name for name in (WORKER, SERVER) if end(place.state, name)]
        ended += [postgres.NAME] if postgres.end_postgres(place.state) else []
        strays = end_strays(place.state)
    return ended + ([f"{strays} left behind"] if strays else [])


def environment_of(place: Place) -> dict[str, str]:
    """What server, worker and runs are told. Prefect's settings are ours alone, whatever the shell had."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    ours = {
        "PREFECT_HOME": str(place.state / "home"),
        "PREFECT_API_URL": place.api,
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(place.port),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": postgres.connection_url(place.state),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "STRATA_LAKE": place.lake,
        "STRATA_POLICY": place.policy,
        "STRATA_INBOX": place.inbox,
    }
    return inherited | QUIET | ours


def _ensure_server(place: Place, environment: dict[str, str]) -> None:
    if server := running(place.state, SERVER):
        _refuse_other_settings(server, environment)
    else:
        _refuse_taken_port(place.port)
        start(place.state, SERVER, _prefect("server", "start"), environment, ROOT)
    wait_until(lambda: is_healthy(place.api), place.state, SERVER, START_SECONDS)


def _ensure_worker(place: Place, environment: dict[str, str]) -> None:
    if worker := running(place.state, WORKER):
        _refuse_other_settings(worker, environment)
    else:
        bury_dead_runs(place.api)
        flags = ("--pool", POOL, "--type", "process", "--name", "strata", "--limit", str(RUNS_AT_ONCE))
        start(place.state, WORKER, _prefect("worker", "start", *flags, "--install-policy", "never"), environment, ROOT)
    wait_until(lambda: has_worker(place.api), place.state, WORKER, START_SECONDS)


def _register(place: Place, environment: dict[str, str]) -> None:
    command = _prefect("--no-prompt", "deploy", "--all", "--prefect-file", "infra/prefect.yaml")
    with log_of(place.state, DEPLOY).open("wb") as log:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=False)  # noqa: S603
    if done.returncode:
        raise TransientError(
            f"the deployments were not registered: {log_tail(place.state, DEPLOY)}",
            expected="all of infra/prefect.yaml",
            next_step="mend what the message names, then `make up`",
        )


def _prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *words]


def _refuse_other_settings(process: psutil.Process, environment: dict[str, str]) -> None:
    """What runs keeps what it was told at its start; another lake needs another start."""
    told = process.environ()
    for name in ("PREFECT_API_URL", "STRATA_LAKE", "STRATA_POLICY", "STRATA_INBOX"):
        if told.get(name) != environment[name]:
            raise ConfigurationError(
                f"Strata is up with {name}={told.get(name)}", expected=environment[name], next_step="`make down` first"
            )


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} is taken by another program",
                expected="a free port for the dashboard",
                next_step=f"end that program, or `make up PORT={port + 1}`",
            ) from error


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Two at once would start everything twice: the second one waits."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
