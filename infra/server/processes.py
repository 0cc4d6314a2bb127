"""Processes that outlive the command that started them: begun once, found again by pid, ended for certain."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from tasks.errors import TransientError

MARK = "STRATA_SERVER"
"""Every process started here, and every child of one, carries its state folder under this name."""
PATIENCE_SECONDS = 20
TAIL = 1500


def start(state: Path, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> int:
    """Begin a process in a session of its own, so that a terminal's Ctrl-C does not reach it; return its pid."""
    with log_of(state, name).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  our own commands, no shell
            command, cwd=folder, env={**environment, MARK: str(state)}, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    # A pid alone may come to mean another process; together with its birth it does not.
    told = {"pid": process.pid, "born": psutil.Process(process.pid).create_time()}
    _pid_file(state, name).write_text(json.dumps(told), encoding="utf-8")
    return process.pid


def running(state: Path, name: str) -> psutil.Process | None:
    """Return the process of that name, None when it ended or was never begun."""
    try:
        told = json.loads(_pid_file(state, name).read_text(encoding="utf-8"))
        process = psutil.Process(told["pid"])
        is_ours = process.create_time() == told["born"] and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, json.JSONDecodeError, psutil.NoSuchProcess):
        return None
    return process if is_ours else None


def end(state: Path, name: str) -> bool:
    """End a process; False when there was none."""
    process = running(state, name)
    if process is not None:
        end_all([process])
    _pid_file(state, name).unlink(missing_ok=True)
    return process is not None


def end_strays(state: Path) -> int:
    """End what a killed parent left behind, and count it."""
    strays = [process for process in psutil.process_iter() if _mark(process) == str(state)]
    end_all(strays)
    return len(strays)


def end_all(processes: Sequence[psutil.Process]) -> None:
    """SIGTERM, some patience, then SIGKILL for those that did not listen."""
    for process in processes:
        _signal(process.terminate)
    _, deaf = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    for process in deaf:
        _signal(process.kill)
    psutil.wait_procs(deaf, timeout=PATIENCE_SECONDS)


def wait_until(is_ready: Callable[[], bool], state: Path, name: str, seconds: float) -> None:
    """Return when the process is ready.

    Raises:
        TransientError: it ended first, or took too long; the message shows the end of its log.
    """
    until = time.monotonic() + seconds
    while not is_ready():
        if running(state, name) is None or time.monotonic() > until:
            raise TransientError(
                f"{name} did not come up; its log ends: {log_tail(state, name)}",
                expected=f"an answer within {seconds:.0f} s",
                next_step=f"read {log_of(state, name)}, then `make down` and `make up`",
            )
        time.sleep(0.2)


def log_of(state: Path, name: str) -> Path:
    """Where the process writes what it says."""
    return state / f"{name}.log"


def log_tail(state: Path, name: str) -> str:
    """Return the last lines of a log."""
    path = log_of(state, name)
    return path.read_text(encoding="utf-8", errors="replace")[-TAIL:].strip() if path.exists() else "(no log)"


def _pid_file(state: Path, name: str) -> Path:
    return state / f"{name}.pid"


def _mark(process: psutil.Process) -> str | None:
    """The state folder that a process carries; None for those of others, which may not be asked."""
    try:
        is_self = process.pid == os.getpid()
        return None if is_self else process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
