"""What must add up: campaigns (base = delivered + reasons), files (read = accepted + duplicate + refused), revenue."""

import json
from collections.abc import Sequence
from typing import Literal, NamedTuple

import polars as pl

ENDS = ("planned", "delivered")
"""Outcomes of people who stay in the audience; every other outcome is a reason why not."""

_COUNTED = ("rows_read", "rows_accepted", "rows_duplicate", "rows_quarantined", "money_unreadable",
            "money_read_fen", "money_accepted_fen", "money_duplicate_fen", "money_quarantined_fen")  # fmt: skip


class Step(NamedTuple):
    """One bar of a waterfall: from `start` down to `end` customers."""

    kind: Literal["base", "reason", "end"]
    code: str
    customers: int
    start: int
    end: int


def outcome_counts(members: pl.DataFrame) -> pl.DataFrame:
    """One row per send and outcome: customers. Nobody is named."""
    return (
        members.group_by("send_id", "campaign", "send_on", "outcome")
        .agg(customers=pl.len().cast(pl.Int64))
        .sort("send_on", "campaign", "send_id", "outcome")
    )


def waterfall(outcomes: dict[str, int], order: Sequence[str]) -> list[Step]:
    """The base, then each reason in the given order (unknown ones after it, by name), then who remains.

    Example:
        `{"delivered": 2, "no_consent": 3}` gives base 5, no_consent 5 -> 2, delivered 2 -> 0.
    """
    reasons = [code for code in order if code in outcomes and code not in ENDS]
    reasons += sorted(set(outcomes) - set(reasons) - set(ENDS))
    base = sum(outcomes.values())
    steps, level = [Step("base", "base", base, base, 0)], base
    for code in reasons:
        steps.append(Step("reason", code, outcomes[code], level, level - outcomes[code]))
        level -= outcomes[code]
    ends = [code for code in ENDS if code in outcomes] or ["delivered"]
    return steps + [Step("end", code, outcomes.get(code, 0), outcomes.get(code, 0), 0) for code in ends]


def is_published_as(outcomes: dict[str, int], stored: dict[str, int]) -> bool:
    """Whether the account stored with a revision counts the same people; there, planned counts as delivered."""
    counted = {code: number for code, number in outcomes.items() if code not in ENDS}
    counted |= {"base": sum(outcomes.values()), "delivered": sum(outcomes.get(end, 0) for end in ENDS)}
    codes = set(counted) | set(stored)
    return all(counted.get(code, 0) == stored.get(code, 0) for code in codes)


def published_account(deliveries: pl.DataFrame, send_id: str) -> dict[str, int] | None:
    """The account stored with the last revision of a send; null when nothing was published."""
    revisions = deliveries.filter(pl.col("send_id") == send_id).sort("seq")
    if revisions.is_empty():
        return None
    stored: dict[str, int] = json.loads(revisions["waterfall"][-1])
    return stored


def file_accounts(files: pl.DataFrame) -> pl.DataFrame:
    """One row per channel and layout: files, rows and money in fen, and whether both add up."""
    return (
        files.group_by("channel", "layout", "outcome")
        .agg(pl.len().cast(pl.Int64).alias("files"), pl.col(*_COUNTED).sum())
        .with_columns(is_balanced=_adds_up("rows", "") & _adds_up("money", "_fen"))
        .sort("channel", "layout", "outcome", nulls_last=True)
    )


def _adds_up(what: str, unit: str) -> pl.Expr:
    parts = [pl.col(f"{what}_{part}{unit}") for part in ("accepted", "duplicate", "quarantined")]
    return pl.col(f"{what}_read{unit}") == pl.sum_horizontal(parts)


def revenue_months(revenue: pl.DataFrame, *, last: str, months: int = 13) -> pl.DataFrame:
    """One row per month up to `last`: orders and net money, of known buyers and of anonymous ones, in fen."""
    return (
        revenue.filter(pl.col("paid_month") <= last)
        .group_by("paid_month")
        .agg(
            orders=pl.col("orders").sum(),
            identified_fen=pl.col("net_fen").filter(pl.col("is_identified")).sum(),
            anonymous_fen=pl.col("net_fen").filter(~pl.col("is_identified")).sum(),
        )
        .with_columns(net_fen=pl.col("identified_fen") + pl.col("anonymous_fen"))
        .sort("paid_month")
        .tail(months)
    )
