"""One real house for these tests: PostgreSQL, Prefect server, worker and deployments, as `make up` starts them.

It works on an empty lake under the policy of the invented brand, and its port is its own. The folder stands apart from
tests/flows because nothing here needs the server inside the test process.
"""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.demo import demo_cn
from infra.server.house import Place, down, up
from infra.server.processes import MARK

BRAND = Path(str(demo_cn.__file__)).parent


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A house that is up; afterwards not one of its processes is left."""
    root = tmp_path_factory.mktemp("house")
    place = Place(
        state=root / "state", port=_free_port(), lake=str(root / "lake"), policy=str(BRAND / "policy"),
        inbox=str(root / "inbox"),
    )  # fmt: skip
    Path(place.inbox).mkdir()
    try:
        up(place, print)
        yield place
    finally:
        down(place)
    assert [process for process in psutil.process_iter(["environ"]) if _belongs(process, place)] == []


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of the invented brand, without the page that describes them."""
    return Path(shutil.copytree(BRAND / "exports", tmp_path_factory.mktemp("in") / "exports", ignore=_not_data))


def _not_data(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name.endswith(".md")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _belongs(process: psutil.Process, place: Place) -> bool:
    return (process.info["environ"] or {}).get(MARK) == str(place.state)
