"""Why a customer is what they are: facts, the cut-offs their scores met, the tier and the way up, each tag's rule.

Everything comes from stored rows and from the policy of the run that made them; nothing is computed anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tasks.policy.models import Policy
from tasks.policy.tag_graph import names_read
from tasks.policy.tag_words import rule_of
from tasks.policy.tags import Tag
from tasks.reports.numbers import money
from tasks.reports.words import Language

FACTS = (
    "first_seen_at", "first_order_on", "last_order_on", "recency_days", "days_since_order", "frequency",
    "monetary_fen", "gross_orders", "life_orders", "life_net_fen", "purchase_days", "coupon_rate", "weekday_rate",
    "preferred_category", "spend_3m_fen",
)  # fmt: skip
_MEASURES = {"r": "recency_days", "f": "frequency", "m": "monetary_fen"}


@dataclass(frozen=True)
class Stored:
    """The stored rows that an explanation rests on."""

    customer: Mapping[str, Any]
    cutoffs: pl.DataFrame
    tags: Mapping[str, Any]
    moves: pl.DataFrame


def explain(stored: Stored, policy: Policy) -> dict[str, Any]:
    """One customer at one date, ready for JSON: every value beside the rule that gave it."""
    customer = stored.customer
    return {
        "one_id": customer["one_id"],
        "as_of": customer["as_of"],
        "policy_digest": customer["policy_digest"],
        "facts": {name: customer[name] for name in FACTS},
        "scores": {dimension: _score(dimension, customer, stored.cutoffs) for dimension in _MEASURES},
        "rfm_cell": _labelled(customer["rfm_cell"], policy.segments.cells),
        "segment": _labelled(customer["segment"], _segment_labels(policy)),
        "tier": _tier(customer, policy),
        "stage": _labelled(customer["stage"], policy.lifecycle.labels),
        "tags": [_tag(tag, stored) for tag in policy.tags],
        "moves": stored.moves.select("dimension", "from_as_of", "as_of", "from_code", "to_code").to_dicts(),
    }


def _score(dimension: str, customer: Mapping[str, Any], cutoffs: pl.DataFrame) -> dict[str, Any]:
    """The value, its score, the least value that earned it, and what the next score would take."""
    ladder = {
        row["score"]: row["cutoff"] for row in cutoffs.filter(dimension=dimension).sort("score").iter_rows(named=True)
    }
    score = customer[f"{dimension}_score"]
    sign = -1 if dimension == "r" else 1
    above = [value for level, value in ladder.items() if level > score and value is not None]
    return {
        "value": customer[_MEASURES[dimension]],
        "score": score,
        "least_value_of_this_score": None if ladder.get(score) is None else sign * ladder[score],
        "value_of_the_next_score": sign * above[0] if above and score else None,
    }


def _labelled(code: str | None, labels: Mapping[str, Any]) -> dict[str, Any]:
    label = labels.get(str(code))
    return {"code": code, "zh": label.zh if label else code, "en": label.en if label else code}


def _segment_labels(policy: Policy) -> dict[str, Any]:
    named = {rule.code: rule.label for rule in policy.segments.rules}
    return named | {str(kind): label for kind, label in policy.segments.outside.items()}


def _tier(customer: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """The tier, why, until when, and what is missing for the next."""
    ladder = policy.tiers.tiers
    level = customer["tier_level"]
    above = ladder[level + 1] if level + 1 < len(ladder) else None
    return {
        **_labelled(customer["tier"], {tier.code: tier.label for tier in ladder}),
        "cause": customer["tier_cause"],
        "since": customer["tier_since"],
        "valid_until": customer["tier_valid_until"],
        "window_days": policy.tiers.qualify_window_days,
        "spend_fen": customer["tier_spend_fen"],
        "keep_fen": ladder[max(level, 0)].keep_fen,
        "next": None if above is None else above.code,
        "next_up_fen": None if above is None else above.up_fen,
        "gap_fen": customer["tier_gap_fen"],
    }


def _tag(tag: Tag, stored: Stored) -> dict[str, Any]:
    """The tag's value, the rule that set it, and what the rule looked at."""
    known = {**stored.tags, **stored.customer}
    read = [*names_read(tag), *([tag.confirmed_column] if tag.confirmed_column else [])]
    return {
        "code": tag.code,
        "zh": tag.label.zh,
        "en": tag.label.en,
        "type": tag.type,
        "value": stored.tags.get(tag.code),
        "rule": rule_of(tag),
        "saw": {name: known.get(name) for name in sorted(read)},
    }


def sentences(told: Mapping[str, Any], language: Language, currency: str) -> Sequence[str]:
    """The explanation in plain words, the way up first."""
    tier, zh = told["tier"], language == "zh"
    name = tier["zh"] if zh else tier["en"]
    lines = [
        f"截至 {told['as_of']}，等级：{name}（{tier['cause']}），近{tier['window_days']}天净消费 "
        f"{money(tier['spend_fen'], currency)}。"
        if zh
        else f"On {told['as_of']}: tier {name} ({tier['cause']}), net spend of the last {tier['window_days']} days "
        f"{money(tier['spend_fen'], currency)}."
    ]
    if tier["next"] is not None:
        gap = money(tier["gap_fen"], currency)
        lines.append(f"再消费 {gap} 升级为 {tier['next']}。" if zh else f"{gap} more reaches {tier['next']}.")
    lines.extend(_score_sentence(dimension, entry, zh=zh) for dimension, entry in told["scores"].items())
    return lines


def _score_sentence(dimension: str, entry: Mapping[str, Any], *, zh: bool) -> str:
    letter, least = dimension.upper(), entry["least_value_of_this_score"]
    if not entry["score"]:
        return f"{letter}：窗口内无有效订单，不参与评分。" if zh else f"{letter}: no qualifying order, not scored."
    bound = ("至多" if zh else "at most") if dimension == "r" else ("至少" if zh else "at least")
    if zh:
        return f"{letter} = {entry['score']}：取值 {entry['value']}，该分要求{bound} {least}。"
    return f"{letter} = {entry['score']}: the value is {entry['value']}, this score asks for {bound} {least}."
