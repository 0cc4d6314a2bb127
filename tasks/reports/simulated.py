"""Why somebody would have another label under another policy: the thresholds of both beside the customer's numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.policy.models import Policy
from tasks.reports.numbers import money
from tasks.reports.words import Text, name_of, segment_labels, stage_labels, tier_labels

Row = Mapping[str, Any]


def why_moved(row: Row, now: Policy, then: Policy) -> list[Text]:
    """One sentence for each label that would differ. `row` is one of `simulation.movers`."""
    parts = (("tier", _tier), ("segment", _segment), ("stage", _stage))
    return [text for name, part in parts if row[name] != row[f"{name}_then"] for text in part(row, now, then)]


def _tier(row: Row, now: Policy, then: Policy) -> Iterator[Text]:
    start, end = name_of(tier_labels(now), row["tier"]), name_of(tier_labels(then), row["tier_then"])
    higher = row["tier_then"] if row["tier_level_then"] > row["tier_level"] else row["tier"]
    name, lines = (
        name_of(tier_labels(then) | tier_labels(now), higher),
        f"{_lines(higher, now)} → {_lines(higher, then)}",
    )
    spend = f"{_spend(row, '', now)} → {_spend(row, '_then', then)}"
    yield Text(
        f"等级 {start.zh} → {end.zh}：计入消费 {spend}；{name.zh}的升级/保级线 {lines}。",
        f"Tier {start.en} → {end.en}: {spend} of spend count; {name.en} is reached and kept with {lines}.",
    )


def _spend(row: Row, suffix: str, policy: Policy) -> str:
    return money(row[f"tier_spend_fen{suffix}"], policy.brand.currency)


def _lines(code: str, policy: Policy) -> str:
    """Thresholds of a tier; a dash where the policy has no such tier."""
    tier = next((tier for tier in policy.tiers.tiers if tier.code == code), None)
    currency = policy.brand.currency
    return f"{money(tier.up_fen, currency)}/{money(tier.keep_fen, currency)}" if tier else "–"


def _segment(row: Row, now: Policy, then: Policy) -> Iterator[Text]:
    start, end = name_of(segment_labels(now), row["segment"]), name_of(segment_labels(then), row["segment_then"])
    scores = " → ".join(_scores(row, suffix) for suffix in ("", "_then"))
    yield Text(f"分群 {start.zh} → {end.zh}：得分 {scores}。", f"Segment {start.en} → {end.en}: scores {scores}.")


def _scores(row: Row, suffix: str) -> str:
    return "".join(f"{name.upper()}{row[f'{name}_score{suffix}']}" for name in "rfm")


def _stage(row: Row, now: Policy, then: Policy) -> Iterator[Text]:
    start, end = name_of(stage_labels(now), row["stage"]), name_of(stage_labels(then), row["stage_then"])
    days, bounds = row["days_since_order"], " → ".join(_bounds(policy) for policy in (now, then))
    yield Text(
        f"阶段 {start.zh} → {end.zh}：{days} 天未下单，阶段界限 {bounds} 天。",
        f"Stage {start.en} → {end.en}: {days} days without an order, stages end after {bounds} days.",
    )


def _bounds(policy: Policy) -> str:
    rules = policy.lifecycle
    return f"{rules.active_days}/{rules.at_risk_days}/{rules.silent_days}"
