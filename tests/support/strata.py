"""The command line in a process of its own: from the shell's view, or forked from a warm one where many are needed."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.warm import STRATA, Forked, fork

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


def strata(*arguments: str, env: Mapping[str, str], **changes: str) -> Answer:
    """Run a command to its end, from a cold start, as a person or a scheduler does."""
    command = [sys.executable, "-m", STRATA, *arguments]
    own = {**env, **changes}
    ended = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=240, check=False)
    return _answer(ended.returncode, ended.stdout, ended.stderr)


def start(*arguments: str, env: Mapping[str, str], **changes: str) -> Forked:
    """Start a command in a fork of the warm process."""
    return fork(STRATA, arguments, {**env, **changes})


def finish(process: Forked) -> Answer:
    """Wait for a command."""
    out, problem = process.communicate(timeout=240)
    return _answer(process.wait(), out, problem)


def quickly(*arguments: str, env: Mapping[str, str], **changes: str) -> Answer:
    """Run a command to its end in a fork of the warm process: where what it answers is asked, not how it starts."""
    return finish(start(*arguments, env=env, **changes))


def _answer(code: int, out: str, problem: str) -> Answer:
    """Lines that the command folded to the width of a terminal are joined again."""
    return Answer(code, out, " ".join(problem.split()))
