"""When a send may go out: the vendor's hours and the campaign's own, in the brand's zone."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUIET_ENDS, QUIET_BEGINS = time(9), time(20)
"""Outside of these nobody is disturbed where neither vendor nor campaign names hours."""
Span = tuple[time, time]


class Window(NamedTuple):
    """One span of time in which messages may go out, in the brand's zone; `closes` is no part of it."""

    opens: datetime
    closes: datetime


def hours_of(*spans: Span | None) -> Span | None:
    """The hours that all the spans share; the usual ones where there is no span, None where they share nothing."""
    told = [span for span in spans if span is not None] or [(QUIET_ENDS, QUIET_BEGINS)]
    opens, closes = max(span[0] for span in told), min(span[1] for span in told)
    return (opens, closes) if opens < closes else None


def next_window(send_on: date, now: datetime, hours: Span, zone: str) -> Window:
    """The first span of the hours on the day of the send or later that is not over at `now`.

    It begins at `now` where the hours run already.
    """
    local, at = ZoneInfo(zone), now.astimezone(ZoneInfo(zone))
    day = max(send_on, at.date())
    if datetime.combine(day, hours[1], local) <= at:
        day += timedelta(days=1)
    opens, closes = (datetime.combine(day, hour, local) for hour in hours)
    return Window(max(opens, at.replace(microsecond=0)), closes)
