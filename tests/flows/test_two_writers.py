"""Two refreshes at once, as separate processes: neither update is lost, no row stands twice, no snapshot is skipped."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from flows.verify import verify
from tasks.errors import LakeBusyError
from tests.support.frozen import frozen, thaw_when
from tests.support.quarter import Brand, day_after
from tests.support.strata import finish
from tests.support.warm import Forked

pytestmark = pytest.mark.slow

MARCH, APRIL = "2017-03-31", "2017-04-30"


def march(brand: Brand, failpoint: str, env: dict[str, str]) -> AbstractContextManager[Forked]:
    """A process that refreshes March and is stopped at the point."""
    told = ("--lake", brand.lake, "--policy", brand.policy, "--json")
    command = ("refresh", "--as-of", MARCH, "--known-as-of", day_after("2017-03"), *told)
    return frozen(*command, failpoint=failpoint, env=env)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process keeps its candidates: a full set shows that it has computed and wants to publish."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def collide(brand: Brand, as_of: str, known_as_of: str, scratch: Path, env: dict[str, str]) -> tuple[str, str]:
    """Refresh here while March is frozen over there; let it go on when both have computed on the same snapshot."""
    with march(brand, "table:identities:before", env) as other, ThreadPoolExecutor() as pool:
        thawed = pool.submit(thaw_when, lambda: any(scratch.glob("*/metrics.parquet")), other)
        mine = brand.refresh(as_of, known_as_of)
        thawed.result()
        theirs = finish(other)
    assert theirs.code == 0, theirs.problem
    return theirs.told["outcome"], mine["outcome"]


def assert_whole(brand: Brand, seq: int) -> None:
    """Every snapshot from the first to `seq` can be read, every key stands once, every digest is that of its run."""
    assert [brand.tables.at(number).seq for number in range(1, seq + 1)] == list(range(1, seq + 1))
    assert brand.seq == seq
    for table in ("customers", "tags"):
        rows = brand.rows(table)
        assert rows.select("one_id", "as_of").is_unique().all()
    assert not brand.runs().select("run_id").is_duplicated().any()
    found = verify(brand.lake)
    assert (found.damaged, found.mismatches) == ([], [])


@pytest.mark.acceptance
def test_the_same_month_twice_at_once(brand: Brand, scratch: Path, harness_env: dict[str, str]):
    """The second looks again when it is its turn, and finds the work done."""
    seq = brand.seq
    assert collide(brand, MARCH, day_after("2017-03"), scratch, harness_env) == ("done", "already done")
    assert brand.recorded(MARCH) == [brand.standing(MARCH)]
    assert_whole(brand, seq + 1)


@pytest.mark.acceptance
def test_two_months_at_once(brand: Brand, scratch: Path, harness_env: dict[str, str]):
    """April was computed on the state of February; it is computed again on March's, and March stays."""
    seq = brand.seq
    assert collide(brand, APRIL, day_after("2017-04"), scratch, harness_env) == ("done", "done")
    assert set(brand.rows("migrations", APRIL)["from_as_of"].cast(str)) == {MARCH}
    for as_of in (MARCH, APRIL):
        assert brand.recorded(as_of) == [brand.standing(as_of)]
    assert_whole(brand, seq + 2)


@pytest.mark.acceptance
def test_whoever_cannot_wait_says_so_and_leaves_everything_as_it_is(
    brand: Brand, harness_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    """Exit code 3: the lake is busy, the holder is named, run it again."""
    monkeypatch.setenv("STRATA_LEASE_WAIT_SECONDS", "0.1")
    with march(brand, "pointer:before", harness_env) as other:
        with pytest.raises(LakeBusyError, match=f"the lake is held by run .* \\(process {other.pid} on") as busy:
            brand.refresh(MARCH, day_after("2017-03"))
        assert (busy.value.exit_code, "wait for that run" in busy.value.next_step) == (3, True)
        os.kill(other.pid, signal.SIGCONT)
        assert finish(other).told["outcome"] == "done"
    assert brand.recorded(MARCH) == [brand.standing(MARCH)]
