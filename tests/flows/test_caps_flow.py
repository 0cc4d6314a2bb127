"""Caps through whole flows: runs that look back or cross each other, and people who become one in between."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import plan as planning
from flows.campaign import campaign
from flows.parameters import CampaignParameters, PlanParameters, RefreshParameters
from flows.plan import plan_once
from flows.refresh import refresh
from tasks.stores.sends import Send
from tests.flows.test_triggers_flow import CART, LAYOUT, TRIGGER, did, look
from tests.support.winback import AS_OF, SEND_ON, Brand, copy_policy, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
EVERYBODY = {"audience": "frequency > 0", "holdout": None, "priority": 5}
IDENTITY = Path(__file__).parents[2] / "tasks" / "policy" / "defaults" / "identity.yaml"
NOON = "2018-01-01T12:00:00-05:00"


def under(founded: Brand, folder: Path, **campaigns: dict[str, Any]) -> Brand:
    """A copy of the brand with these campaigns; two members may be one person there."""
    policy = copy_policy(folder / "policy", **campaigns)
    rules = yaml.safe_load(IDENTITY.read_text(encoding="utf-8"))
    rules["caps"]["member"] = 5
    (policy / "identity.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    (policy / "layouts").mkdir(exist_ok=True)
    (policy / "layouts" / "journey_app.yaml").write_text(LAYOUT, encoding="utf-8")
    return founded.copy(folder / "brand").under(policy)


def deliver(brand: Brand, name: str, known_as_of: str = "2018-01-01") -> dict[str, int]:
    told = {"send_on": SEND_ON, "today": SEND_ON, "known_as_of": known_as_of, "policy": str(brand.policy)}
    counts = campaign(CampaignParameters(name=name, lake=brand.uri, **told))["waterfall"]
    return {outcome: count for outcome, count in counts.items() if count}


def plan(brand: Brand, send_on: date, known_as_of: str = "") -> None:
    plan_once(
        PlanParameters(send_on=send_on, known_as_of=known_as_of, lake=brand.uri, policy=str(brand.policy))
    )  # fmt: skip


def contacts(brand: Brand, name: str) -> set[str]:
    return {one for sent in brand.published(Send("demo_sms", name, SEND_ON)) for one in sent.contacts()}


def become_one(brand: Brand, kept: int, gone: int, at: str) -> None:
    """A colleague says that two households are one person, and the customers of the date are made again."""
    identities, ids = brand.rows("identities"), brand.one_ids()
    keys = [identities.filter(one_id=ids[n])["key"].sort()[0] for n in (kept, gone)]
    path = brand.folder / "links.csv"
    told = f"must,{keys[0]},{keys[1]},2017-12-30 07:00:00,called us"
    path.write_text(f"link,key_a,key_b,decided_at,evidence\n{told}\n", encoding="utf-8")
    brand.take_in(path, at)
    refresh(RefreshParameters(as_of=AS_OF, known_as_of=at, lake=brand.uri, policy=str(brand.policy)))
    now = brand.one_ids()
    assert now[kept] == now[gone] != ids[gone]


def test_a_send_that_looks_back_forgets_nothing(founded: Brand, tmp_path: Path):
    """The late campaign knows less than the one that has gone out already: caps know both."""
    brand = founded.copy(tmp_path / "brand")
    deliver(brand, "winback_sms")
    late = brand.under(copy_policy(tmp_path / "late", late_sms=EVERYBODY))
    assert deliver(late, "late_sms", "2018-01-01T08:00:00-05:00")["capped"]
    assert contacts(brand, "winback_sms")
    assert not contacts(brand, "winback_sms") & contacts(brand, "late_sms")


def test_a_plan_that_was_overtaken_counts_what_the_other_one_promised(
    founded: Brand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    brand, publish, tomorrow = founded.copy(tmp_path / "brand"), planning.publish_candidates, []

    def overtaken(*told: Any) -> Any:
        if not tomorrow:
            tomorrow.append(SEND_ON + timedelta(days=1))
            plan(brand, tomorrow[0])
        return publish(*told)

    monkeypatch.setattr(planning, "publish_candidates", overtaken)
    plan(brand, SEND_ON)
    sms = brand.rows("touches").filter(touch_channel="sms")
    assert not sms.is_empty()
    assert not sms.select("one_id").is_duplicated().any(), "one a week"


def test_two_who_became_one_get_one_message_of_two_campaigns(founded: Brand, tmp_path: Path):
    homes = {"a_sms": 35, "b_sms": 39}
    meant = {
        name: {"audience": f"monetary_fen = {home}00", "holdout": None, "priority": home}
        for name, home in homes.items()
    }
    brand = under(founded, tmp_path, winback_sms={"audience": "frequency > 9999"}, **meant)
    plan(brand, SEND_ON, "2018-01-01")
    become_one(brand, 35, 39, "2018-01-01T07:00:00-05:00")
    assert deliver(brand, "b_sms")["capped"] == 1
    assert deliver(brand, "a_sms")["delivered"] == 1
    assert (contacts(brand, "a_sms"), contacts(brand, "b_sms")) == ({phone(35)}, set())


def test_a_merge_between_two_looks_neither_recalls_nor_sends(founded: Brand, tmp_path: Path):
    cart = EVERYBODY | {"trigger": TRIGGER, "label": {"zh": "弃购", "en": "Cart"}}
    brand = under(founded, tmp_path, cart_left=cart)
    did(brand, "app-1.csv", "2018-01-01T11:00:00-05:00", cart=("2018-01-01 09:30:00", [39, 41]))
    assert look(brand, NOON)["sends"][0]["rows"] == 2
    become_one(brand, 35, 39, "2018-01-01T12:05:00-05:00")
    for hour in (13, 14):
        (send,) = look(brand, f"2018-01-01T{hour}:00:00-05:00")["sends"]
        assert (send["status"], send["recalled"], send["waterfall"]["delivered"]) == ("already_published", 0, 2)
    (revision,) = brand.published(CART)
    assert sorted(revision.contacts()) == [phone(39), phone(41)]
