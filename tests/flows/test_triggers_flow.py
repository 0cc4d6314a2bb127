"""What persons set off goes out by the hour: increments of the day's send, and one thing once."""

from datetime import date
from typing import Any

import pytest

from flows.campaign import campaign
from flows.parameters import CampaignParameters, TriggersParameters
from flows.triggers import triggers
from tasks.errors import ConfigurationError
from tasks.stores.sends import Send
from tests.support.journey import contacts_in, is_held_out
from tests.support.winback import SEND_ON, Brand, copy_policy, phone

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]
CART = Send("demo_sms", "cart_left", SEND_ON)
LAYOUT = """\
name: journey_app
channel: complete_journey
about: The shop's app, what members did
grain: event
zone: America/New_York
seen: happened_at
columns:
  household_id: {header: household_id, parse: id}
  event_name: {header: what}
  event: {header: what, parse: code, codes: {cart: cart_add, checkout: checkout}}
  happened_at: {header: at, parse: instant}
hashed:
  event_id: [household_id, event_name, happened_at]
keys:
  - {type: member, scope: complete_journey, column: household_id, role: identity, evidence: 2}
"""
TRIGGER = {"event": "cart_add", "without": ["checkout", "order"], "after_minutes": 120, "within_minutes": 1440}


@pytest.fixture(scope="module")
def founded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Brand:
    """The small brand, with an app and a campaign about carts."""
    request.getfixturevalue("prefect_harness")
    brand = Brand.found(tmp_path_factory.mktemp("founded"))
    policy = copy_policy(
        tmp_path_factory.mktemp("policy") / "policy",
        cart_left={
            "audience": "frequency > 0",
            "trigger": TRIGGER,
            "priority": 5,
            "label": {"zh": "弃购", "en": "Cart"},
        },
    )
    (policy / "layouts").mkdir(exist_ok=True)
    (policy / "layouts" / "journey_app.yaml").write_text(LAYOUT, encoding="utf-8")
    return brand.under(policy)


def did(brand: Brand, name: str, received_at: str, **at: tuple[str, list[int]]) -> None:
    """An export of the app: what was done at a time, by which households."""
    lines = [f"{n},{what.split('_')[0]},{moment}" for what, (moment, homes) in at.items() for n in homes]
    path = brand.folder / name
    path.write_text("\n".join(["household_id,what,at", *lines]) + "\n", encoding="utf-8")
    brand.take_in(path, received_at)


def look(brand: Brand, at: str, **more: Any) -> dict[str, Any]:
    told = TriggersParameters(
        at=at, today=date.fromisoformat(at[:10]), lake=brand.uri, policy=str(brand.policy), **more
    )
    return triggers(told)


def allowed(brand: Brand, homes: set[int]) -> list[str]:
    """Phones of those who said yes and are not held out."""
    said = contacts_in([brand.folder / "exports"])
    ids = brand.one_ids()
    yes = (n for n in homes if said[n].sms_consent == "yes" and not is_held_out(ids[n], "exp:small-brand", 30))
    return sorted(map(phone, yes))


def test_carts_go_out_as_increments_and_once(founded: Brand):
    did(
        founded, "app-1.csv", "2018-01-01T11:00:00-05:00",
        cart=("2018-01-01 09:30:00", [*range(1, 31)]), checkout=("2018-01-01 10:00:00", [5, 6, 8, 9]),
    )  # fmt: skip
    left = {*range(1, 31)} - {5, 6, 8, 9}
    rehearsed = look(founded, "2018-01-01T12:00:00-05:00", dry_run=True)
    assert rehearsed["waterfalls"][0]["planned"] == len(allowed(founded, left))
    assert founded.rows("audience_members").is_empty()
    early = look(founded, "2018-01-01T11:00:00-05:00")
    assert (early["outcome"], early["sends"]) == ("nothing new", []), "half past nine plus two hours is not over yet"

    first = look(founded, "2018-01-01T12:00:00-05:00")
    assert first["sends"][0]["status"] == "published"
    (revision,) = founded.published(CART)
    assert sorted(revision.contacts()) == allowed(founded, left) != []
    assert founded.rows("audience_members").height == len(left), "the account is of those who set something off"

    files, rows = founded.stored(), founded.rows("touches").height
    assert look(founded, "2018-01-01T12:00:00-05:00")["outcome"] == "nothing new"
    assert (founded.stored(), founded.rows("touches").height) == (files, rows)

    did(founded, "app-2.csv", "2018-01-01T12:30:00-05:00", cart=("2018-01-01 10:30:00", [*range(41, 51)]))
    look(founded, "2018-01-01T13:00:00-05:00")
    _, second = founded.published(CART)
    assert (sorted(second.contacts()), second.recalled) == (allowed(founded, {*range(41, 51)}), [])

    tomorrow = look(founded, "2018-01-02T08:00:00-05:00")
    assert tomorrow["sends"] == [], "the same cart a day later is the same thing"
    told = CampaignParameters(
        name="cart_left", send_on=date(2018, 1, 3), today=date(2018, 1, 3), lake=founded.uri, policy=str(founded.policy)
    )
    with pytest.raises(ConfigurationError, match="set off by what persons do"):
        campaign(told)
