"""The demo's second brand in a process of its own beside the first: two lakes, two cores, one Prefect server."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS

from tasks.errors import StrataError

DONE = "done: "
"""How a line begins that says a step has ended."""


class BesideError(StrataError):
    """The other process failed; its own words are the message."""

    def __init__(self, brand: str, code: int, said: str) -> None:
        """Keep the exit code with which it ended."""
        super().__init__(f"{brand}: {said}", next_step=f"run `strata demo --brand {brand}` to see it alone")
        self.code = code


@contextmanager
def brand_beside(lake: Path, brand: str, on_done: Callable[[str], None]) -> Iterator[None]:
    """Run `strata demo --brand` beside the body; leave when both have ended, however the first one does.

    Raises:
        BesideError: it failed.
    """
    command = [sys.executable, "-m", "flows.cli", "demo", "--brand", brand, "--lake", str(lake)]
    env = {**os.environ, "PREFECT_API_URL": _server_address(), "COLUMNS": "200"}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=said, text=True)  # noqa: S603
        listener = threading.Thread(target=_listen, args=(process, on_done), daemon=True)
        listener.start()
        try:
            yield
            listener.join()
        except BaseException:
            process.terminate()
            raise
        finally:
            code = process.wait()
        said.seek(0)
        if code:
            raise BesideError(brand, code, said.read().strip() or "ended without a word")


def _listen(process: "subprocess.Popen[str]", on_done: Callable[[str], None]) -> None:
    """Pass on each step that has ended, until the process has nothing more to say."""
    for line in process.stdout or ():
        if line.startswith(DONE):
            on_done(line.removeprefix(DONE).strip())


def _server_address() -> str:
    """Where both processes find Prefect: the server that is configured, else this process's own."""
    if configured := PREFECT_API_URL.value():
        return str(configured)
    server = SubprocessASGIServer()  # the one that Prefect's client would start for this process
    server.start(timeout=PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value())
    return server.api_url
