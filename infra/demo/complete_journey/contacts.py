"""Invent contact points and consents for households: the real data has none.

Everything is a function of the household's number, so that the same household always gets
the same phone, whatever the order of rows and whichever month is written.
"""

import hashlib
from datetime import datetime, timedelta

import polars as pl

from infra.demo.complete_journey.plan import ends_at

SEED = "strata-demo-1"
PHONE_PREFIX = "1540000"
"""Prefix 154 was never given to a carrier, so no such number can ring."""
YES_BELOW, NO_BELOW = 9200, 9500
"""Of 10,000: 92 % say yes, 3 % say no, the other 5 % were never asked."""
OPTS_OUT_BELOW = 200
"""Of 10,000: 2 % withdraw before the export of their first month."""
FORM_SECONDS = 900
"""A form at the till is filled in within a quarter of an hour after the first purchase."""

SCHEMA = {
    "household_id": pl.Int64(),
    "phone": pl.String(),
    "push_token": pl.String(),
    "sms_consent": pl.String(),
    "push_consent": pl.String(),
    "consent_at": pl.Datetime("us"),
    "opted_out_at": pl.Datetime("us"),
    "month": pl.String(),
}


def invent_contacts(firsts: pl.DataFrame) -> pl.DataFrame:
    """One row per household, in the month of its first purchase, in the order given.

    `firsts` has household_id, month and transaction_timestamp of the first purchase (naive UTC).
    Times are naive UTC; a consent is `yes`, `no` or null (never asked); `opted_out_at` is null for who stays.
    """
    columns = firsts.select("household_id", "month", "transaction_timestamp")
    return pl.DataFrame([_invent(*row) for row in columns.iter_rows()], schema=SCHEMA)


def _invent(household: int, month: str, first_at: datetime) -> dict[str, object]:
    last = ends_at(month).replace(tzinfo=None) - timedelta(seconds=1)
    consent_at = min(first_at + timedelta(seconds=draw(household, "form", FORM_SECONDS)), last)
    left_seconds = int((last - consent_at).total_seconds()) + 1
    opts_out = draw(household, "opt-out") < OPTS_OUT_BELOW
    return {
        "household_id": household,
        "phone": f"{PHONE_PREFIX}{household:04d}",
        "push_token": _digest(household, "push token").hex()[:32],
        "sms_consent": _answer(draw(household, "sms consent")),
        "push_consent": _answer(draw(household, "push consent")),
        "consent_at": consent_at,
        "opted_out_at": consent_at + timedelta(seconds=draw(household, "leaves", left_seconds)) if opts_out else None,
        "month": month,
    }


def _answer(drawn: int) -> str | None:
    if drawn < YES_BELOW:
        return "yes"
    return "no" if drawn < NO_BELOW else None


def draw(household: int, what: str, below: int = 10_000) -> int:
    """Return a number from 0 to `below` - 1 that depends on nothing but the household and the question."""
    return int.from_bytes(_digest(household, what)[:8], "big") % below


def _digest(household: int, what: str) -> bytes:
    return hashlib.sha256(f"{SEED}/{what}/{household}".encode()).digest()
