"""A refresh and an ingest killed with SIGKILL in real processes: readers stay whole, the next run ends the same."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.quarter import Brand, day_after, received, write_quarter
from tests.support.strata import finish, start

pytestmark = pytest.mark.acceptance

AS_OF, KNOWN = "2017-03-31", day_after("2017-03")
UNSEEN = ["table:customers:after", pytest.param("table:tags:before", marks=pytest.mark.proof), "pointer:before"]
"""Between two tables, and with all tables committed: the pointer has not moved."""


@pytest.fixture(scope="module")
def undisturbed(standing: Brand, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every table of a lake in which nobody was killed, after March was refreshed."""
    brand = standing.copied(tmp_path_factory.mktemp("undisturbed"))
    brand.refresh(AS_OF, KNOWN)
    return brand.content()


def killed(failpoint: str, env: Mapping[str, str], *arguments: str) -> None:
    """Run a command that dies at the point; a point that is never reached fails the test."""
    answer = finish(start(*arguments, env=env, STRATA_FAILPOINT=f"{failpoint}:kill"))
    assert answer.code == -signal.SIGKILL, f"{failpoint} never fired: {answer.problem}"


def refresh_command(brand: Brand) -> tuple[str, ...]:
    told = ("--lake", brand.lake, "--policy", brand.policy)
    return ("refresh", "--as-of", AS_OF, "--known-as-of", KNOWN, *told)


def seen(brand: Brand) -> tuple[Any, ...]:
    """What a reader can tell of a lake."""
    return brand.seq, brand.content(), brand.runs().height


@pytest.mark.parametrize("failpoint", UNSEEN)
def test_a_refresh_killed_before_the_pointer_moved_was_never_there(
    brand: Brand, failpoint: str, harness_env: dict[str, str], undisturbed: dict[str, str]
):
    before = seen(brand)
    killed(failpoint, harness_env, *refresh_command(brand))
    assert seen(brand) == before
    assert brand.refresh(AS_OF, KNOWN)["outcome"] == "done"
    assert (brand.seq, brand.content(), brand.runs().height) == (before[0] + 1, undisturbed, before[2] + 1)
    assert brand.standing(AS_OF) == brand.recorded(AS_OF)[-1]


def test_a_refresh_killed_after_the_pointer_moved_is_done(
    brand: Brand, harness_env: dict[str, str], undisturbed: dict[str, str]
):
    before = seen(brand)
    killed("pointer:after", harness_env, *refresh_command(brand))
    assert (brand.seq, brand.content(), brand.runs().height) == (before[0] + 1, undisturbed, before[2] + 1)
    brand.refresh(AS_OF, KNOWN)
    assert brand.content() == undisturbed


def test_an_ingest_killed_between_two_tables_takes_in_every_row_once(
    standing: Brand, brand: Brand, harness_env: dict[str, str], tmp_path: Path
):
    write_quarter(tmp_path / "inbox", months=["2017-04"])
    whole = standing.copied(tmp_path / "undisturbed")
    whole.ingest(tmp_path / "inbox", **received("2017-04"))
    before, times = seen(brand), received("2017-04")
    told = ("--lake", brand.lake, "--policy", brand.policy, "--received-at", times["received_at"])
    command = ("ingest", str(tmp_path / "inbox"), *told, "--exported-at", times["exported_at"])
    killed("table:orders:after", harness_env, *command)
    assert seen(brand) == before
    brand.ingest(tmp_path / "inbox", **times)
    assert brand.seq == before[0] + 1
    sealed = {"contacts"}  # a fresh nonce each time
    assert {name: digest for name, digest in brand.content().items() if name not in sealed} == {
        name: digest for name, digest in whole.content().items() if name not in sealed
    }
