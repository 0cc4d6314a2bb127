"""The command line in a process of its own, as a person or a scheduler runs it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class Answer(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    problem: str

    @property
    def told(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


def start(*arguments: str, env: Mapping[str, str], **changes: str) -> subprocess.Popen[str]:
    """Start a command."""
    command = [sys.executable, "-m", "flows.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env={**env, **changes}, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> Answer:
    """Wait for a command; lines that it folded to the width of a terminal are joined again."""
    out, problem = process.communicate(timeout=240)
    return Answer(process.returncode, out, " ".join(problem.split()))


def strata(*arguments: str, env: Mapping[str, str], **changes: str) -> Answer:
    """Run a command to its end."""
    return finish(start(*arguments, env=env, **changes))
