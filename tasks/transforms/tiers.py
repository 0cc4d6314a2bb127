"""The tier state machine: one step at one date, for every customer at once (algorithms §4).

How spend in the window is found, and which days are stepped through, is in tier_spend.py
and tier_replay.py. The numbered comments are the steps of the rule.
"""

from collections.abc import Iterable
from typing import Literal

import polars as pl

from tasks.policy.tiers import Tiers

STATE = {
    "tier_level": pl.Int64(),
    "tier_since": pl.Date(),
    "tier_valid_until": pl.Date(),
    "tier_grace_until": pl.Date(),
    "tier_granted_by": pl.String(),
    "tier_window_end": pl.Date(),
    "tier_locked_until": pl.Date(),
    "tier_lock_reason": pl.String(),
}
"""What a customer's tier remembers from one date to the next."""

CAUSES = (
    "fraud", "manual", "upgrade", "reinstated", "base", "refund", "in_validity", "awaiting_review", "kept",
    "no_downgrade", "grace_start", "in_grace", "downgrade",
)  # fmt: skip
OUT = -1
"""Level of a customer under a fraud flag: no tier at all."""

_CAUSE = pl.Enum(CAUSES)
_WINDOW_STARTS = ("upgrade", "kept", "no_downgrade", "downgrade")
_VALIDITY_STARTS = (*_WINDOW_STARTS, "refund")
_GRACE_RUNS_ON = ("manual", "in_validity", "awaiting_review", "in_grace")


def step(rows: pl.LazyFrame, *, on: pl.Expr, review: pl.Expr, tiers: Tiers) -> pl.LazyFrame:
    """One row per customer as given, with the state after the date `on` and its `tier_cause`.

    `review` says whether the customer is reviewed on that date.
    Rows hold the state before, `tier_spend_fen` (net spend S of the window that ends at `on`),
    `granted_spend_fen` (S of the window that granted the tier, refunds up to `on` taken off;
    null when no refund has touched it since) and `is_fraud`. An expired lock is taken off.
    """
    return (
        rows.with_columns(_reached(tiers))
        .with_columns(tier_cause=_cause(on, review, tiers))
        .with_columns(_next=_next_level(tiers))
        .with_columns(**_next_state(on, tiers))
        .drop("_before", "_up", "_keep", "_held", "tier_level")
        .rename({"_next": "tier_level"})
    )


def level_of(spend: pl.Expr, thresholds: Iterable[int]) -> pl.Expr:
    """The highest level whose threshold the spend reaches; thresholds never fall, and level 0 asks for nothing."""
    above_base = list(thresholds)[1:]
    return pl.sum_horizontal(pl.lit(0, pl.Int64), *((spend >= least).cast(pl.Int64) for least in above_base))


def ups(tiers: Tiers) -> list[int]:
    """Spend that reaches each tier, in fen."""
    return [tier.up_fen for tier in tiers.tiers]


def keeps(tiers: Tiers) -> list[int]:
    """Spend that keeps each tier, in fen."""
    return [tier.keep_fen for tier in tiers.tiers]


def _reached(tiers: Tiers) -> list[pl.Expr]:
    """Levels that the spend reaches, keeps, and still holds after refunds; and the level to start from."""
    granted = pl.col("granted_spend_fen")
    by_keep = pl.col("tier_granted_by") == "keep"
    held = pl.when(by_keep).then(level_of(granted, keeps(tiers))).otherwise(level_of(granted, ups(tiers)))
    can_lose = granted.is_not_null() & pl.col("tier_granted_by").is_not_null()
    return [
        pl.max_horizontal("tier_level", 0).alias("_before"),
        level_of(pl.col("tier_spend_fen"), ups(tiers)).alias("_up"),
        level_of(pl.col("tier_spend_fen"), keeps(tiers)).alias("_keep"),
        pl.when(can_lose).then(held).alias("_held"),
    ]


def _cause(on: pl.Expr, review: pl.Expr, tiers: Tiers) -> pl.Expr:
    """The first step of the rule that applies."""
    before, grace_until = pl.col("_before"), pl.col("tier_grace_until")
    may_rise = pl.lit(value=True) if tiers.upgrade == "immediate" else review
    rules: list[tuple[pl.Expr, str]] = [
        (pl.col("is_fraud"), "fraud"),  # 0
        (on <= pl.col("tier_locked_until"), "manual"),  # 1
        (may_rise & (pl.col("_up") > before), "upgrade"),  # 2
        ((before == 0) & (pl.col("tier_level") == OUT), "reinstated"),
        (before == 0, "base"),  # 3
        (pl.lit(tiers.refund_effect == "immediate") & (pl.col("_held") < before), "refund"),  # 4
        (on < pl.col("tier_valid_until"), "in_validity"),  # 5
        (~review, "awaiting_review"),  # 6
        (pl.col("_keep") >= before, "kept"),  # 7
        (pl.lit(tiers.downgrade == "none"), "no_downgrade"),  # 8
        (pl.lit(tiers.grace_days > 0) & grace_until.is_null(), "grace_start"),  # 9
        (on < grace_until, "in_grace"),
    ]
    return _first_match(rules, otherwise="downgrade")  # 10


def _first_match(rules: list[tuple[pl.Expr, str]], *, otherwise: str) -> pl.Expr:
    """The code of the first condition that is true; null counts as not true."""
    chain: pl.Expr = pl.lit(otherwise, _CAUSE)
    for condition, code in reversed(rules):
        chain = pl.when(condition).then(pl.lit(code, _CAUSE)).otherwise(chain)
    return chain


def _is(*causes: str) -> pl.Expr:
    """Whether the step had one of these causes."""
    return pl.any_horizontal(*(pl.col("tier_cause") == pl.lit(cause, _CAUSE) for cause in causes))


def _next_level(tiers: Tiers) -> pl.Expr:
    """The level after the step."""
    before = pl.col("_before")
    lower = before - 1 if tiers.downgrade == "one_down" else pl.col("_keep")
    return (
        pl.when(_is("fraud")).then(pl.lit(OUT, pl.Int64))
        .when(_is("upgrade")).then("_up")
        .when(_is("refund")).then("_held")
        .when(_is("downgrade")).then(lower)
        .otherwise(before)
    )  # fmt: skip


def _next_state(on: pl.Expr, tiers: Tiers) -> dict[str, pl.Expr]:
    """What is remembered after the step; the base tier and a fraud flag leave no validity, grant or window."""
    lasts = pl.col("_next") > 0
    lock_stands = on <= pl.col("tier_locked_until")
    grace = pl.when(_is("grace_start")).then(on.dt.offset_by(f"{tiers.grace_days}d"))
    return {
        "tier_since": pl.when(pl.col("_next") != pl.col("tier_level")).then(on).otherwise("tier_since"),
        "tier_valid_until": pl.when(lasts).then(
            pl.when(_is(*_VALIDITY_STARTS)).then(_valid_until(on, tiers)).otherwise("tier_valid_until")
        ),
        "tier_grace_until": pl.when(lasts).then(grace.when(_is(*_GRACE_RUNS_ON)).then("tier_grace_until")),
        "tier_granted_by": pl.when(lasts).then(_granted_by(tiers)),
        "tier_window_end": pl.when(lasts).then(pl.when(_is(*_WINDOW_STARTS)).then(on).otherwise("tier_window_end")),
        "tier_locked_until": pl.when(lock_stands).then("tier_locked_until"),
        "tier_lock_reason": pl.when(lock_stands).then("tier_lock_reason"),
    }


def _valid_until(on: pl.Expr, tiers: Tiers) -> pl.Expr:
    """Last day of the month that lies the new tier's `valid_months` after `on`; Jan 31 + 1 month is Feb 28 or 29."""
    chain: pl.Expr = pl.lit(None, pl.Date)
    for months in sorted({tier.valid_months for tier in tiers.tiers}):
        levels = [level for level, tier in enumerate(tiers.tiers) if tier.valid_months == months]
        end = on.dt.offset_by(f"{months}mo").dt.month_end()
        chain = pl.when(pl.col("_next").is_in(levels)).then(end).otherwise(chain)
    return chain


def _granted_by(tiers: Tiers) -> pl.Expr:
    """Which threshold granted the tier; a refund measures against it and leaves it as it was."""
    matched: Literal["keep"] | None = "keep" if tiers.downgrade == "to_match" else None
    return (
        pl.when(_is("upgrade")).then(pl.lit("up"))
        .when(_is("kept")).then(pl.lit("keep"))
        .when(_is("no_downgrade")).then(pl.lit(None, pl.String))
        .when(_is("downgrade")).then(pl.lit(matched, pl.String))
        .otherwise("tier_granted_by")
    )  # fmt: skip
