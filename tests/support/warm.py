"""Programs in processes of their own, forked from one that has imported everything: up to twelve seconds less for each.

A forked child is as real as any: it has its own pid, can be stopped, killed and raced, and holds no lock of others.
The parent never runs a program itself, so no thread and no connection is there to be inherited.

    python -m tests.support.warm MODULE     reads one JSON request a line: {"arguments", "env", "folder"}
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from itertools import count
from pathlib import Path
from runpy import run_module
from tempfile import mkdtemp

ROOT = Path(__file__).parents[2]
STRATA = "flows.cli"
TICK_SECONDS = 0.02
_numbers = count()


class Forked:
    """A program under way, with the part of Popen's interface that tests use."""

    def __init__(self, folder: Path) -> None:
        """Wait until the warm process has forked it."""
        self._folder = folder
        self.pid = int(_when_written(folder / "pid", 180))

    @property
    def returncode(self) -> int | None:
        """Exit code, minus the signal's number when a signal ended it; None while it runs."""
        path = self._folder / "code"
        return int(path.read_text()) if path.exists() else None

    def poll(self) -> int | None:
        """The code if it has ended."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 240) -> int:
        """Wait for its end and return the code."""
        return int(_when_written(self._folder / "code", timeout))

    def communicate(self, timeout: float = 240) -> tuple[str, str]:
        """Wait for its end and return what it wrote to standard output and error."""
        self.wait(timeout)
        return (self._folder / "out").read_text(), (self._folder / "err").read_text()


def _when_written(path: Path, timeout: float) -> str:
    deadline = time.monotonic() + timeout
    while not path.exists():
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(str(path), timeout)
        time.sleep(TICK_SECONDS)
    return path.read_text()


def fork(module: str, arguments: tuple[str, ...], env: Mapping[str, str]) -> Forked:
    """Run a module as a program in a child of the warm process for it and for this Prefect server."""
    process, folder = _warm(module, env)
    own = folder / str(next(_numbers))
    own.mkdir()
    request = {"arguments": arguments, "env": dict(env), "folder": str(own)}
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    return Forked(own)


_started: dict[tuple[str, str], tuple["subprocess.Popen[bytes]", Path]] = {}


def _warm(module: str, env: Mapping[str, str]) -> tuple["subprocess.Popen[bytes]", Path]:
    """The warm process for a Prefect server: Prefect reads its address once, when it is imported."""
    own = module, env.get("PREFECT_API_URL", "")
    if own not in _started:
        command = [sys.executable, "-m", "tests.support.warm", module]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, bufsize=0)
        atexit.register(process.kill)
        _started[own] = process, Path(mkdtemp(prefix="strata-warm-"))
    return _started[own]


def _serve(module: str) -> None:
    """Fork a child for each request, and write down how each ended, until standard input closes."""
    _import_ahead(module)
    running: dict[int, Path] = {}
    requests = os.fdopen(0, "rb", buffering=0)
    while True:
        readable, _, _ = select.select([requests], [], [], TICK_SECONDS)
        if readable:
            line = requests.readline()
            if not line:
                return
            running |= _forked(module, json.loads(line))
        _reap(running)


def _import_ahead(module: str) -> None:
    """Everything that the program imports; for `strata` every flow, and the slow gate above all."""
    import_module(module)
    if module != STRATA:
        return
    for flow in ("backfill", "campaign", "ingest", "month", "plan", "refresh", "report"):
        import_module(f"flows.{flow}")
    gate = import_module("tasks.gate")
    gate._context()
    gate._pages()


def _forked(module: str, request: dict[str, object]) -> dict[int, Path]:
    folder = Path(str(request["folder"]))
    pid = os.fork()
    if pid == 0:
        _run(module, request, folder)
    _write(folder / "pid", str(pid))
    return {pid: folder}


def _run(module: str, request: dict[str, object], folder: Path) -> None:
    """Become the program: its environment, its output, its end."""
    arguments, env = request["arguments"], request["env"]
    assert isinstance(arguments, list)
    assert isinstance(env, dict)
    os.environ.clear()
    os.environ.update(env)
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY, 0o600), number)
    sys.argv = [module, *arguments]
    code: object = 0
    try:
        run_module(module, run_name="__main__")
    except SystemExit as end:
        code = end.code
    finally:
        if sys.exc_info()[1]:
            sys.excepthook(*sys.exc_info())
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def _reap(running: dict[int, Path]) -> None:
    """Write the codes of the children that have ended."""
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _write(running.pop(pid) / "code", str(os.waitstatus_to_exitcode(status)))


def _write(path: Path, text: str) -> None:
    """Write a whole file at once: who waits for it must not see half of it."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


if __name__ == "__main__":
    _serve(sys.argv[1])
