"""The ledger that caps read: what we did is never forgotten or void, and what vendors tell is no second message."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.contacting import Cap
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.caps import heard_at
from tasks.transforms.known import Known
from tests.support.campaigns import NOW, SEND_ON, campaign, known, outcomes, phone, policy, rows, touch
from tests.support.examples import examples

ONCE, TWICE = (Cap(touch_channel="sms", days=7, most=most) for most in (1, 2))
EARLIER = {"send_id": f"sms_vendor/earlier/{SEND_ON - timedelta(days=3)}"}
LATER = timedelta(hours=1)


def told(kind: str, days_ago: int = 3, name: str = "replies", key: str = "a", **more: Any) -> dict[str, Any]:
    """What a vendor says of a contact under a name that is not ours."""
    send_on = SEND_ON - timedelta(days=days_ago)
    named = {"send_id": f"sms_vendor/{name}/{send_on}", "campaign": name}
    return touch(None, phone(key), days_ago, kind, **(named | more))


def fate(*touches: dict[str, Any], cap: Cap = TWICE, **more: Any) -> str:
    """What becomes of person a, who has these rows in the ledger."""
    people = known({"a": 5}, touches=touches)
    return outcomes(allocate(people, policy(campaign(**more), caps=(cap,)), send_on=SEND_ON, at=NOW).members)["a"]


def test_a_reply_is_of_the_message_that_it_answers() -> None:
    sent = touch("a", phone("a"), 3)
    assert fate(sent, told("replied")) == fate(sent, told("replied", 1)) == "planned"
    assert fate(sent, told("replied"), told("replied", 1), told("clicked", 2)) == "planned"


def test_a_receipt_without_our_number_is_of_the_message_that_has_none() -> None:
    sent, receipt = touch("a", phone("a"), 3), told("delivered", name="batch-7")
    assert fate(sent, receipt) == "planned"
    assert fate(sent, touch(None, phone("a"), 3, "delivered"), receipt) == "capped"  # somebody else sent one too
    assert fate(sent, touch(None, phone("a"), 3, "delivered"), told("replied")) == "planned"


def test_what_can_be_of_no_message_of_ours_counts_once() -> None:
    assert fate(told("delivered", name="batch-7"), told("clicked", name="batch-7"), cap=ONCE) == "capped"
    assert fate(told("delivered", name="batch-7"), told("clicked", name="batch-7")) == "planned"
    assert fate(touch("a", phone("a"), 6), told("replied", 2)) == "capped"  # too late for an answer
    assert fate(touch("a", phone("a"), 3, "planned"), told("replied")) == "capped"  # it has not gone out
    assert fate(touch("a", phone("a"), 3), told("replied", touch_channel="wecom"), cap=TWICE) == "planned"


def test_a_reply_proves_a_message_that_was_called_back() -> None:
    sent, back = touch("a", phone("a"), 3), touch("a", phone("a"), 3, "cancelled")
    back["happened_at"] += LATER
    assert fate(sent, back, cap=ONCE) == "planned"
    assert fate(sent, back, told("replied", 2), cap=ONCE) == "capped"


def test_what_we_did_is_heard_whenever_it_was_written() -> None:
    """A run that looks back, or began before another that published first, still sees what that one promised."""
    ours = [touch("a", phone("a"), 1, kind, known_from=NOW + LATER) for kind in ("planned", "handed_over", "cancelled")]
    theirs = [
        touch("a", phone("a"), 1, kind, known_from=NOW + LATER, file_sha256="f") for kind in ("replied", "failed")
    ]
    bought_in = touch("a", phone("a"), 1, known_from=NOW + LATER, file_sha256="f")
    heard = heard_at(rows("touches", [*ours, *theirs, bought_in]), NOW).collect()
    assert heard["kind"].to_list() == ["planned", "handed_over", "cancelled"]
    assert heard_at(rows("touches", [*ours, *theirs]), NOW + LATER).collect().height == len(ours + theirs)


def decided(people: Known, at: int, *, is_meant: bool) -> Allocation:
    """The day decided at an hour that may lie before or after those of the rows that stand."""
    audience = "m_score >= 0" if is_meant else "m_score > 9"
    return allocate(people, policy(campaign(audience=audience)), send_on=SEND_ON, at=NOW + at * LATER)


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=6))
def test_the_last_decision_holds_whatever_the_clocks_said(runs: list[tuple[int, bool]]) -> None:
    people = known({"a": 5})
    for at, is_meant in runs:
        done = decided(people, at, is_meant=is_meant)
        people = replace(people, touches=pl.concat([people.touches, done.touches.lazy()]))
        keys = ["send_id", "recipient_key", "kind", "happened_at"]
        assert people.touches.select(keys).collect().is_duplicated().sum() == 0
    other = allocate(people, policy(campaign("other"), caps=(ONCE,)), send_on=SEND_ON, at=NOW)
    assert outcomes(other.members, "other") == {"a": "capped" if runs[-1][1] else "planned"}
