"""Why a customer is what they are: facts, the cut-offs their scores met, the tier and the way up, each tag's rule.

Everything comes from stored rows and from the policy of the run that made them; nothing is computed anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tasks.policy.models import Policy
from tasks.policy.tag_graph import names_read
from tasks.policy.tag_words import rule_of
from tasks.policy.tags import Tag
from tasks.reports.standing import stage_standing, tier_standing

FACTS = (
    "first_seen_at", "first_order_on", "last_order_on", "recency_days", "days_since_order", "frequency",
    "monetary_fen", "gross_orders", "life_orders", "life_net_fen", "purchase_days", "coupon_rate", "weekday_rate",
    "preferred_category", "spend_3m_fen",
)  # fmt: skip
MOVE = ("dimension", "from_as_of", "as_of", "from_code", "to_code", "cause", "label_path")
_MEASURES = {"r": "recency_days", "f": "frequency", "m": "monetary_fen"}
_SCORED = {"f": "frequency_scored", "m": "monetary_scored_fen"}
"""What was scored in place of the plain measure, where the policy says so."""


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
        "segment": _labelled(customer["segment"], _segment_labels(policy)) | _rule_of_segment(customer, policy),
        "tier": tier_standing(customer, policy),
        "stage": _labelled(customer["stage"], policy.lifecycle.labels) | stage_standing(customer, policy),
        "tags": [_tag(tag, stored) for tag in policy.tags],
        "moves": stored.moves.filter(pl.col("from_code") != pl.col("to_code")).select(MOVE).to_dicts(),
    }


def _score(dimension: str, customer: Mapping[str, Any], cutoffs: pl.DataFrame) -> dict[str, Any]:
    """The value, its score, the least value that earned it, and what the next score would take."""
    ladder = {
        row["score"]: row["cutoff"] for row in cutoffs.filter(dimension=dimension).sort("score").iter_rows(named=True)
    }
    score = customer[f"{dimension}_score"]
    sign = -1 if dimension == "r" else 1
    above = [value for level, value in ladder.items() if level > score and value is not None]
    scored = customer.get(_SCORED.get(dimension, ""))
    return {
        "value": customer[_MEASURES[dimension]] if scored is None else scored,
        "score": score,
        "least_value_of_this_score": None if ladder.get(score) is None else sign * ladder[score],
        "value_of_the_next_score": sign * above[0] if above and score else None,
        **_cut(cutoffs.filter(dimension=dimension)),
    }


def _cut(cutoffs: pl.DataFrame) -> dict[str, Any]:
    """How the dimension was cut and since when, and how well that tells customers apart."""
    names = ("method", "measure", "computed_on", "effective_levels", "max_tie_share")
    first = cutoffs.row(0, named=True) if cutoffs.height else {}
    return {name: first.get(name) for name in names}


def _rule_of_segment(customer: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """The scores that the segment asks for, and what to do with its people; nothing outside the scored base."""
    rule = next((rule for rule in policy.segments.rules if rule.code == customer["segment"]), None)
    if rule is None:
        return {"asks_for": None, "play": None}
    asked = {name: list(getattr(rule, name)) for name in _MEASURES}
    return {"asks_for": asked, "play": rule.play.model_dump() if rule.play else None}


def _labelled(code: str | None, labels: Mapping[str, Any]) -> dict[str, Any]:
    label = labels.get(str(code))
    return {"code": code, "zh": label.zh if label else code, "en": label.en if label else code}


def _segment_labels(policy: Policy) -> dict[str, Any]:
    named = {rule.code: rule.label for rule in policy.segments.rules}
    return named | {str(kind): label for kind, label in policy.segments.outside.items()}


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
