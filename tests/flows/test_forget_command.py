"""`strata forget` and `strata access` as they are typed: nobody's number on the command line, nothing without a yes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from flows.cli import app
from flows.forgetting import Wish
from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.stores.access_log import accesses
from tests.support.forgetting import files_below
from tests.support.leaks import leaks_in
from tests.support.winback import Brand, phone

pytestmark = pytest.mark.slow
HOUSEHOLD = 39


@pytest.fixture(scope="module")
def brand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brand]:
    request.getfixturevalue("prefect_harness")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATA_SCRATCH", str(tmp_path_factory.mktemp("scratch")))
        yield Brand.found(tmp_path_factory.mktemp("commands") / "brand")


def typed(brand: Brand, *arguments: str, said: str | None = None) -> str:
    """What a command prints; its errors come through."""
    done = CliRunner().invoke(app, [*arguments, "--lake", brand.uri], input=said, catch_exceptions=False,
                              standalone_mode=False)  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("who", [phone(HOUSEHOLD), f"phone::{phone(HOUSEHOLD)}", "lin@example.com", "member:x:39"])
def test_nobody_is_named_in_clear_on_the_command_line(brand: Brand, who: str):
    with pytest.raises(SecurityRefusedError) as refused:
        typed(brand, "forget", who)
    assert who not in str(refused.value)


def test_a_number_comes_through_a_pipe_and_a_dry_run_writes_nothing(brand: Brand):
    before = files_below(Path(brand.uri))
    told = json.loads(typed(brand, "forget", "--dry-run", "--json", said=f"{phone(HOUSEHOLD)}\n"))
    assert told["rows"]["orders"] == 1
    assert files_below(Path(brand.uri)) == before


def test_without_a_yes_nothing_happens(brand: Brand):
    before = files_below(Path(brand.uri))
    with pytest.raises(typer.Abort):
        typed(brand, "forget", brand.one_ids()[HOUSEHOLD], said="n\n")
    assert files_below(Path(brand.uri)) == before


def test_a_request_waits_and_is_carried_out_by_its_id(brand: Brand, tmp_path: Path):
    own = brand.copy(tmp_path / "brand")
    sealed = json.loads(typed(own, "forget", "--request-only", "--json", said=f"{phone(HOUSEHOLD)}\n"))["request"]
    assert json.loads(typed(own, "forget", "--waiting", "--json")) == {"waiting": [sealed]}
    told = json.loads(typed(own, "forget", "--resume", sealed, "--yes", "--json"))
    assert (told["outcome"], told["rows"]["customers"]) == ("done", 1)
    assert json.loads(typed(own, "forget", "--waiting", "--json")) == {"waiting": []}


def test_everything_held_about_one_person_is_written_for_a_named_role(brand: Brand, tmp_path: Path):
    one_id = brand.one_ids()[HOUSEHOLD]
    asked = ("access", one_id, "--out", str(tmp_path / "for_them"), "--json")
    with pytest.raises(SecurityRefusedError, match="may not see"):
        typed(brand, *asked)
    told = json.loads(typed(brand, *asked, "--role", "privacy_officer"))
    held = json.loads((tmp_path / "for_them" / "access.json").read_text(encoding="utf-8"))
    assert held["customer_ids"] == [one_id]
    assert [contact["value"] for contact in held["contacts"]] == [phone(HOUSEHOLD), f"{HOUSEHOLD:032x}"]
    assert {"orders", "order_lines", "sightings", "consents", "customers", "tags"} <= told["tables"].keys()
    page = (tmp_path / "for_them" / "access.html").read_text(encoding="utf-8")
    assert phone(HOUSEHOLD) in page
    others = {phone(n) for n in range(1, 81)} - {phone(HOUSEHOLD)}
    assert leaks_in(tmp_path / "for_them", [*others, *(set(brand.one_ids().values()) - {one_id})]) == {}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "for_them").iterdir()} == {0o600}
    *_, last = accesses(Wish(lake=brand.uri).house.lake._objects)
    assert (last.role, last.count) == ("privacy_officer", 2)
    with pytest.raises(ConfigurationError, match="is there already"):
        typed(brand, *asked, "--role", "privacy_officer")


def test_the_scratch_is_empty_afterwards(brand: Brand):
    scratch = Path(os.environ["STRATA_SCRATCH"])
    assert [path for path in scratch.rglob("*") if path.is_file()] == []
    assert brand.uri
