"""The life of a send: dry, delivered, delivered again, held, seeded, withdrawn from, cancelled, late, and raced."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from flows.approval import approve_send
from flows.keys import access_log
from tasks.errors import ConfigurationError, HeldError
from tasks.stores.sends import Send
from tests.support.strata import finish, start
from tests.support.winback import SEND_ON, WINBACK, Brand, copy_policy, phone, write_contacts

pytestmark = pytest.mark.slow
SEED = "15400009999"


@pytest.fixture(autouse=True)
def _own_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))


@pytest.fixture(scope="module")
def founded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand before any send; tests change copies of it."""
    request.getfixturevalue("prefect_harness")
    return Brand.found(tmp_path_factory.mktemp("founded"))


@pytest.fixture(scope="module")
def sent(founded: Brand, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand with its win-back sent."""
    brand = founded.copy(tmp_path_factory.mktemp("sent") / "brand")
    brand.deliver()
    return brand


@pytest.fixture
def brand(founded: Brand, tmp_path: Path) -> Brand:
    return founded.copy(tmp_path / "brand")


@pytest.fixture
def after(sent: Brand, tmp_path: Path) -> Brand:
    return sent.copy(tmp_path / "brand")


def every_file(brand: Brand) -> dict[Path, bytes]:
    """The whole lake with its outbox, byte for byte."""
    return {path: path.read_bytes() for path in Path(brand.uri).rglob("*") if path.is_file()}


def phones(households: set[int]) -> list[str]:
    return sorted(map(phone, households))


def test_a_dry_run_says_what_would_go_out_and_writes_nothing(brand: Brand):
    before = every_file(brand)
    told = brand.deliver(dry_run=True)["waterfall"]
    expected = {end: len(households) for end, households in brand.expected().items()}
    assert (told["planned"], told["delivered"]) == (expected.pop("delivered"), 0)
    assert expected.items() <= told.items()
    assert every_file(brand) == before


def test_the_file_holds_the_chosen_less_no_consent_and_holdout(sent: Brand):
    expected = sent.expected()
    assert all(expected.values()), "each end has someone, or this test proves little"
    (revision,) = sent.published()
    assert sorted(revision.contacts()) == phones(expected["delivered"])
    assert sent.households_by_outcome() == expected
    assert revision.manifest["origin"]["waterfall"]["delivered"] == len(expected["delivered"])


def test_each_opened_contact_is_on_the_record(sent: Brand):
    """Only the chosen people's, only the vendor's kind, once."""
    (told,) = access_log(sent.uri)
    count = len(sent.expected()["delivered"])
    known = ("role", "what", "contact_type", "count")
    assert tuple(told[name] for name in known) == ("delivery", f"send {WINBACK.id}", "phone", count)


def test_twice_is_once(after: Brand):
    before = every_file(after)
    assert after.deliver()["status"] == "already_published"
    assert every_file(after) == before


def test_the_ledger_and_the_record_agree_with_the_outbox(sent: Brand):
    (revision,) = sent.published()
    touches = sent.rows("touches").filter(send_id=WINBACK.id, kind="handed_over")
    (delivery,) = sent.rows("deliveries").iter_rows(named=True)
    assert touches.height == touches["recipient_key"].n_unique() == revision.manifest["rows"]
    assert (delivery["revision"], delivery["rows"]) == (revision.folder.name, touches.height)
    assert json.loads(delivery["waterfall"]) == revision.manifest["origin"]["waterfall"]


def test_an_old_send_is_refused(brand: Brand):
    with pytest.raises(ConfigurationError, match="4 days old") as refused:
        brand.deliver(day=date(2018, 1, 5))
    assert refused.value.exit_code == 4
    assert brand.stored() == {}


def test_an_unknown_campaign_is_refused_with_the_list(brand: Brand):
    with pytest.raises(ConfigurationError, match="welcome_push, winback_sms") as refused:
        brand.deliver("winback")
    assert refused.value.exit_code == 4


def test_a_campaign_goes_out_on_its_days_alone(brand: Brand, tmp_path: Path):
    """The first of January 2018 is a Monday."""
    tuesdays = {"schedule": {"every": "week", "weekdays": [2]}}
    other = brand.under(copy_policy(tmp_path / "policy", winback_sms=tuesdays))
    with pytest.raises(ConfigurationError, match="winback_sms is not due on 2018-01-01") as refused:
        other.deliver()
    assert (refused.value.expected, refused.value.exit_code) == ("each Tuesday", 4)
    assert "--send-on 2018-01-02" in str(refused.value)
    assert other.deliver(dry_run=True)["waterfall"]["planned"] > 0
    other.deliver("welcome_push")
    assert set(other.rows("audience_members")["campaign"]) == {"welcome_push"}


def test_a_held_campaign_waits_for_its_yes(brand: Brand, tmp_path: Path):
    held = brand.under(copy_policy(tmp_path / "policy", winback_sms={"hold": True}))
    with pytest.raises(HeldError, match="strata approve winback_sms --send-on 2018-01-01"):
        held.deliver()
    assert held.stored() == {}
    approved = approve_send("winback_sms", SEND_ON, "lin", held.uri)
    assert approved["approved_by"] == "lin"
    assert approve_send("winback_sms", SEND_ON, "wang", held.uri)["approved_by"] == "lin"
    assert held.deliver()["status"] == "published"


def test_only_a_held_campaign_can_be_approved(sent: Brand):
    with pytest.raises(ConfigurationError, match="is not held"):
        approve_send("winback_sms", SEND_ON, "lin", sent.uri)


def test_seeds_are_in_the_file_and_in_no_account(brand: Brand, tmp_path: Path, monkeypatch):
    seeds = tmp_path / "seeds.yaml"
    seeds.write_text(yaml.safe_dump({"demo_sms": [SEED]}))
    monkeypatch.setenv("STRATA_SEEDS", str(seeds))
    told = brand.deliver()
    expected = brand.expected()["delivered"]
    (revision,) = brand.published()
    assert revision.contacts()[-1] == SEED
    assert sorted(revision.contacts()) == sorted([*phones(expected), SEED])
    assert (told["rows"], told["seeds"], told["waterfall"]["delivered"]) == (len(expected), 1, len(expected))
    assert brand.rows("touches").filter(kind="handed_over").height == len(expected)


def test_whoever_says_no_after_delivery_is_called_back(after: Brand, tmp_path: Path):
    gone = min(after.expected()["delivered"])
    news = write_contacts(tmp_path / "contacts-2018-01.csv", [gone], opted_out_at="2018-01-02 12:00:00")
    after.take_in(news, "2018-01-03T06:00:00-05:00")
    told = after.deliver(day=date(2018, 1, 3))
    first, second = after.published()
    assert (told["recalled"], second.recalled, second.contacts()) == (1, [phone(gone)], [])
    assert phone(gone) in first.contacts()
    assert after.households_by_outcome()["withdrawn_since_plan"] == {gone}
    kinds = after.rows("touches").filter(send_id=WINBACK.id, one_id=after.one_ids()[gone])["kind"]
    assert sorted(kinds) == ["cancelled", "handed_over", "planned"]
    assert after.deliver(day=date(2018, 1, 3))["status"] == "already_published"


def test_a_no_between_plan_and_delivery_is_heard(brand: Brand, tmp_path: Path):
    gone = max(brand.expected()["delivered"])
    brand.deliver("welcome_push")  # plans the whole date
    assert "planned" in brand.households_by_outcome()
    news = write_contacts(tmp_path / "contacts-2018-01.csv", [gone], opted_out_at="2018-01-02 12:00:00")
    brand.take_in(news, "2018-01-03T06:00:00-05:00")
    brand.deliver(day=date(2018, 1, 3))
    (revision,) = brand.published()
    assert sorted(revision.contacts()) == phones(brand.expected()["delivered"] - {gone})


def test_a_delivery_that_looks_back_still_hears_a_later_no(brand: Brand, tmp_path: Path):
    """`--known-as-of` of the day before the no: plans may be made as of then, messages may not."""
    gone = max(brand.expected()["delivered"])
    news = write_contacts(tmp_path / "contacts-2018-01.csv", [gone], opted_out_at="2018-01-02 12:00:00")
    brand.take_in(news, "2018-01-03T06:00:00-05:00")
    told = brand.deliver(day=SEND_ON)
    (revision,) = brand.published()
    assert sorted(revision.contacts()) == phones(brand.expected()["delivered"] - {gone})
    assert told["waterfall"]["withdrawn_since_plan"] == 1
    assert revision.manifest["origin"]["consent_known_as_of"] >= "2018-01-03"


def test_cancelling_calls_everyone_back_and_closes_the_send(after: Brand):
    delivered = after.expected()["delivered"]
    assert after.cancel()["status"] == "cancelled"
    _, recall = after.published()
    assert (sorted(recall.recalled), recall.contacts()) == (phones(delivered), [])
    assert recall.manifest["is_cancellation"]
    assert after.households_by_outcome()["cancelled"] == delivered
    stored = after.stored()
    assert after.deliver()["status"] == "cancelled"
    assert after.cancel()["status"] == "cancelled"
    assert after.stored() == stored


def test_a_late_campaign_gets_what_is_left(after: Brand, tmp_path: Path):
    """One SMS in seven days: whoever got the win-back is capped, the held-out are not."""
    everyone = {"audience": "frequency > 0", "holdout": None, "priority": 5}
    late = after.under(copy_policy(tmp_path / "policy", late_sms=everyone))
    files, delivered = after.stored(), after.expected()["delivered"]
    told = late.deliver("late_sms")
    (revision,) = late.published(Send("demo_sms", "late_sms", SEND_ON))
    assert told["waterfall"]["capped"] == len(delivered)
    assert set(revision.contacts()).isdisjoint(phones(delivered))
    assert set(revision.contacts()) >= set(phones(after.expected()["holdout"]))
    assert {key for key, data in late.stored().items() if files.get(key, data) != data} == {"demo_sms/INDEX.json"}


@pytest.mark.acceptance
def test_two_processes_at_once_deliver_once(brand: Brand, harness_env: dict[str, str]):
    told = ("--lake", brand.uri, "--policy", str(brand.policy), "--send-on", "2018-01-01", "--today", "2018-01-01")
    command = ("campaign", "winback_sms", "--json", *told, "--known-as-of", "2018-01-01")
    answers = [finish(process) for process in [start(*command, env=harness_env) for _ in range(2)]]
    assert [answer.code for answer in answers] == [0, 0]
    assert sorted(answer.told["status"] for answer in answers) == ["already_published", "published"]
    (revision,) = brand.published()
    assert sorted(revision.contacts()) == phones(brand.expected()["delivered"])
    ledger = brand.rows("touches").filter(send_id=WINBACK.id).group_by("kind").agg(pl.len()).sort("kind")
    count = revision.manifest["rows"]
    assert list(ledger.iter_rows()) == [("handed_over", count), ("planned", count)]
    assert brand.rows("deliveries").height == 1
