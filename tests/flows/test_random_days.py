"""Laws of what goes out, over random days of plans, deliveries, noes and merges, read from the published files."""

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.random_days import CODES, FIRST_DAY, PEOPLE, WINDOW_DAYS, Days

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

PERSON, CODE = st.sampled_from(sorted(PEOPLE)), st.sampled_from(CODES)
EVENT = st.one_of(st.tuples(st.just("no"), PERSON), st.tuples(st.just("merge"), PERSON, PERSON))
LOOK = st.tuples(st.just("deliver"), CODE, st.integers(0, 1))
EVENTS, BOTH = st.lists(EVENT, max_size=2), st.permutations([("deliver", code, 0) for code in CODES])


@st.composite
def a_day(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """A day that is planned, lived through and delivered, with what happens in between; the last look may be late."""
    first, second = draw(BOTH)
    looks = [draw(LOOK)] if draw(st.booleans()) else []
    return [("plan",), *draw(EVENTS), first, *draw(EVENTS), second, *draw(EVENTS), *looks, ("night",)]


STORY = st.lists(a_day(), min_size=1, max_size=2).map(lambda days: [doing for day in days for doing in day])


@settings(max_examples=examples(6), deadline=None)
@given(STORY)
def test_no_file_ever_holds_whom_it_must_not(story: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory(prefix="strata-days-") as folder:
        days = Days(Path(folder))
        for doing, *about in story:
            match doing:
                case "plan":
                    days.plan()
                case "night":
                    days.next_day()
                case "no":
                    days.refuse(*about)
                case "merge":
                    days.merge(*about)
                case _:
                    _deliver(days, about[0], days.send_on - timedelta(days=about[1]))


def _deliver(days: Days, code: str, send_on: date) -> None:
    if send_on < FIRST_DAY or not days.is_planned(code, send_on):
        return
    send_id = f"sms_vendor/{code}/{send_on}"
    before = dict(days.live.get(send_id, {}))
    added, recalled = days.deliver(code, send_on)
    assert recalled <= days.said_no | _shared_with_a_no(days), "called back for nothing"
    for phone, one_id in added.items():
        assert phone not in before, "a second message of one send"
        assert not {who for no in days.said_no for who in days.owners(no)} & days.owners(phone), "said no"
        others = [
            (number, who)
            for other, reached in days.live.items()
            if other != send_id and abs((date.fromisoformat(other[-10:]) - send_on).days) < WINDOW_DAYS
            for number, who in reached.items()
        ]
        assert phone not in dict(others), "over the cap of a phone"
        assert days.who(one_id) not in {days.who(who) for _, who in others}, "over the cap of a person"
    days.live.setdefault(send_id, {}).update(added)
    assert days.deliver(code, send_on) == ({}, set()), "twice is not once"


def _shared_with_a_no(days: Days) -> set[str]:
    """Phones of persons of whom another phone said no, or whose phone is shared with such a person."""
    refused = {who for no in days.said_no for who in days.owners(no)}
    return {phone for phone in PEOPLE.values() if days.owners(phone) & refused}
