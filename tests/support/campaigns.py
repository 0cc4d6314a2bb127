"""Invented people, consents and campaigns for tests of allocation. Five columns say all that matters of a person."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from expectations.tables import TABLES
from tasks.policy.base import Label
from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Cap, Contacting
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.policy.variants import Holdout
from tasks.policy.vendors import Vendor
from tasks.transforms.consent import standing
from tasks.transforms.contact_points import contact_points
from tasks.transforms.known import Known

SEND_ON = date(2026, 7, 1)
NOW = datetime(2026, 7, 1, 1, tzinfo=UTC)
SEEN = datetime(2026, 6, 1, tzinfo=UTC)
LINKING = ("phone", "email")
POLICY = Path(__file__).parents[2] / "infra" / "demo" / "complete_journey" / "policy"


@cache
def shipped_policy() -> Policy:
    """The demo brand's policy, whose campaigns tests replace by their own."""
    return load_policy(POLICY)


def vendor(code: str = "sms_vendor", **more: Any) -> Vendor:
    """A vendor who takes a phone and, if asked, variables."""
    given = {"columns": ({"header": "phone", "source": "contact"},), "contact_type": "phone", "role": "entrusted"}
    return Vendor.model_validate({"code": code, "label": {"zh": "供应商", "en": "Vendor"}} | given | more)


def campaign(code: str = "winback", **more: Any) -> Campaign:
    """An SMS campaign for everyone unless told otherwise; `percent` is short for a holdout."""
    percent = more.pop("percent", None)
    if percent is not None:
        more["holdout"] = Holdout(experiment=f"exp:{code}", percent=Decimal(percent))
    given = {
        "code": code, "label": Label(zh=code, en=code), "touch_channel": "sms", "vendor": "sms_vendor",
        "audience": "m_score >= 0", "template": "T1", "priority": 10,
    }  # fmt: skip
    return Campaign.model_validate(given | more)


def policy(*campaigns: Campaign, caps: Iterable[Cap] = (), **contacting: Any) -> Policy:
    """The shipped rules with these campaigns and caps, and whatever else contacting.yaml says."""
    rules = Contacting.model_validate({"caps": tuple(caps)} | contacting)
    changes = {"campaigns": campaigns, "vendors": (vendor(),), "contacting": rules}
    return shipped_policy().model_copy(update=changes)


def rows(table: str, given: Iterable[Mapping[str, Any]]) -> pl.LazyFrame:
    """Rows of a table, null where nothing is said."""
    schema = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(schema) | dict(row) for row in given], schema=schema, orient="row").lazy()


def phone(number: int | str) -> str:
    """The key of a phone."""
    return f"phone::{number}"


def member(one_id: str) -> str:
    """The key of a membership."""
    return f"member:brand:{one_id}"


def owned(people: Mapping[str, str]) -> pl.LazyFrame:
    """Identities of (key, one_id): a phone or e-mail links, any other key is strong; no number changed hands."""
    keys = [
        {"key": key, "one_id": one_id, "own_id": one_id, "key_class": "linking" if key[:5] in LINKING else "strong"}
        for key, one_id in people.items()
    ]
    return rows("identities", [{"epoch": 1} | key for key in keys])


def consent(subject: str, decision: str = "granted", **more: Any) -> dict[str, Any]:
    """One consent row about SMS marketing, said in June."""
    given = {
        "channel": "youzan", "subject": subject, "touch_channel": "sms", "purpose": "marketing",
        "decision": decision, "decided_at": SEEN, "known_from": SEEN,
    }  # fmt: skip
    return given | more


def sighting(one_id: str, key: str, seen_at: datetime = SEEN, **more: Any) -> list[dict[str, Any]]:
    """The member key and another key on one record."""
    record = f"order:youzan:main:{one_id}-{key}-{seen_at:%d}"
    common = {"record": record, "seen_at": seen_at, "known_from": seen_at} | more
    return [common | {"key": k, "key_type": k.partition(":")[0]} for k in (member(one_id), key)]


def touch(one_id: str | None, key: str, days_ago: int, kind: str = "handed_over", **more: Any) -> dict[str, Any]:
    """One ledger row of another SMS campaign."""
    send_on = SEND_ON - timedelta(days=days_ago)
    given = {
        "send_id": f"sms_vendor/earlier/{send_on}", "campaign": "earlier", "vendor": "sms_vendor",
        "touch_channel": "sms", "recipient_key": key, "one_id": one_id, "kind": kind, "send_on": send_on,
        "happened_at": SEEN + timedelta(days=30 - days_ago), "known_from": SEEN,
    }  # fmt: skip
    return given | more


def known(
    people: Mapping[str, int],
    phones: Mapping[str, int | str | None] | None = None,
    consents: Iterable[Mapping[str, Any]] | None = None,
    touches: Iterable[Mapping[str, Any]] = (),
    assignments: Iterable[Mapping[str, Any]] = (),
    published: pl.DataFrame | None = None,
) -> Known:
    """What is known of `people` (one_id to m_score). By default each has a phone of their own and said yes to SMS."""
    numbers = dict(zip(people, people, strict=True)) if phones is None else phones
    identities = owned({member(p): p for p in people})
    seen = [row for one_id, number in numbers.items() if number is not None for row in sighting(one_id, phone(number))]
    yes = [consent(phone(n)) for n in set(numbers.values()) if n is not None] if consents is None else consents
    sightings = rows("sightings", seen)
    reached = pl.DataFrame(schema={"send_id": pl.String, "one_id": pl.String, "recipient_key": pl.String})
    return Known(
        base=pl.LazyFrame(
            {"one_id": list(people), "m_score": list(people.values())},
            schema={"one_id": pl.String, "m_score": pl.Int64},
        ),
        points=contact_points(sightings, identities, known=NOW, seen_before=NOW),
        identities=identities,
        words=standing(rows("consents", yes), at=NOW, known=NOW),
        touches=rows("touches", touches),
        assignments=rows("assignments", assignments),
        published=(reached if published is None else published).lazy(),
    )


def outcomes(members: pl.DataFrame, code: str = "winback") -> dict[str, str]:
    """Outcome by customer for one campaign."""
    return dict(members.filter(pl.col("campaign") == code).select("one_id", "outcome").iter_rows())
