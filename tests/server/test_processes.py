"""Processes that outlive their starter: found again by pid, never mistaken for another's, ended for certain."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.server import postgres
from infra.server.processes import end, end_all, end_strays, running, start, wait_until
from tasks.errors import TransientError

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); time.sleep(600)",
]
PARENT = [sys.executable, "-c", f"import subprocess; subprocess.run({SLEEP!r})"]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder of which nothing runs afterwards."""
    yield tmp_path
    end_strays(tmp_path)


def test_a_started_process_is_found_by_its_name(state: Path):
    pid = start(state, "sleeper", SLEEP, os.environ, state)
    found = running(state, "sleeper")
    assert found is not None
    assert found.pid == pid


def test_an_ended_process_is_gone_and_ending_it_again_is_no_error(state: Path):
    start(state, "sleeper", SLEEP, os.environ, state)
    assert (end(state, "sleeper"), running(state, "sleeper"), end(state, "sleeper")) == (True, None, False)


def test_a_pid_that_means_another_process_now_is_left_alone(state: Path):
    mine = psutil.Process()
    (state / "sleeper.pid").write_text(json.dumps({"pid": mine.pid, "born": mine.create_time() - 5}))
    assert end(state, "sleeper") is False


def test_a_child_left_behind_by_a_killed_parent_is_ended(state: Path):
    process = psutil.Process(start(state, "parent", PARENT, os.environ, state))
    (child,) = _children(process)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    assert (running(state, "parent"), child.is_running()) == (None, True)
    assert end_strays(state) == 1
    assert not _is_alive(child)


def test_a_process_deaf_to_sigterm_is_killed(state: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infra.server.processes.PATIENCE_SECONDS", 1)
    process = psutil.Process(start(state, "deaf", DEAF, os.environ, state))
    wait_until(lambda: "on" in (state / "deaf.log").read_text(), state, "deaf", 20)
    end_all([process])
    assert not _is_alive(process)


def test_a_process_that_ends_at_once_says_why(state: Path):
    start(state, "broken", [sys.executable, "-c", "raise SystemExit('no such port')"], os.environ, state)
    with pytest.raises(TransientError, match="no such port"):
        wait_until(lambda: False, state, "broken", 20)


@pytest.mark.slow
def test_postgres_comes_back_after_a_kill(tmp_path: Path):
    try:
        postgres.ensure_postgres(tmp_path, os.environ)
        first = running(tmp_path, postgres.NAME)
        assert first is not None
        assert first.uids().effective != 0
        first.kill()
        psutil.wait_procs([first], timeout=20)
        postgres.ensure_postgres(tmp_path, os.environ)
        assert running(tmp_path, postgres.NAME) not in (None, first)
    finally:
        postgres.end_postgres(tmp_path)
    assert not postgres.socket_folder(tmp_path).exists()


def _children(process: psutil.Process) -> list[psutil.Process]:
    until = time.monotonic() + 20
    while not process.children() and time.monotonic() < until:
        time.sleep(0.1)
    return process.children()


def _is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
