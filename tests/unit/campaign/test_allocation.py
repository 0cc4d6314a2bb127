"""One outcome per customer and campaign: each reason once, contention, and what a second run does."""

from datetime import date, timedelta

import polars as pl
import pytest

from tasks.errors import MissingDataError, UnbalancedError
from tasks.policy.contacting import Cap
from tasks.transforms.allocation import Allocation, allocate
from tasks.transforms.audience import message_variables, newest_as_of
from tasks.transforms.known import Known
from tasks.transforms.waterfall import check_balance, waterfall
from tests.support.campaigns import (
    NOW,
    SEND_ON,
    campaign,
    consent,
    known,
    member,
    outcomes,
    phone,
    policy,
    touch,
    vendor,
)

WEEKLY = Cap(touch_channel="sms", days=7, most=1)


def run(people: Known, *campaigns: object, caps: tuple[Cap, ...] = ()) -> Allocation:
    return allocate(people, policy(*campaigns, caps=caps), send_on=SEND_ON, at=NOW)  # type: ignore[arg-type]


def test_every_reason_is_found_and_explained() -> None:
    people = known(
        {"low": 1, "nophone": 5, "noword": 5, "no": 5, "quiet": 5, "twin": 4, "full": 5, "fine": 5},
        {"low": 1, "nophone": None, "noword": 2, "no": 3, "quiet": 4, "twin": 6, "full": 5, "fine": 6},
        [consent(phone(n)) for n in (1, 3, 4, 5, 6)]
        + [consent(member("no"), "withdrawn"), consent(member("quiet"), "withdrawn", purpose="*")],
        [touch("full", phone(5), days_ago=3)],
    )
    members = run(people, campaign(audience="m_score >= 4"), caps=(WEEKLY,)).members
    assert dict(members.select("one_id", pl.struct("outcome", "evidence")).iter_rows()) == {
        "low": {"outcome": "rule_not_met", "evidence": "m_score=1"},
        "nophone": {"outcome": "no_contact", "evidence": "no phone seen on any record"},
        "noword": {"outcome": "no_consent", "evidence": "no grant on record: unknown means no"},
        "no": {"outcome": "no_consent", "evidence": "withdrawn on 2026-06-01"},
        "quiet": {"outcome": "suppressed", "evidence": "wants no messages since 2026-06-01"},
        "twin": {"outcome": "duplicate_contact", "evidence": "the contact is also that of fine"},
        "full": {"outcome": "capped", "evidence": "1 of 1 sms in 7 days"},
        "fine": {"outcome": "planned", "evidence": None},
    }
    check_balance(waterfall(members), base=8)


def test_who_may_not_be_handed_over_or_chosen_or_reached_is_told_apart() -> None:
    people = known(
        {"fine": 5, "unasked": 5, "refused": 5, "no_scores": 5, "dead": 5},
        consents=[consent(phone(p)) for p in ("fine", "unasked", "refused", "no_scores", "dead")]
        + [
            consent(phone(p), purpose="third_party", touch_channel="*")
            for p in ("fine", "refused", "no_scores", "dead")
        ]
        + [
            consent(member("refused"), "withdrawn", purpose="third_party"),
            consent(member("no_scores"), "withdrawn", purpose="profiling", touch_channel="*"),
            consent(phone("dead"), "unreachable", purpose="*", touch_channel="*"),
        ],
    )
    rules = policy(campaign()).model_copy(update={"vendors": (vendor(role="third_party"),)})
    members = allocate(people, rules, send_on=SEND_ON, at=NOW).members
    assert dict(members.select("one_id", pl.struct("outcome", "evidence")).iter_rows()) == {
        "fine": {"outcome": "planned", "evidence": None},
        "unasked": {
            "outcome": "no_separate_consent", "evidence": "no separate consent on record for a third party",
        },
        "refused": {"outcome": "no_separate_consent", "evidence": "separate consent withdrawn on 2026-06-01"},
        "no_scores": {"outcome": "no_profiling", "evidence": "wants no profiling since 2026-06-01"},
        "dead": {"outcome": "unreachable", "evidence": "the contact was reported dead on 2026-06-01"},
    }  # fmt: skip
    check_balance(waterfall(members), base=5)
    entrusted = run(people, campaign(audience="true"))
    assert {one_id for one_id, what in outcomes(entrusted.members).items() if what == "planned"} == {
        "fine", "unasked", "refused", "no_scores",
    }  # fmt: skip


def test_a_member_of_the_holdout_is_assigned_and_gets_nothing() -> None:
    result = run(known({"a": 5}), campaign(percent="100"))
    assert outcomes(result.members) == {"a": "holdout"}
    assert result.assignments.select("experiment", "unit", "variant").rows() == [("exp:winback", "a", "holdout")]
    assert result.touches.is_empty()


def test_an_earlier_assignment_stands_against_the_draw() -> None:
    treated = {"experiment": "exp:winback", "unit": "a", "variant": "treated", "bucket": 1, "assigned_on": SEND_ON}
    result = run(known({"a": 5}, assignments=[treated]), campaign(percent="100"))
    assert outcomes(result.members) == {"a": "planned"}
    assert result.assignments.is_empty()


def test_nobody_shares_a_contact_with_the_holdout() -> None:
    held = {"experiment": "exp:winback", "unit": "a", "variant": "holdout", "bucket": 1, "assigned_on": SEND_ON}
    people = known({"a": 1, "b": 5}, {"a": 1, "b": 1}, assignments=[held])
    assert outcomes(run(people, campaign(percent="0")).members) == {"a": "holdout", "b": "duplicate_contact"}
    assert outcomes(run(people, campaign(percent="0", audience="m_score = 5")).members)["b"] == "duplicate_contact"


def test_of_an_exclusive_group_the_higher_priority_wins() -> None:
    first, second = (campaign(code, priority=p, exclusive_group="g") for code, p in (("one", 1), ("two", 2)))
    for order in ((first, second), (second, first)):
        result = run(known({"a": 5}), *order)
        assert outcomes(result.members, "one") == {"a": "planned"}
        assert result.members.filter(pl.col("campaign") == "two").select("outcome", "evidence").rows() == [
            ("lower_priority", "taken by one")
        ]


def test_a_cap_counts_what_campaigns_before_took() -> None:
    result = run(known({"a": 5}), campaign("one", priority=1), campaign("two", priority=2), caps=(WEEKLY,))
    assert (outcomes(result.members, "one"), outcomes(result.members, "two")) == ({"a": "planned"}, {"a": "capped"})


@pytest.mark.parametrize(
    ("days_ago", "kind", "expected"),
    [
        (6, "handed_over", "capped"),
        (7, "handed_over", "planned"),
        (0, "planned", "capped"),
        (-6, "planned", "capped"),
        (-7, "planned", "planned"),
        (3, "cancelled", "planned"),
        (3, "clicked", "capped"),
    ],
)
def test_a_cap_is_a_rolling_window_either_side_of_the_send(days_ago: int, kind: str, expected: str) -> None:
    people = known({"a": 5}, touches=[touch("a", phone("a"), days_ago, kind)])
    assert outcomes(run(people, campaign(), caps=(WEEKLY,)).members) == {"a": expected}


def test_a_cap_holds_by_contact_and_for_keys_without_a_customer() -> None:
    by_contact = known({"a": 5}, touches=[touch("someone else", phone("a"), 1)])
    by_member = known({"a": 5}, touches=[touch(None, member("a"), 1)])
    for people in (by_contact, by_member):
        assert outcomes(run(people, campaign(), caps=(WEEKLY,)).members) == {"a": "capped"}


def test_a_cap_of_another_channel_does_not_hold() -> None:
    people = known({"a": 5}, touches=[touch("a", phone("a"), 1, touch_channel="push")])
    assert outcomes(run(people, campaign(), caps=(WEEKLY,)).members) == {"a": "planned"}
    assert outcomes(run(people, campaign(), caps=(Cap(days=7, most=1),)).members) == {"a": "capped"}


def test_planning_twice_adds_nothing_to_the_ledger() -> None:
    people = known({"a": 5, "b": 3})
    first = run(people, campaign(percent="10"), caps=(WEEKLY,))
    assert first.touches.select("one_id", "kind").rows() == [("a", "planned"), ("b", "planned")]
    again = Known(**{**vars(people), "touches": first.touches.lazy(), "assignments": first.assignments.lazy()})
    second = run(again, campaign(percent="10"), caps=(WEEKLY,))
    assert second.members.equals(first.members)
    assert second.touches.is_empty()
    assert second.assignments.is_empty()


def test_a_plan_that_no_longer_holds_is_cancelled() -> None:
    people = known({"a": 5})
    first = run(people, campaign())
    without_consent = Known(**{**vars(known({"a": 5}, consents=[])), "touches": first.touches.lazy()})
    second = run(without_consent, campaign())
    assert second.touches.select("one_id", "kind").rows() == [("a", "cancelled")]


def test_who_was_reached_keeps_contact_and_place() -> None:
    send_id = f"sms_vendor/winback/{SEND_ON}"
    reached = pl.DataFrame({"send_id": [send_id], "one_id": ["a"], "recipient_key": [phone(1)]})
    people = known({"a": 1, "b": 5}, {"a": 1, "b": 1}, touches=[touch("a", phone(1), -1, "planned")], published=reached)
    assert outcomes(run(people, campaign(percent="100"), caps=(WEEKLY,)).members) == {
        "a": "planned", "b": "duplicate_contact",
    }  # fmt: skip


def test_a_late_campaign_gets_what_the_planned_ones_left() -> None:
    one, late = campaign("one", priority=9), campaign("late", priority=1)
    people = known({"a": 5})
    first = run(people, one, caps=(WEEKLY,))
    after = Known(**{**vars(people), "touches": first.touches.lazy()})
    rules = policy(one, late, caps=(WEEKLY,))
    second = allocate(after, rules, send_on=SEND_ON, at=NOW, campaigns=frozenset({"late"}))
    assert outcomes(second.members, "late") == {"a": "capped"}


def test_a_cancelled_send_plans_nobody_and_frees_its_places() -> None:
    people = known({"a": 5, "b": 0})
    first = run(people, campaign(audience="m_score > 0"))
    closed = frozenset({f"sms_vendor/winback/{SEND_ON}"})
    after = Known(**{**vars(people), "touches": first.touches.lazy(), "closed": closed})
    second = run(after, campaign(audience="m_score > 0"))
    assert outcomes(second.members) == {"a": "cancelled", "b": "rule_not_met"}
    assert second.touches.select("one_id", "kind").rows() == [("a", "cancelled")]


def test_the_waterfall_refuses_a_lost_customer() -> None:
    counts = waterfall(run(known({"a": 5, "b": 3}), campaign()).members)
    with pytest.raises(UnbalancedError, match="3 customers were considered, 2 have a row"):
        check_balance(counts, base=3)
    with pytest.raises(UnbalancedError):
        check_balance(counts | {"planned": 1}, base=2)


def test_the_newest_date_before_the_send_is_read() -> None:
    days = [SEND_ON - timedelta(days=n) for n in (30, 1, 0)]
    assert newest_as_of(days, SEND_ON) == date(2026, 6, 30)
    with pytest.raises(MissingDataError):
        newest_as_of([SEND_ON], SEND_ON)


def test_variables_are_text_and_empty_where_unknown() -> None:
    base = pl.LazyFrame({"one_id": ["a", "b"], "m_score": [5, None]})
    wanted = message_variables(base, campaign(variables={"score": "m_score"}))
    assert wanted.collect().rows() == [("a", "5"), ("b", "")]
