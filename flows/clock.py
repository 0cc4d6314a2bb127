"""The only place of the flows that reads the clock, and the words in which people give dates and instants."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tasks.errors import ConfigurationError


def now() -> datetime:
    """This instant, or the scheduled start of the flow run that we are in."""
    from prefect.context import FlowRunContext  # noqa: PLC0415  commands that only read do not wake Prefect

    context = FlowRunContext.get()
    started = context.flow_run.expected_start_time if context and context.flow_run else None
    return datetime.fromtimestamp(started.timestamp(), UTC) if started else this_instant()


def this_instant() -> datetime:
    """What the clock says, for commands that no flow runs: Prefect is not woken to ask it."""
    return datetime.now(UTC)


def start_of(day: date, zone: str) -> datetime:
    """The first instant of a business day."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """The last microsecond of a business day."""
    return start_of(day + timedelta(days=1), zone) - timedelta(microseconds=1)


def parse_instant(text: str, zone: str, *, is_end: bool = False) -> datetime:
    """Read `2017-02-01` (that day's start, or its end) or `2017-02-01T08:00:00+08:00`.

    A time without an offset is wall-clock time of the zone.

    Raises:
        ConfigurationError: neither a date nor an instant.
    """
    try:
        if len(text) == len("2017-02-01"):
            day = date.fromisoformat(text)
            return end_of(day, zone) if is_end else start_of(day, zone)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"`{text}` is no date or instant", expected="2017-02-01 or 2017-02-01T08:00:00+08:00"
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def business_date(moment: datetime, zone: str) -> date:
    """The business day that an instant falls on."""
    return moment.astimezone(ZoneInfo(zone)).date()


def month_end(month: str) -> date:
    """The last day of `YYYY-MM`.

    Raises:
        ConfigurationError: not a month.
    """
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise ConfigurationError(f"`{month}` is no month", expected="YYYY-MM, such as 2026-10") from error
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def month_before(day: date) -> str:
    """The month before the one that a day lies in, as `YYYY-MM`."""
    return f"{day.replace(day=1) - timedelta(days=1):%Y-%m}"


def months_between(first: str, last: str) -> tuple[str, ...]:
    """Every month from `first` to `last`, both included."""
    day, end, months = month_end(first), month_end(last), []
    while day <= end:
        months.append(f"{day:%Y-%m}")
        day = month_end(f"{day + timedelta(days=1):%Y-%m}")
    return tuple(months)
