"""SIGKILL in `strata forget`: wherever it dies, carrying the request out again ends as if nobody had died."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from flows.forget import forget
from flows.parameters import ForgetParameters
from flows.verify import verify
from tasks.stores.ring import demo_ring
from tests.support.forgetting import asked, tables_of
from tests.support.kills import places
from tests.support.leaks import leaks_in
from tests.support.sends import Client
from tests.support.strata import finish, start
from tests.support.winback import WINBACK, Brand, phone

pytestmark = pytest.mark.acceptance

POINTS = (
    "forget:files:before", "forget:file:after", "forget:files:after", "table:orders:after", "pointer:before",
    "pointer:after", "forget:recall:before", "forget:swap:before", "forget:swap:after", "forget:send:after",
    "forget:recall:after", "table:deliveries:after", "forget:vacuum:before", "forget:vacuum:after",
    "forget:receipt:before",
)  # fmt: skip
BY_DEFAULT = ("forget:file:after", "forget:swap:after")
"""Every place is killed at by `make proof`."""


@pytest.fixture(scope="module")
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand with its win-back sent."""
    request.getfixturevalue("prefect_harness")
    brand = Brand.found(tmp_path_factory.mktemp("sent") / "brand")
    brand.deliver()
    return brand


def told_of(brand: Brand) -> dict[str, str]:
    return {"lake": brand.uri, "policy": str(brand.policy)}


def killed_at(point: str, brand: Brand, request: str, env: Mapping[str, str]) -> None:
    """Forget in a child that dies at the point; a point that is never reached fails the test."""
    told = ("--resume", request, "--yes", "--json", "--lake", brand.uri)
    answer = finish(start("forget", *told, env=env, STRATA_FAILPOINT=f"{point}:kill"))
    assert answer.code == -signal.SIGKILL, f"{point} never fired: {answer.problem}"


@pytest.mark.parametrize("point", places(POINTS, BY_DEFAULT))
def test_a_killed_erasure_is_finished_by_the_next(point: str, sent: Brand, tmp_path: Path, harness_env: dict[str, str]):
    brand = sent.copy(tmp_path / "brand")
    household = min(brand.expected()["delivered"])
    due = [number for number in Client(brand.outbox, WINBACK).by_pointer() if number != phone(household)]
    before = tables_of(brand.lake)
    request = asked(told_of(brand), phone(household))
    killed_at(point, brand, request, harness_env)
    receipt = forget(ForgetParameters(request=request, **told_of(brand)))
    assert (receipt["raw_files"], receipt["raw_rows"], receipt["sends_recalled"]) == (2, 2, [WINBACK.id])
    (recall,) = Path(brand.uri).rglob("recall.csv")
    found = leaks_in(Path(brand.uri), [phone(household), f"{household:032x}"], ring=demo_ring())
    assert list(found) == [str(recall.relative_to(brand.uri))]
    assert Client(brand.outbox, WINBACK).by_pointer() == due
    after = tables_of(brand.lake)
    assert {
        name: rows.height for name, rows in after.items() if name in before and name not in {"runs", "deliveries"}
    } == {
        name: rows.height - (2 if name == "contacts" else 0)
        for name, rows in before.items()
        if name not in {"runs", "deliveries"}
    }
    assert after["erasures"].height == 2
    found_again = verify(brand.uri)
    assert (found_again.damaged, found_again.mismatches) == ([], [])
    left = [path.name for path in Path(brand.uri, "forget", request).iterdir()]
    assert left == ["receipt.json"]
    assert json.loads(Path(brand.uri, "forget", request, "receipt.json").read_bytes())["request"] == request
