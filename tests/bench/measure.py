"""One side of a comparison in a process of its own, and what it took."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """What one child said of itself."""

    seconds: float
    cpu_seconds: float
    peak_gib: float


def measure(side: str, data: Path, result: Path) -> Measured:
    """Run a side of child.py on two threads."""
    command = [sys.executable, "-m", "tests.bench.child", side, str(data), str(result)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
    said = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    return Measured(**json.loads(said))
