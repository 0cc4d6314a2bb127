"""When a send may go out: the vendor's hours and the campaign's own, in the brand's zone."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tasks.policy.hours import Span, hours_of

__all__ = ["Span", "Window", "hours_of", "next_window"]


class Window(NamedTuple):
    """One span of time in which messages may go out, in the brand's zone; `closes` is no part of it."""

    opens: datetime
    closes: datetime


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
