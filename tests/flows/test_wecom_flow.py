"""WeCom from contacts to confirmation: a task for each adviser, what each has sent, and tags on every contact."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from flows.campaign import campaign
from flows.ingest import ingest
from flows.parameters import CampaignParameters, IngestParameters, RefreshParameters
from flows.refresh import refresh
from flows.sends import list_confirmations, list_sends
from tasks.settings import Settings
from tasks.stores.objects import open_objects
from tasks.stores.tables import Lake
from tests.support.winback import AS_OF, SEND_ON, Brand, copy_policy

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
NOVEMBER, NEXT = 1_510_000_000, date(2018, 1, 2)
FOLLOWED = {"wm1": ("li",), "wm2": ("li", "wu"), "wm3": ("wu",), "wm4": ("wu",)}
"""Customer to advisers, the newest last."""
IDS = {f"tier_{tier}": f"et-{tier}" for tier in ("base", "silver", "gold", "diamond")}
WECOM = {"touch_channel": "wecom", "purpose": "service", "template": "T", "label": {"zh": "企微", "en": "WeCom"}}
DOCUMENTS: dict[str, Any] = {
    "vendors/wecom": {"code": "wecom", "preset": "wecom_message"},
    "vendors/wecom_tags": {"code": "wecom_tags", "preset": "wecom_tags"},
    "history": [{"name": "noted", "campaigns": "^note$", "kind": "delivered", "days": 7}],
}
MESSAGES = {
    "campaigns/note": WECOM | {"code": "note", "vendor": "wecom",
                               "audience": "adviser_id IS NOT NULL AND send_on = DATE '2018-01-01'",
                               "variables": {"sender": "adviser_id", "content": "'hello'"}},
    "campaigns/again": WECOM | {"code": "again", "vendor": "wecom",
                                "audience": "adviser_id IS NOT NULL AND noted = 0 AND send_on > DATE '2018-01-01'",
                                "variables": {"sender": "adviser_id", "content": "'again'"}},
}  # fmt: skip
TAGS = {
    "campaigns/marks": WECOM | {"code": "marks", "vendor": "wecom_tags", "audience": "contacts_to_tag <> ''",
                                "tag_sync": ["tier"], "tag_ids": IDS,
                                "variables": {"userid": "contacts_to_tag", "add_tag": "contact_tags_to_add",
                                              "remove_tag": "contact_tags_to_remove"}},
}  # fmt: skip


def take_in(brand: Brand, name: str, content: str | list[dict[str, Any]], at: str) -> None:
    path = brand.folder / name
    text = content if isinstance(content, str) else "".join(json.dumps(one) + "\n" for one in content)
    path.write_text(text, encoding="utf-8")
    told = {"lake": brand.uri, "policy": str(brand.policy), "received_at": at, "exported_at": at}
    ingest(IngestParameters(paths=(str(path),), shop="main", **told))


def say_yes(brand: Brand) -> None:
    """To follow an adviser is no consent: each customer has given one for service beside it."""
    lake = Lake(open_objects(brand.uri, Settings()))
    keys = lake.scan("follows", lake.snapshot()).select(pl.col("customer_key").unique()).collect().to_series()
    lines = [f"{key},wecom,service,granted,2017-12-01 09:00:00,form 7" for key in sorted(keys)]
    said = "\n".join(("key,touch_channel,purpose,decision,decided_at,evidence", *lines, ""))
    take_in(brand, "consents.csv", said, "2018-01-01T06:31:00-05:00")


def requests(brand: Brand, vendor: str, name: str, day: date) -> list[dict[str, Any]]:
    """Deliver, and read the requests that the vendor's part holds."""
    told = {"name": name, "send_on": day, "today": day, "known_as_of": str(day)}
    campaign(CampaignParameters(lake=brand.uri, policy=str(brand.policy), **told))
    parts = sorted((brand.folder / "lake/outbox").glob(f"{vendor}/{name}/{day}/rev-*/part-*.jsonl"))
    return [json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").splitlines()]


def answer(userid: str, statuses: dict[str, int]) -> list[dict[str, Any]]:
    """What WeCom says of one adviser's task, with our send beside each customer."""
    told = {"send_id": f"wecom/note/{SEND_ON}", "msgid": f"msg{userid}", "userid": userid}
    return [
        told | {"external_userid": who, "status": status} | ({"send_time": 1_514_793_600} if status == 1 else {})
        for who, status in statuses.items()
    ]


def became_of(brand: Brand) -> tuple[Any, ...]:
    (own,) = [send for send in list_sends(brand.uri, SEND_ON) if send["campaign"] == "note"]
    return tuple(own[name] for name in ("state", "handed_over", "waiting", "delivered", "failed"))


def advisers(brand: Brand) -> list[tuple[Any, ...]]:
    names = ("adviser_id", "handed_over", "waiting", "delivered", "failed", "has_confirmed")
    return [tuple(row[name] for name in names) for row in list_confirmations(brand.uri, SEND_ON)]


def followed(founded: Brand, folder: Path, campaigns: dict[str, Any]) -> Brand:
    """The small brand with four customers whom two advisers follow."""
    policy = copy_policy(folder / "policy")
    for name, told in (DOCUMENTS | campaigns).items():
        (policy / f"{name}.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    own = founded.copy(folder / "brand").under(policy)
    contacts = [
        {"external_contact": {"external_userid": who, "name": "样例", "type": 1},
         "follow_user": [{"userid": one, "createtime": NOVEMBER + nth} for nth, one in enumerate(userids)]}
        for who, userids in FOLLOWED.items()
    ]  # fmt: skip
    take_in(own, "contacts.jsonl", contacts, "2018-01-01T06:30:00-05:00")
    say_yes(own)
    times = {"as_of": AS_OF, "known_as_of": str(SEND_ON)}
    refresh(RefreshParameters(lake=own.uri, policy=str(policy), **times))
    return own


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))


def test_exported_is_not_sent_until_an_adviser_has_confirmed(founded: Brand, tmp_path: Path):
    brand = followed(founded, tmp_path, MESSAGES)
    tasks = requests(brand, "wecom", "note", SEND_ON)
    given = {task["sender"]: sorted(task["external_userid"]) for task in tasks}
    assert given == {"li": ["wm1"], "wu": ["wm2", "wm3", "wm4"]}
    assert became_of(brand) == ("handed over, staff must confirm", 4, 0, 0, 0)

    waiting = answer("wu", {"wm2": 0, "wm3": 0, "wm4": 0})
    take_in(brand, "first.jsonl", [*answer("li", {"wm1": 1}), *waiting], "2018-01-01T20:00:00-05:00")
    assert became_of(brand) == ("reported, staff must confirm the rest", 4, 3, 1, 0)
    assert advisers(brand) == [("li", 1, 0, 1, 0, True), ("wu", 3, 3, 0, 0, False)]

    take_in(brand, "second.jsonl", answer("wu", {"wm2": 1, "wm3": 1, "wm4": 2}), "2018-01-01T22:00:00-05:00")
    assert became_of(brand) == ("reported", 4, 0, 3, 1)
    assert advisers(brand)[1] == ("wu", 3, 0, 2, 1, True)
    (task,) = requests(brand, "wecom", "again", NEXT)
    assert (task["sender"], task["external_userid"]) == ("wu", ["wm4"]), "the others were reached yesterday"


def test_each_adviser_s_contact_is_tagged_by_wecoms_own_ids(founded: Brand, tmp_path: Path):
    brand = followed(founded, tmp_path, TAGS)
    told = requests(brand, "wecom_tags", "marks", SEND_ON)
    assert {(one["userid"], one["external_userid"]) for one in told} == {
        (userid, who) for who, userids in FOLLOWED.items() for userid in userids
    }
    assert all(one["add_tag"] and {*one["add_tag"]} <= {*IDS.values()} and not one["remove_tag"] for one in told)
