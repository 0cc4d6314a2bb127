"""The month before the one that stages.py refreshes, in a process of its own: not timed, but gone on from."""

from pathlib import Path

from tasks.policy.models import Policy
from tests.bench.stages import run_before


def run(lake: Path, result: Path, policy: Policy) -> None:  # noqa: ARG001  every side is called in one way
    """Refresh it into the brand's folder."""
    run_before(lake, policy)
