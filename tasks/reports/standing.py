"""Where a customer stands among tiers and stages: what keeps them there, what moves them on, and when."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tasks.policy.models import Policy
from tasks.policy.tiers import Tier, Tiers

Row = Mapping[str, Any]
_LATER_STAGES = ("active", "at_risk", "silent")


def tier_standing(customer: Row, policy: Policy) -> dict[str, Any]:
    """The tier, why, until when it is safe, what keeps it and what reaches the next; amounts in fen.

    `keep_gap_fen` is what spend in the window lacks to keep the tier at the review after `keep_by`, if nothing falls
    out of the window until then. `why_not_above` are the reasons, the first being enough; empty at the top.
    """
    ladder, level = policy.tiers.tiers, customer["tier_level"]
    above = ladder[level + 1] if 0 <= level + 1 < len(ladder) else None
    own = ladder[level] if level > 0 else None
    label = ladder[level].label if level >= 0 else None
    spend = customer["tier_spend_fen"]
    return {
        "code": customer["tier"], "zh": label.zh if label else "暂停", "en": label.en if label else "Suspended",
        "cause": customer["tier_cause"],
        "since": customer["tier_since"],
        "valid_until": customer["tier_valid_until"],
        "grace_until": customer["tier_grace_until"],
        "locked_until": customer["tier_locked_until"],
        "lock_reason": customer["tier_lock_reason"],
        "granted_by": customer["tier_granted_by"],
        "window_days": policy.tiers.qualify_window_days,
        "spend_fen": spend,
        "keep_fen": own.keep_fen if own else 0,
        "keep_gap_fen": max(own.keep_fen - spend, 0) if own else 0,
        "keep_by": (customer["tier_grace_until"] or customer["tier_valid_until"]) if own else None,
        "benefits": list(own.benefits) if own else [],
        "next": None if above is None else above.code,
        "next_zh": None if above is None else above.label.zh,
        "next_en": None if above is None else above.label.en,
        "next_up_fen": None if above is None else above.up_fen,
        "gap_fen": customer["tier_gap_fen"],
        "next_review": next_review(customer["as_of"], policy.tiers, customer["tier_since"] if level > 0 else None),
        "why_not_above": _why_not(customer, above, policy.tiers),
    }  # fmt: skip


def _why_not(customer: Row, above: Tier | None, tiers: Tiers) -> list[dict[str, Any]]:
    """Each thing that stands between a customer and the tier above."""
    if above is None:
        return []
    reasons: list[dict[str, Any]] = []
    if customer["tier_level"] < 0:
        reasons.append({"code": "fraud"})
    if customer["tier_locked_until"] is not None:
        reasons.append({"code": "locked", "until": customer["tier_locked_until"], "why": customer["tier_lock_reason"]})
    if customer["tier_spend_fen"] < above.up_fen:
        reasons.append({"code": "spend", "fen": above.up_fen - customer["tier_spend_fen"]})
    elif tiers.upgrade == "at_review":
        reasons.append({"code": "waits_for_review"})
    if _is_maturing(customer, tiers):
        reasons.append({"code": "maturing", "days": tiers.maturity_days})
    return reasons


def _is_maturing(customer: Row, tiers: Tiers) -> bool:
    """Whether the last order does not count yet, since it may still be sent back."""
    last = customer["last_order_on"]
    return last is not None and last > customer["as_of"] - timedelta(days=tiers.maturity_days)


def next_review(after: date, tiers: Tiers, since: date | None) -> date:
    """The first review after a date; with anniversaries, of somebody whose tier began at `since`."""
    if tiers.review == "fixed_dates":
        return min(_next_day(after, text) for text in tiers.review_on)
    end = _month_end(after + timedelta(days=1))
    if tiers.review == "tier_anniversary" and since is not None:
        while end.month != since.month or end.year == since.year:
            end = _month_end(end + timedelta(days=1))
    return end


def _next_day(after: date, month_and_day: str) -> date:
    """The next time that a year has this day; the 29th of February comes in leap years."""
    years = range(after.year, after.year + 9)
    days = (_day(year, month_and_day) for year in years)
    return next(day for day in days if day is not None and day > after)


def _day(year: int, month_and_day: str) -> date | None:
    try:
        return date.fromisoformat(f"{year}-{month_and_day}")
    except ValueError:
        return None


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def stage_standing(customer: Row, policy: Policy) -> dict[str, Any]:
    """Days without an order, and from when the next stage holds if none comes; null for the lost, and by cycles."""
    rules, last = policy.lifecycle, customer["last_order_on"]
    days = customer["days_since_order"]
    bounds = {"active": rules.active_days, "at_risk": rules.at_risk_days, "silent": rules.silent_days}
    later = [(bounds[stage], stage) for stage in _LATER_STAGES if days is not None and days <= bounds[stage]]
    fixed = getattr(rules, "basis", "days") == "days"
    if not later or last is None or not fixed:
        return {"days_since_order": days, "next": None, "next_on": None}
    bound, stage = later[0]
    after = (*_LATER_STAGES, "lost")[_LATER_STAGES.index(stage) + 1]
    return {"days_since_order": days, "next": after, "next_on": last + timedelta(days=bound + 1)}
