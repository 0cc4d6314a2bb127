"""What flow tests share: `prefect_harness` of tests/conftest.py, one Prefect server for the whole session.

Its start takes 20 to 40 seconds, so no test starts another one. Flows are called in process; a child process
that should use the same server gets `harness_env` as its environment.
"""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _served(prefect_harness: str) -> None:
    """Every test and fixture of this folder runs its flows against the one server."""
