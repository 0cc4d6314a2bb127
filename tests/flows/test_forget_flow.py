"""Somebody is forgotten: nothing of them can be read or opened, nobody else moves, the past can still be proved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.erasure_requests import key_of_text, rehearse, waiting_requests
from flows.parameters import Parameters
from flows.sweep import sweep
from flows.verify import verify
from tasks.errors import ConfigurationError, MissingDataError
from tasks.stores.ring import demo_ring
from tasks.stores.runs import finished_runs
from tests.support.forgetting import (
    asked,
    came,
    files_below,
    forgotten,
    house_of,
    money_of,
    tables_of,
    tokens_of,
    without,
)
from tests.support.leaks import leaks_in
from tests.support.sends import Client
from tests.support.winback import WINBACK, Brand, phone

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module", autouse=True)
def _own_scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATA_SCRATCH", str(tmp_path_factory.mktemp("scratch")))
        yield


@pytest.fixture(scope="module")
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """Eighty households, their win-back sent."""
    request.getfixturevalue("prefect_harness")
    brand = Brand.found(tmp_path_factory.mktemp("sent") / "brand")
    brand.deliver()
    return brand


@dataclass(frozen=True)
class Case:
    """A household, the lake before and after it was forgotten, and what the summary said."""

    household: int
    before: Brand
    after: Brand
    told: dict[str, Any]
    keys: list[str]

    @property
    def secrets(self) -> list[str]:
        """Everything that only they have, in clear and as a pseudonym."""
        return [phone(self.household), f"{self.household:032x}", *tokens_of(self.keys)]


def told_of(brand: Brand) -> dict[str, str]:
    return {"lake": brand.uri, "policy": str(brand.policy)}


def keys_of(brand: Brand, household: int) -> list[str]:
    """Every printed key that was seen on the household's profile."""
    sightings = brand.rows("sightings")
    member = key_of_text(f"member:complete_journey:{household}", house_of(told_of(brand)))
    records = sightings.filter(key=member)["record"].to_list()
    return sightings.filter(pl.col("record").is_in(records))["key"].unique().to_list()


@pytest.fixture(scope="module")
def case(sent: Brand, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """One who was reached by the campaign, forgotten by the phone number."""
    household = min(sent.expected()["delivered"])
    after = sent.copy(tmp_path_factory.mktemp("forgotten") / "brand")
    told = forgotten(told_of(after), phone(household))
    return Case(household, sent, after, told, keys_of(sent, household))


def test_nothing_of_them_can_be_read_or_opened(case: Case):
    """Tables, raw files and contacts decrypted, Delta's log, the outbox: but for the one recall file."""
    (recall,) = Path(case.after.uri).rglob("recall.csv")
    found = leaks_in(Path(case.after.uri), case.secrets, ring=demo_ring())
    assert found == {str(recall.relative_to(case.after.uri)): [phone(case.household)]}


def test_the_search_would_have_found_them(case: Case):
    found = leaks_in(Path(case.before.uri), case.secrets, ring=demo_ring())
    places = {path.split("/")[0] for path in found}
    tables = {path.split("/")[1] for path in found if path.startswith("tables/")}
    assert {"raw", "tables", "outbox"} <= places
    assert {"orders", "sightings", "contacts", "consents", "customers", "audience_members", "touches"} <= tables
    never_an_id = {token for token in tokens_of(case.keys) if token.startswith("c_")}
    assert set(case.secrets) - {secret for told in found.values() for secret in told} <= never_an_id


def test_everybody_else_is_as_before_and_all_sums_balance(case: Case):
    old, new = tables_of(case.before.lake), tables_of(case.after.lake)
    kept = sorted(old.keys() - {"runs", "deliveries"})
    assert money_of({name: new[name] for name in kept}) == money_of({name: old[name] for name in kept})
    keys = came(old["sightings"], new["sightings"], "key")
    ghosts = [*(key.rpartition(":")[2] for key in keys), *came(old["identities"], new["identities"], "one_id")]
    gone, fresh = came(new["orders"], old["orders"], "order_id"), came(old["orders"], new["orders"], "order_id")
    assert len(ghosts) == 4
    assert len(gone) == len(fresh) == 1
    for name in kept:
        others = without(new[name], ghosts, fresh)
        assert others.equals(without(old[name], tokens_of(case.keys), gone)), name
        assert new[name].height == old[name].height - (2 if name == "contacts" else 0), name


def test_the_past_is_proved_through_the_new_digests(case: Case):
    before, after = verify(case.before.uri), verify(case.after.uri)
    assert (after.damaged, after.mismatches, after.unrepeatable) == ([], [], [])
    assert after.runs == before.runs == 1
    links = case.told["restated"]
    assert {link["table"] for link in links} >= {"customers", "identities", "tags"}
    assert all(link["old"] != link["new"] for link in links)


def test_older_snapshots_are_given_up(case: Case):
    with pytest.raises(MissingDataError, match="keeps no snapshot"):
        case.after.lake.at(1)
    logs = list(Path(case.after.uri, "tables").glob("*/_delta_log/*.json"))
    assert len(logs) == len(case.after.lake.snapshot().tables)


def test_the_vendor_finds_the_recall_and_everyone_else_where_they_were(case: Case):
    due = [number for number in Client(case.before.outbox, WINBACK).by_pointer() if number != phone(case.household)]
    client = Client(case.after.outbox, WINBACK)
    assert client.by_pointer() == client.by_success() == due
    *_, recall = case.after.published()
    assert recall.recalled == [phone(case.household)]
    recorded = case.after.rows("deliveries").sort("seq")
    assert recorded["revision"].to_list() == [sent.manifest["revision"] for sent in case.after.published()]


def test_a_send_that_goes_on_reaches_nobody_twice(case: Case, tmp_path: Path):
    brand = case.after.copy(tmp_path / "brand")
    due = Client(brand.outbox, WINBACK).by_pointer()
    brand.deliver()
    assert Client(brand.outbox, WINBACK).by_pointer() == due


def test_the_receipt_says_what_was_done_and_names_nobody(case: Case):
    receipt = json.loads(Path(case.after.uri, "forget", case.told["request"], "receipt.json").read_bytes())
    assert receipt["rows"]["orders"] == case.told["rows"]["orders"] >= 1
    assert (receipt["raw_files"], receipt["raw_rows"], receipt["sends_recalled"]) == (2, 2, [WINBACK.id])
    assert [path.name for path in Path(case.after.uri, "forget", case.told["request"]).iterdir()] == ["receipt.json"]


def test_twice_is_once(case: Case, tmp_path: Path):
    from flows.forget import forget
    from flows.parameters import ForgetParameters

    brand = case.after.copy(tmp_path / "brand")
    before = files_below(Path(brand.uri))
    again = forget(ForgetParameters(request=case.told["request"], **told_of(brand)))
    assert again["outcome"] == "already done"
    with pytest.raises(MissingDataError, match="nobody is known by that key"):
        forgotten(told_of(brand), phone(case.household))
    left = files_below(Path(brand.uri))
    assert {path for path in left.keys() ^ before.keys() if not path.startswith("forget/")} == set()


def test_a_dry_run_tells_what_would_go_and_writes_nothing(sent: Brand, tmp_path: Path):
    brand = sent.copy(tmp_path / "brand")
    before = files_below(Path(brand.uri))
    house = house_of(told_of(brand))
    household = min(brand.expected()["delivered"])
    told = rehearse(key_of_text(phone(household), house), Parameters(**told_of(brand)), house)
    assert told["rows"]["contacts"] == 2
    assert sorted(entry["file"] for entry in told["raw_files"]) == ["contacts-2017-11.csv", "transactions-2017-11.csv"]
    assert told["sends"] == [WINBACK.id]
    assert files_below(Path(brand.uri)) == before


def test_an_old_file_that_comes_again_is_caught_and_told(case: Case, tmp_path: Path):
    brand = case.after.copy(tmp_path / "brand")
    before = tables_of(brand.lake)
    again = tmp_path / "again.csv"
    lines = (brand.folder / "exports" / "transactions-2017-11.csv").read_text().splitlines()
    again.write_text("\n".join([*lines, ""]) + "\n")
    brand.take_in(again, "2018-02-01T06:00:00-05:00")
    new = tables_of(brand.lake)
    file = new["files"].filter(name="again.csv").row(0, named=True)
    assert (file["rows_read"], file["rows_quarantined"], file["rows_duplicate"]) == (80, 1, 79)
    assert file["money_quarantined_fen"] == case.household * 100
    refused = new["quarantine"].filter(file_sha256=file["sha256"])
    assert refused.select("rule", "value_redacted").rows() == [("erased_person", None)]
    assert money_of({"orders": new["orders"]}) == money_of({"orders": before["orders"]})
    assert leaks_in(Path(brand.uri), tokens_of(case.keys), ring=demo_ring()) == {}


def test_the_recall_file_goes_when_its_days_are_over(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    brand = case.after.copy(tmp_path / "brand")
    assert not [key for key in sweep(brand.uri, delete=False) if key.endswith("recall.csv")]
    late = datetime.now(UTC) + timedelta(days=40)
    monkeypatch.setattr("flows.sweep.this_instant", lambda: late)
    assert [key for key in sweep(brand.uri, delete=True) if key.endswith("recall.csv")]
    assert leaks_in(Path(brand.uri), case.secrets, ring=demo_ring()) == {}
    client = Client(brand.outbox, WINBACK)
    assert client.by_pointer() == client.by_success() == Client(case.after.outbox, WINBACK).by_pointer()
    assert sweep(brand.uri, delete=False) == []


def test_a_request_is_sealed_and_its_id_tells_nothing(sent: Brand, tmp_path: Path):
    brand = sent.copy(tmp_path / "brand")
    request = asked(told_of(brand), phone(1))
    assert waiting_requests(house_of(told_of(brand))) == [request]
    assert leaks_in(Path(brand.uri, "forget"), [phone(1), *tokens_of(keys_of(brand, 1))]) == {}
    assert finished_runs(brand.lake, brand.lake.snapshot()).filter(flow="forget").is_empty()


@pytest.mark.parametrize("text", ["not-a-number", "c_short", "phone::12", ""])
def test_what_nobody_can_be_meant_by_is_refused_and_not_repeated(sent: Brand, text: str):
    with pytest.raises(ConfigurationError) as refused:
        key_of_text(text, house_of(told_of(sent)))
    assert not text or text not in str(refused.value)
