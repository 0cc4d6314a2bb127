"""When campaigns are due, against the calendar said in plain Python; and what a schedule or trigger may not say."""

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.schedule import Schedule
from tasks.policy.triggers import Trigger
from tests.support.campaigns import campaign
from tests.support.examples import examples

days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
whole = st.one_of(
    st.just({"every": "day"}),
    st.fixed_dictionaries({"every": st.just("week"), "weekdays": st.sets(st.integers(1, 7), min_size=1)}),
    st.fixed_dictionaries({"every": st.just("month"), "month_days": st.sets(st.integers(1, 31), min_size=1)}),
)


def is_due(given: dict[str, object], day: date) -> bool:
    if given["every"] == "month":
        is_last = (day + timedelta(days=1)).month != day.month
        return day.day in given["month_days"] or (is_last and max(given["month_days"]) > day.day)
    return given["every"] == "day" or day.weekday() + 1 in given["weekdays"]


@settings(max_examples=examples(60))
@given(given=whole, day=days, since=st.one_of(st.none(), days), until=st.one_of(st.none(), days))
def test_due_is_what_the_calendar_says(given, day, since, until):
    if since and until and since > until:
        since, until = until, since
    schedule = Schedule(**{"since": since, "until": until} | given)
    inside = (since is None or day >= since) and (until is None or day <= until)
    assert schedule.is_due(day) == (inside and is_due(given, day))
    due = schedule.next_due(day)
    ahead = (day + timedelta(days=n) for n in range(366 * 6))
    assert due == next((one for one in ahead if schedule.is_due(one)), None)


def test_the_thirty_first_is_the_last_day_of_every_month():
    schedule = Schedule(every="month", month_days=(31,))
    year = (date(2027, 1, 1) + timedelta(days=n) for n in range(365))
    due = [one for one in year if schedule.is_due(one)]
    assert due == [date(2027, month, calendar.monthrange(2027, month)[1]) for month in range(1, 13)]


@pytest.mark.parametrize(
    "given", [{"every": "week"}, {"every": "month"}, {"every": "day", "weekdays": [1]},
              {"every": "week", "weekdays": [8]},
              {"every": "day", "since": date(2026, 2, 1), "until": date(2026, 1, 1)}],
)  # fmt: skip
def test_a_schedule_that_cannot_be_meant_is_refused(given):
    with pytest.raises(ValueError, match=r"needs weekdays|less than or equal|before it begins"):
        Schedule.model_validate(given)


@pytest.mark.parametrize(
    "given", [{"event": "cart", "within_minutes": 60}, {"event": "order", "within_minutes": 60},
              {"event": "view", "without": ["buy"], "within_minutes": 60},
              {"event": "view", "within_minutes": 60, "after_minutes": 60},
              {"event": "view", "within_minutes": 60, "same": "category"}],
)  # fmt: skip
def test_a_trigger_that_cannot_be_meant_is_refused(given):
    with pytest.raises(ValueError, match=r"is no event|must be over|belongs to days_in_a_row"):
        Trigger.model_validate(given)


def test_a_plan_takes_what_is_due_and_leaves_what_persons_set_off():
    monday = date(2026, 7, 6)
    weekly = campaign(schedule={"every": "week", "weekdays": [1]})
    assert campaign().is_due(monday)
    assert (weekly.is_due(monday), weekly.is_due(monday + timedelta(days=1))) == (True, False)
    assert not campaign(trigger={"event": "cart_add", "within_minutes": 60}).is_due(monday)
    assert weekly.schedule
    assert weekly.schedule.in_words() == "each Monday"
    assert "schedule" not in campaign().model_dump()
