"""What flow tests share: `prefect_harness` of tests/conftest.py, one Prefect server for the whole session.

Its start takes 20 to 40 seconds, so no test starts another one. Flows are called in process; a child process
that should use the same server gets `harness_env` as its environment.
"""

import os

import pytest

from tests.support.demo_run import Demo, run_twice
from tests.support.winback import Brand


@pytest.fixture(scope="session", autouse=True)
def _served(prefect_harness: str) -> None:
    """Every test and fixture of this folder runs its flows against the one server."""


@pytest.fixture(scope="session")
def founded(prefect_harness: str, tmp_path_factory: pytest.TempPathFactory) -> Brand:  # noqa: ARG001  it serves
    """The eighty households before any send; tests change copies of it."""
    return Brand.found(tmp_path_factory.mktemp("founded"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`strata demo` as a user runs it, twice; one worker runs it for all."""
    base = tmp_path_factory.getbasetemp()
    return run_twice((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "whole-demo")
