"""Take down a yes or a no that no export tells: a line in the brand's own list, taken in like any other file.

A no is never refused: what is missing about it is filled in, and told.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from expectations.vocabulary import VOCABULARY
from flows.clock import now, parse_instant
from flows.consent import show_consent, typed, view_of
from flows.declaring import take_in
from flows.naming import Register
from flows.parameters import IngestParameters
from tasks.account import account
from tasks.errors import ConfigurationError
from tasks.sources.consents import CONTACT_IN_TEXT, MASK

Decision = Literal["granted", "withdrawn"]
HEADER = ("key", "touch_channel", "purpose", "decision", "decided_at", "evidence", "by")
FOR_ALL = ("third_party", "profiling", "*")
"""Purposes that are about no channel in particular."""


def take_down(
    decision: Decision, who: str, *, channel: str = "", purpose: str = "marketing", evidence: str = "", by: str = "",
    at: str = "", dry_run: bool = False, uri: str = "", policy: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Take in one word about one person, and tell what holds for them now.

    Raises:
        ConfigurationError: no such channel or purpose; a yes without proof, for an id, or of tomorrow.
    """
    view = view_of(uri, None, "")
    subjects = _subjects(decision, who, view.register())
    touch_channel = channel or ("*" if purpose in FOR_ALL else "sms")
    _require_codes(touch_channel=touch_channel, purpose=purpose)
    said_at = instant_of(decision, at, view.policy.brand.zone)
    proof = proof_of(decision, evidence)
    signed = by or account()
    told = {
        "decision": decision, "subjects": subjects, "touch_channel": touch_channel, "purpose": purpose,
        "decided_at": said_at, "evidence": proof, "by": signed, "outcome": "dry run: nothing was written",
    }  # fmt: skip
    if not dry_run:
        lines = [(key, touch_channel, purpose, decision, said_at.isoformat(), proof, signed) for key in subjects]
        told["outcome"] = take_in(
            "consents", HEADER, lines, exported_at=said_at.isoformat(), uri=view.uri, policy=policy
        )
    shown = show_consent(subjects[0], uri=uri)
    return told | {"holds_now": [row for row in shown["now"] if _concerns(row, touch_channel, purpose)]}


def _concerns(row: dict[str, Any], touch_channel: str, purpose: str) -> bool:
    return touch_channel in ("*", row["touch_channel"]) and purpose in ("*", row["purpose"])


def _subjects(decision: Decision, who: str, register: Register) -> list[str]:
    """The keys that the word is kept on: a no of a customer on every key, so that it outlives a split."""
    if not who.startswith("c_"):
        return [register.key(typed(who))]
    if decision == "granted":
        raise ConfigurationError(
            "an id says nothing; a person does, by a contact or a membership", expected="the key that said yes",
            next_step="pass --key phone:…, email:…, member:…; see `strata identity explain`",
        )  # fmt: skip
    one_id = register.person(who)
    return register.identities.filter(pl.col("one_id") == one_id)["key"].unique().sort().to_list()


def _require_codes(**told: str) -> None:
    for name, code in told.items():
        codes = VOCABULARY[name].codes
        if code not in codes:
            raise ConfigurationError(
                f"there is no {name.replace('_', ' ')} {code}", expected=f"one of {', '.join(codes)}",
                next_step="see docs/consent.md",
            )  # fmt: skip


def instant_of(decision: Decision, at: str, zone: str) -> datetime:
    """When it was said; a no of tomorrow holds from now on."""
    present = now()
    said_at = parse_instant(at, zone) if at else present
    if decision == "granted" and said_at > present:
        raise ConfigurationError(
            f"a yes of {said_at:%Y-%m-%d %H:%M} UTC has not been said yet", expected="an instant that has passed",
            next_step="correct --at",
        )  # fmt: skip
    return min(said_at, present)


def proof_of(decision: Decision, evidence: str) -> str:
    """What the word rests on, with numbers and addresses masked: evidence stands in the lake in clear."""
    if decision == "granted" and not evidence.strip():
        raise ConfigurationError(
            "a yes without evidence", expected="where the proof lies: a form, a call, a screenshot's number",
            next_step="pass --evidence; no name or number of the person belongs there",
        )  # fmt: skip
    return re.sub(CONTACT_IN_TEXT, MASK, evidence.strip()) or "none given"


def import_consents(path: Path, *, dry_run: bool = False, uri: str = "", policy: str = "") -> dict[str, Any]:
    """Ingest a list of consents like any export."""
    from flows.ingest import ingest  # noqa: PLC0415  Prefect takes seconds to import

    told = IngestParameters(paths=(str(path),), settle_seconds=0, dry_run=dry_run, lake=uri, policy=policy)
    summary: dict[str, Any] = ingest(told)
    return summary
