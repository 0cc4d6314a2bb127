"""One Prefect server for a whole test run: a process of its own that ends when the run does."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

START_SECONDS = 180


def serve_run(folder: Path, pid: int) -> None:
    """Start the server in `folder` and wait until it answers; its address is in `address` then."""
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "tests.support.prefect_child", str(folder), str(pid)]
        child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    end = time.monotonic() + START_SECONDS
    while not (folder / "address").exists():
        if child.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Prefect's server did not start:\n{(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.1)


def _serve(folder: Path, pid: int) -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who stops a run by hand stops pytest; the server follows
    with temporary_settings({PREFECT_HOME: folder}), prefect_test_harness(server_startup_timeout=START_SECONDS):
        waiting = folder / "address.new"
        waiting.write_text(str(PREFECT_API_URL.value()))
        waiting.rename(folder / "address")
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                time.sleep(0.5)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
