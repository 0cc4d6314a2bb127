"""What every test may ask for: a real S3 server, a store of objects of either kind, and a real Prefect server."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from xdist.scheduler import LoadFileScheduling

from flows.cli import QUIET
from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tests.support.once import once, run_folder, run_pid
from tests.support.prefect_child import serve_run
from tests.support.weed import Endpoint, weed_server

if TYPE_CHECKING:
    from tests.support.fault_proxy import FaultProxy
    from tests.support.quarter import Brand

os.environ.update(QUIET)  # before Prefect is imported: it reads its settings then


LONGEST_FIRST = ("tests/flows/test_whole_demo.py", "tests/server/", "tests/flows/", "tests/faults/", "tests/stores/")
"""So that no worker ends alone."""
ONE_HOUSE = "tests/server/"
"""The tests below this folder share a house that takes half a minute to start."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker ends alone; whatever order the rest is in, it stays."""
    items.sort(key=lambda item: next((n for n, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start)), 9))


class _Spread(LoadFileScheduling):
    """Files go to whichever worker is free, in the order given; those that share a house stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_HOUSE if nodeid.startswith(ONE_HOUSE) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Spread the tests as `_Spread` says where they are spread by file."""
    return _Spread(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def prefect_harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Prefect server for the whole run, and its address; flows called in process use it."""
    from prefect.context import _temporary_global_settings_context, get_settings_context
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    house = once(run_folder(tmp_path_factory) / "prefect-house", lambda folder: serve_run(folder, run_pid()))
    address = (house / "address").read_text()
    settings = {PREFECT_HOME: tmp_path_factory.mktemp("prefect"), PREFECT_API_URL: address}
    with temporary_settings(settings), _temporary_global_settings_context(get_settings_context()):
        yield address


@pytest.fixture(scope="session")
def harness_env(prefect_harness: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment for a child process on the same server; what it leaves when killed lies with the test's files."""
    scratch = str(tmp_path_factory.mktemp("scratch"))
    return {**os.environ, "PREFECT_API_URL": prefect_harness, "STRATA_SCRATCH": scratch}


@pytest.fixture(scope="session")
def standing(prefect_harness: str, tmp_path_factory: pytest.TempPathFactory) -> "Brand":  # noqa: ARG001  it serves
    """A small lake that nobody may change: January and February refreshed, March received. Copy it to work on it."""
    from tests.support.quarter import standing_brand, standing_in

    return standing_in(once(run_folder(tmp_path_factory) / "standing", standing_brand))


@pytest.fixture
def brand(standing: "Brand", tmp_path: Path) -> "Brand":
    """A copy of the small lake of one's own."""
    return standing.copied(tmp_path)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One SeaweedFS for the whole session; tests part it by prefix."""
    with weed_server(tmp_path_factory.mktemp("weed")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def proxy(s3_server: Endpoint) -> "Iterator[FaultProxy]":
    """What stands between a client and the S3 server, and injures requests."""
    from tests.support.fault_proxy import fault_proxy

    with fault_proxy(s3_server.url) as running:
        yield running


@pytest.fixture
def s3_settings(s3_server: Endpoint) -> Settings:
    """Settings whose lake is an empty prefix of the S3 server."""
    return s3_server.settings(lake=s3_server.uri(f"lake-{uuid4().hex}"))


@pytest.fixture
def directory_settings(tmp_path: Path) -> Settings:
    """Settings whose lake is an empty directory."""
    return Settings(lake=(tmp_path / "lake").as_uri())


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def lake_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of an empty lake, once in a directory and once in S3."""
    settings: Settings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
def objects(lake_settings: Settings) -> Objects:
    """An empty store, once in a directory and once in S3."""
    return open_objects(lake_settings.lake, lake_settings)
