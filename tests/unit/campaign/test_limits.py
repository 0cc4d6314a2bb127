"""Budgets, caps of one campaign, purchases since the scoring, and the breaker: literal cases."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import SecurityRefusedError
from tasks.policy.breaks import Breaks
from tasks.stores.directory import DirectoryObjects
from tasks.stores.objects import Objects
from tasks.stores.overrides import Override, override_key, read_override, write_override
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.breakers import compare, tripped
from tasks.transforms.consent import question_of
from tasks.transforms.contact_points import keys_of_people
from tasks.transforms.delivery import recheck
from tasks.transforms.freshness import buyers_since
from tasks.transforms.known import Known
from tasks.transforms.since_plan import still_in_it
from tests.support.campaigns import (
    NOW,
    SEND_ON,
    campaign,
    known,
    member,
    outcomes,
    owned,
    phone,
    policy,
    rows,
    touch,
    vendor,
)

PEOPLE = {"low": 1, "mid": 3, "top": 5}


def run(people: Known, *campaigns: Any, **contacting: Any) -> Allocation:
    return allocate(people, policy(*campaigns, **contacting), send_on=SEND_ON, at=NOW)


def test_the_best_scored_are_served_until_the_budget_is_gone() -> None:
    members = run(known(PEOPLE), campaign(message_cost_fen=5, incentive_fen=10, budget_fen=44)).members
    assert outcomes(members) == {"low": "over_budget", "mid": "planned", "top": "planned"}
    why = members.filter(pl.col("one_id") == "low")["evidence"].item()
    assert why == "14 fen left of the 44 fen that the campaign may cost"


def test_what_the_campaign_sent_before_counts_in_the_days_of_its_budget() -> None:
    before = [touch("x", phone("x"), days_ago=3, campaign="winback", cost_fen=7)]
    one = {"message_cost_fen": 5, "budget_fen": 17}
    assert outcomes(run(known(PEOPLE, touches=before), campaign(**one)).members)["mid"] == "planned"
    assert outcomes(run(known(PEOPLE, touches=before), campaign(**one)).members)["low"] == "over_budget"
    fresh = run(known(PEOPLE, touches=before), campaign(budget_days=3, **one))
    assert outcomes(fresh.members)["low"] == "planned"


def test_a_late_campaign_has_what_its_own_plan_left() -> None:
    first = run(known(PEOPLE), campaign(message_cost_fen=5, budget_fen=10))
    ledger = pl.concat([known(PEOPLE).touches, first.touches.lazy()])
    again = Known(**{**vars(known(PEOPLE)), "touches": ledger})
    later = allocate(
        again,
        policy(campaign(message_cost_fen=5, budget_fen=15)),
        send_on=SEND_ON + timedelta(days=1),
        at=NOW,
    )
    assert outcomes(later.members) == {"low": "over_budget", "mid": "over_budget", "top": "planned"}


def test_a_message_of_two_parts_costs_twice() -> None:
    text = "你" * 69 + "{score}"
    told = {"message_cost_fen": 5, "text": text, "variables": {"score": "m_score * 1000"}}
    one = campaign(budget_fen=20, **told)
    assert outcomes(run(known(PEOPLE), one).members) == {"low": "over_budget", "mid": "planned", "top": "planned"}
    short = campaign(budget_fen=20, **{**told, "text": "{score}", "variables": {"score": "m_score"}})
    assert set(outcomes(run(known(PEOPLE), short).members).values()) == {"planned"}


def test_a_cap_of_one_campaign_counts_its_own_messages() -> None:
    before = [touch("top", phone("top"), 9, campaign="winback"), touch("mid", phone("mid"), 9)]
    own = campaign(caps=({"days": 30, "most": 1},))
    wide = campaign(caps=({"days": 30, "most": 1, "counts": "all"},))
    assert outcomes(run(known(PEOPLE, touches=before), own).members)["mid"] == "planned"
    assert outcomes(run(known(PEOPLE, touches=before), own).members)["top"] == "capped"
    assert outcomes(run(known(PEOPLE, touches=before), wide).members)["mid"] == "capped"


def test_tags_kept_in_step_are_no_message_to_anybody() -> None:
    """Neither do they use up what a person may get, nor does what they got stop them; a cap of their own does."""
    once = ({"touch_channel": "*", "days": 30, "most": 1},)
    sync = campaign("tags", tag_sync=["tier"], priority=1)
    both = [touch(one, phone(one), 9, campaign=code) for one, code in (("top", "tags"), ("mid", "gift"))]
    members = run(known(PEOPLE, touches=both), sync, campaign(), caps=once).members
    assert outcomes(members, "tags") == dict.fromkeys(PEOPLE, "planned")
    assert outcomes(members) == {"low": "planned", "top": "planned", "mid": "capped"}
    own = campaign("tags", tag_sync=["tier"], caps=({"days": 30, "most": 1},))
    assert outcomes(run(known(PEOPLE, touches=both), own, caps=once).members, "tags")["top"] == "capped"


def bought(*people: str) -> pl.LazyFrame:
    paid = [
        {"channel": "youzan", "shop_id": "main", "order_id": f"{p}-{day}", "kind": "purchase", "status": "paid",
         "buyer_key": member(p), "paid_on": day, "ordered_at": NOW, "paid_at": NOW}
        for p in people for day in (SEND_ON, SEND_ON - timedelta(days=40))
    ]  # fmt: skip
    return buyers_since(rows("orders", paid), owned({member(p): p for p in PEOPLE}), as_of=SEND_ON - timedelta(days=1))


def test_who_bought_since_the_scoring_is_left_out_where_the_campaign_asks() -> None:
    people = Known(**{**vars(known(PEOPLE)), "bought": bought("top")})
    members = run(people, campaign(stop_if=("bought",)), campaign("plain", vendor="sms_vendor")).members
    assert outcomes(members)["top"] == "bought_since"
    assert outcomes(members, "plain")["top"] == "planned"
    assert members.filter(pl.col("outcome") == "bought_since")["evidence"].item() == (
        "has bought on 2026-07-01, after the scoring"
    )


def test_a_purchase_between_plan_and_delivery_stops_the_message_but_calls_nobody_back() -> None:
    people = known(PEOPLE)
    members = run(people, campaign()).members
    reached = pl.DataFrame({"one_id": ["mid"], "recipient_key": [phone("mid")]})
    checked = recheck(
        members,
        reached,
        question_of(campaign(), vendor()),
        words=people.words,
        keys=keys_of_people(people.identities, people.points),
        points=people.points,
        bought=bought("top", "mid"),
    )
    assert outcomes(checked) == {"low": "planned", "mid": "planned", "top": "bought_since"}


def test_who_became_one_with_a_held_out_since_the_plan_gets_nothing() -> None:
    members = run(known(PEOPLE), campaign()).members
    reached = pl.DataFrame({"one_id": ["mid"]})
    held = pl.LazyFrame({"one_id": ["top", "mid"]})
    checked = still_in_it(members, held, reached, "holdout")
    assert outcomes(checked) == {"low": "planned", "mid": "planned", "top": "holdout"}
    assert checked.filter(pl.col("one_id") == "top")["variant"].item() == "holdout"


def sends(**parts: list[str]) -> pl.DataFrame:
    told = [(one_id, part) for part, people in parts.items() for one_id in people]
    return pl.DataFrame(told, schema={"one_id": pl.String, "part": pl.String}, orient="row")


def test_the_breaker_names_each_limit_with_its_numbers() -> None:
    told = compare(sends(gold=["a", "x", "y"], none=["z"]), sends(gold=["a"], silver=["b"]))
    assert told.told() == {
        "people": 4, "people_before": 2, "both": 1, "parts": {"gold": [3, 1], "none": [1, 0], "silver": [0, 1]},
    }  # fmt: skip
    limits = Breaks(growth=0.5, fall=0.1, overlap=0.6, shift=25)
    assert tripped(told, limits) == [
        "grew by 100.00% (2 -> 4 people), at most 50.00%",
        "holds 50.00% (1 of 2 people of the last send), at least 60.00%",
        "tier silver moved by -50.00 points, at most 25",
    ]
    assert tripped(told, Breaks(growth=1, overlap=0.5, shift=50)) == []
    assert tripped(compare(sends(), sends(gold=["a"])), Breaks(fall=0.9)) == [
        "shrank by 100.00% (1 -> 0 people), at most 90.00%"
    ]


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return DirectoryObjects(tmp_path)


SAID = Override("v/c/2026-07-01", {"people": 4, "parts": {"gold": [1, 2]}}, ["grew"], "meant", "lin", "2026-07-01")


def test_a_signed_word_holds_for_its_send_and_its_numbers_alone(objects: Objects) -> None:
    assert write_override(objects, SAID, b"key") == SAID
    assert write_override(objects, SAID._replace(said_by="wang"), b"key").said_by == "lin"
    assert read_override(objects, SAID.send_id, SAID.numbers, b"key") == SAID
    assert read_override(objects, SAID.send_id, {"people": 5}, b"key") is None
    assert read_override(objects, "v/c/2026-07-02", SAID.numbers, b"key") is None


@pytest.mark.parametrize("change", [b"lin", b"meant", b"v/c", b"grew", b'"signature"'])
def test_a_word_that_was_tampered_with_is_refused(objects: Objects, change: bytes) -> None:
    write_override(objects, SAID, b"key")
    place = override_key(SAID.send_id, SAID.numbers)
    objects.put(place, objects.read(place).replace(change, change[:-1] + b"X"))
    with pytest.raises(SecurityRefusedError, match="signature"):
        read_override(objects, SAID.send_id, SAID.numbers, b"key")


def test_a_word_under_another_key_or_for_other_numbers_is_refused(objects: Objects) -> None:
    write_override(objects, SAID, b"key")
    with pytest.raises(SecurityRefusedError):
        read_override(objects, SAID.send_id, SAID.numbers, b"other")
    other = override_key(SAID.send_id, {"people": 9})
    objects.put(other, objects.read(override_key(SAID.send_id, SAID.numbers)))
    with pytest.raises(SecurityRefusedError):
        read_override(objects, SAID.send_id, {"people": 9}, b"key")
