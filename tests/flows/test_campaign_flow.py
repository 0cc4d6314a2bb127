"""The life of a send: dry, delivered, delivered again, held, seeded, withdrawn from, cancelled, late, and raced."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from flows.approval import approve_send
from flows.campaign import campaign
from flows.commands import holdouts
from flows.holdouts import check_holdouts
from flows.keys import access_log
from flows.parameters import CampaignParameters, PlanParameters
from flows.plan import plan_once
from flows.rehearsal import without_people
from tasks.errors import BreakerTrippedError, ConfigurationError, HeldError
from tasks.stores.sends import Send
from tests.support.strata import finish, start
from tests.support.winback import CHOSEN, HOUSEHOLDS, SEND_ON, WINBACK, Brand, copy_policy, phone

pytestmark = pytest.mark.slow
SEED = "15400009999"
NEXT_DAY = date(2018, 1, 2)


@pytest.fixture(autouse=True)
def _own_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))


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


def test_a_dry_run_names_nobody_and_counts_as_the_delivery_does(brand: Brand):
    """Each number against the households themselves; neither a phone nor a whole id stands anywhere."""
    dry, expected = brand.deliver(dry_run=True), brand.expected()
    going = len(expected["delivered"])
    assert {row["outcome"]: row["customers"] for row in dry["account"]} == {
        "base": len(HOUSEHOLDS), "rule_not_met": len(HOUSEHOLDS) - len(CHOSEN),
        "no_consent": len(expected["no_consent"]), "holdout": len(expected["holdout"]), "planned": going,
    }  # fmt: skip
    assert dry["difference"] == {"seq": 0, "revision": None, "added": going, "recalled": 0, "kept": 0}
    assert (dry["previous_send"], dry["cost"]["price_fen"]) == (None, 4 * going)
    assert dry["window"]["opens"] == "2018-01-01T09:00-05:00"
    assert (dry["terms"]["legal_role"], dry["terms"]["expires_on"]) == ("entrusted", "2018-01-31")
    chosen = {brand.one_ids()[n][-4:] for n in expected["delivered"]}
    assert {row["customer"][-4:] for row in dry["examples"]} <= chosen
    assert len(dry["examples"]) == min(20, going)
    secrets = [*map(phone, HOUSEHOLDS), *brand.one_ids().values(), *brand.rows("identities")["key"]]
    assert not [secret for secret in secrets if secret.rpartition(":")[2] in json.dumps(dry)]
    assert "examples" not in without_people(dry)


def test_after_the_delivery_nothing_is_left_to_add(after: Brand, tmp_path: Path):
    """And of the next day's campaign it is known how many it would meet again."""
    going = len(after.expected()["delivered"])
    dry = after.deliver(dry_run=True)
    told = {name: dry["difference"][name] for name in ("seq", "added", "recalled", "kept")}
    assert told == {"seq": 1, "added": 0, "recalled": 0, "kept": going}
    gone = min(after.expected()["delivered"])
    after.hear_no(gone, tmp_path)
    assert after.deliver(dry_run=True, day=date(2018, 1, 3))["difference"]["recalled"] == 1
    later = {"name": "winback_sms", "send_on": date(2018, 1, 9), "known_as_of": "2018-01-09", "dry_run": True}
    next_one = campaign(CampaignParameters(lake=after.uri, policy=str(after.policy), **later))
    assert next_one["previous_send"] == {
        "send": WINBACK.id, "reached": going, "again": going - 1, "percent_of_this": 100.0,
    }  # fmt: skip


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


def test_a_yes_is_one_to_a_plan_and_to_the_campaign_as_it_is_written(brand: Brand, tmp_path: Path):
    held = brand.under(copy_policy(tmp_path / "policy", winback_sms={"hold": True}))
    with pytest.raises(ConfigurationError, match="nothing of winback_sms is planned for 2018-01-01"):
        approve_send("winback_sms", SEND_ON, "lin", held.uri, str(held.policy))
    with pytest.raises(HeldError):
        held.deliver()
    told = approve_send("winback_sms", SEND_ON, "lin", held.uri)
    assert told["waterfall"]["planned"] == len(held.expected()["delivered"])
    other = brand.under(copy_policy(tmp_path / "other", winback_sms={"hold": True, "template": "SMS_OTHER"}))
    with pytest.raises(HeldError, match="was to another plan or to the campaign as it was written then"):
        other.deliver()
    assert other.stored() == {}
    approve_send("winback_sms", SEND_ON, "wang", other.uri, str(other.policy))
    assert other.deliver()["status"] == "published"


def test_what_is_charged_is_parts_wherever_it_is_said(brand: Brand, tmp_path: Path):
    """A hundred characters are two parts of a message."""
    long = {"text": "好" * 100, "incentive_fen": 0, "message_cost_fen": 4}
    two = brand.under(copy_policy(tmp_path / "policy", winback_sms=long))
    rehearsed, told = two.deliver(dry_run=True), two.deliver()
    price = 8 * len(brand.expected()["delivered"])
    for summary in (rehearsed, told):
        assert (summary["cost"]["cost_fen"], summary["message"]["cost_fen"]) == (price, price)
    assert two.rows("touches").filter(kind="handed_over")["cost_fen"].sum() == price


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
    after.hear_no(gone, tmp_path)
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
    brand.hear_no(gone, tmp_path)
    brand.deliver(day=date(2018, 1, 3))
    (revision,) = brand.published()
    assert sorted(revision.contacts()) == phones(brand.expected()["delivered"] - {gone})


def test_a_delivery_that_looks_back_still_hears_a_later_no(brand: Brand, tmp_path: Path):
    """`--known-as-of` of the day before the no: plans may be made as of then, messages may not."""
    gone = max(brand.expected()["delivered"])
    brand.hear_no(gone, tmp_path)
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


def elsewhere(folder: Path) -> Path:
    """The policy in which the win-back has gone to another vendor."""
    policy = copy_policy(folder, winback_sms={"vendor": "other_sms"})
    old = yaml.safe_load((policy / "vendors" / "demo_sms.yaml").read_text(encoding="utf-8"))
    (policy / "vendors" / "other_sms.yaml").write_text(yaml.safe_dump(old | {"code": "other_sms"}), encoding="utf-8")
    return policy


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_send_is_called_back_where_it_went_whatever_the_campaign_says_now(
    after: Brand,
    tmp_path: Path,
    is_gone: bool,  # noqa: FBT001
):
    delivered, policy = after.expected()["delivered"], elsewhere(tmp_path / "policy")
    if is_gone:
        (policy / "campaigns" / "winback_sms.yaml").unlink()
    told = after.under(policy).cancel()
    assert (told["send_id"], told["status"], told["recalled"]) == (WINBACK.id, "cancelled", len(delivered))
    assert told["recall"] == f"{len(delivered)} people are called back"
    first, recall = after.published()
    assert sorted(recall.recalled) == phones(delivered)
    assert recall.manifest["origin"]["policy_digest"] == first.manifest["origin"]["policy_digest"]
    assert json.loads(after.outbox.read(WINBACK.current))["is_cancelled"]
    assert after.rows("touches").filter(kind="cancelled", send_id=WINBACK.id).height == len(delivered)
    assert not list(after.outbox.list("other_sms/"))


def test_cancelling_what_was_planned_alone_says_that_nobody_is_called_back(brand: Brand, tmp_path: Path):
    told = PlanParameters(send_on=SEND_ON, known_as_of=str(SEND_ON), lake=brand.uri, policy=str(brand.policy))
    plan_once(told)
    going = len(brand.expected()["delivered"])
    told = brand.under(elsewhere(tmp_path / "policy")).cancel()
    said = f"nothing was published, nobody is called back: {going} planned rows are cancelled, the send is closed"
    assert (told["send_id"], told["recalled"], told["recall"]) == (WINBACK.id, 0, said)
    assert brand.deliver()["status"] == "cancelled"


def test_a_late_campaign_gets_what_is_left(after: Brand, tmp_path: Path):
    """One SMS in seven days: whoever got the win-back is capped, the held-out are not."""
    everyone = {"audience": "frequency > 0", "holdout": None, "priority": 5}
    late = after.under(copy_policy(tmp_path / "policy", late_sms=everyone))
    files, delivered = after.stored(), after.expected()["delivered"]
    told = late.deliver("late_sms")
    assert told["late"].startswith("planned after other campaigns of the date")
    (revision,) = late.published(Send("demo_sms", "late_sms", SEND_ON))
    assert told["waterfall"]["capped"] == len(delivered)
    assert set(revision.contacts()).isdisjoint(phones(delivered))
    assert set(revision.contacts()) >= set(phones(after.expected()["holdout"]))
    assert {key for key, data in late.stored().items() if files.get(key, data) != data} == {"demo_sms/INDEX.json"}


def deliver_next_day(brand: Brand, **more: object) -> dict[str, object]:
    """The win-back once more, on the second of January."""
    day = {"send_on": NEXT_DAY, "today": NEXT_DAY, "known_as_of": str(NEXT_DAY)}
    told = CampaignParameters(name="winback_sms", lake=brand.uri, policy=str(brand.policy), **day, **more)
    return campaign(told)


def test_a_send_unlike_the_last_stops_until_someone_signs_and_no_holdout_is_sent_unseen(after: Brand, tmp_path: Path):
    """The second day's policy has forgotten the holdout: the breaker sees it first, the proof afterwards."""
    expected, period = after.expected(), (SEND_ON, NEXT_DAY)
    proof = check_holdouts(*period, after.uri)
    assert (proof["verdict"], proof["messages_checked"]) == ("held", len(expected["delivered"]))
    changed = after.under(copy_policy(tmp_path / "policy", winback_sms={"holdout": None, "breaks": {"overlap": 0.5}}))
    files, rehearsed = changed.stored(), deliver_next_day(changed, dry_run=True)["breaker"]
    assert isinstance(rehearsed, dict)
    with pytest.raises(BreakerTrippedError, match="--override-breaker") as stopped:
        deliver_next_day(changed)
    assert f"0 of {len(expected['delivered'])} people of the last send" in stopped.value.found
    assert rehearsed["would_stop"]
    assert all(told in stopped.value.found for told in rehearsed["broken"])
    assert changed.stored() == files
    assert deliver_next_day(changed, override_breaker="only those left")["breaker"].startswith("overridden by")
    assert deliver_next_day(changed)["status"] == "already_published"
    proof = check_holdouts(*period, after.uri)
    assert (proof["verdict"], proof["held_out_sent"]) == ("broken", len(expected["holdout"]))
    assert proof == check_holdouts(*period, after.uri)
    asked = ["check", "--from", str(SEND_ON), "--to", str(NEXT_DAY), "--lake", after.uri]
    assert CliRunner().invoke(holdouts.app, asked).exit_code == 2


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
