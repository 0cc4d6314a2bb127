"""What a killed process leaves in scratch is gone after the next one came by; what a living one holds stays."""

import signal
import subprocess
import sys
from pathlib import Path

from tasks.stores.abandoned import desk

HOLD = """
import sys, time
from pathlib import Path
from tasks.stores.abandoned import desk
with desk(Path(sys.argv[1])) as folder:
    (folder / "orders.parquet").write_bytes(b"rows of somebody")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_the_next_run_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with desk(tmp_path):
            assert (left / "orders.parquet").exists(), "its owner lives"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left.exists(), "nobody has tidied up yet"
    with desk(tmp_path):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []
