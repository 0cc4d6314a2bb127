"""SIGKILL at every named step of publishing, in a real process: never half a revision, never a second delivery."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from tasks.settings import Settings
from tasks.stores.index import orphans
from tasks.stores.objects import Objects, open_objects
from tasks.stores.sends import read_send
from tests.support.sends import SEND, Client, people, send_to
from tests.support.warm import fork
from tests.support.weed import Endpoint

FIRST, SECOND = [1, 2, 3], [2, 3, 4, 5, 6]
"""The second increment has two parts and a recall."""
INVISIBLE = [*(f"P{n}:{when}" for n in (3, 4, 5, 6, 7) for when in ("before", "after")), "P8:before"]
UNMARKED = ["P8:after", "P9:before"]
MARKED = ["index:before", "P9:after", "P10:before", "P10:after"]


def contacts(numbers: Iterable[int]) -> list[str]:
    return people(numbers)["contact"].to_list()


def killed_at(point: str, uri: str, numbers: Iterable[int], env: dict[str, str] | None = None) -> None:
    """Publish in a child that dies at the point; a point that is never reached fails the test."""
    own = {**os.environ, **(env or {}), "STRATA_FAILPOINT": f"{point}:kill"}
    child = fork("tests.support.publisher", (uri, *map(str, numbers)), own)
    _, problem = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL, f"{point} never fired: {problem}"


def stored(objects: Objects) -> dict[str, bytes]:
    return {meta.key: objects.read(meta.key) for meta in objects.list("")}


def check_whole(objects: Objects, expected: list[str]) -> None:
    """Both ways of following agree, nobody is there twice, and nothing is left over."""
    client = Client(objects)
    assert client.by_pointer() == expected
    assert sorted(client.by_success()) == sorted(expected)
    assert orphans(objects) == ()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every object of an outbox in which nobody was killed."""
    objects = open_objects(str(tmp_path_factory.mktemp("undisturbed")), Settings())
    send_to(objects, FIRST)
    send_to(objects, SECOND)
    return stored(objects)


def kill_and_rerun(objects: Objects, point: str, undisturbed: dict[str, bytes], env: dict[str, str]) -> None:
    send_to(objects, FIRST)
    old, new = contacts(FIRST), contacts([1, 2, 3, 4, 5, 6])
    killed_at(point, objects.uri, SECOND, env)
    client = Client(objects)
    assert client.by_pointer() == (old if point in INVISIBLE else new)
    assert sorted(client.by_success()) == (new if point in MARKED else old)
    for _ in range(2):
        send_to(objects, SECOND)
        check_whole(objects, new)
        assert read_send(objects, SEND).published.seq == 2
        assert stored(objects) == undisturbed


@pytest.mark.parametrize("point", [*INVISIBLE, *UNMARKED, *MARKED])
def test_a_killed_publisher_leaves_old_or_new_and_the_rerun_the_same_bytes(
    tmp_path: Path, point: str, undisturbed: dict[str, bytes]
) -> None:
    kill_and_rerun(open_objects(str(tmp_path / "outbox"), Settings()), point, undisturbed, {})


@pytest.mark.slow
@pytest.mark.parametrize("point", ["P3:after", "P5:before", "P6:after", "P8:before", "P8:after", "P9:after"])
def test_the_same_on_real_s3(
    s3_server: Endpoint, s3_settings: Settings, point: str, undisturbed: dict[str, bytes]
) -> None:
    kill_and_rerun(open_objects(s3_settings.lake, s3_settings), point, undisturbed, s3_server.env())


@pytest.mark.parametrize("point", ["P4:after", "P8:after"])
def test_someone_who_says_no_between_the_kill_and_the_rerun(tmp_path: Path, point: str) -> None:
    objects = open_objects(str(tmp_path / "outbox"), Settings())
    killed_at(point, objects.uri, FIRST)
    outcome = send_to(objects, [1, 2])
    was_visible = point == "P8:after"
    assert Client(objects).by_pointer() == contacts(FIRST if was_visible else [1, 2])
    assert outcome.published.seq == (2 if was_visible else 1)
    assert outcome.manifest is not None
    assert outcome.manifest.recalled == (1 if was_visible else 0)


def test_a_point_that_does_not_exist_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="P99:before never fired"):
        killed_at("P99:before", str(tmp_path / "outbox"), FIRST)
