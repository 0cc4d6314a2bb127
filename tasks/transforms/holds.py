"""Locks and flags of fraud that people declared, for the customers whom they are about at one date."""

from datetime import date, timedelta

import polars as pl

from tasks.policy.holds import Holds
from tasks.policy.tiers import Tiers

HOLD = {
    "is_flagged": pl.Boolean(),
    "lock_until": pl.Date(),
    "lock_reason": pl.String(),
    "lock_level": pl.Int64(),
    "lock_since": pl.Date(),
}


def holds_at(holds: Holds, tiers: Tiers, numbers: pl.LazyFrame, *, after: date, as_of: date) -> pl.LazyFrame | None:
    """One row per customer with a lock or a flag at `as_of`; None where the policy declares none at all.

    `numbers` are old_id and one_id, whom an id names now. Of the locks on several ids of one customer the one that
    ends last holds. `lock_since` is the first day in `(after, as_of]` under it; null levels leave the tier.
    """
    if not (holds.locks or holds.frauds):
        return None
    levels = {tier.code: level for level, tier in enumerate(tiers.tiers)}
    locks = [
        (lock.one_id, False, lock.ends_on, lock.reason, None if lock.tier is None else levels[lock.tier],
         max(lock.starts_on, after + timedelta(days=1)))
        for lock in holds.locks if lock.starts_on <= as_of <= lock.ends_on
    ]  # fmt: skip
    flags = [
        (fraud.one_id, True, None, None, None, None)
        for fraud in holds.frauds
        if fraud.starts_on <= as_of and (fraud.ends_on is None or as_of <= fraud.ends_on)
    ]
    declared = pl.LazyFrame([*locks, *flags], schema={"old_id": pl.String(), **HOLD}, orient="row")
    return (
        declared.join(numbers, on="old_id")
        .sort("one_id", "lock_until", "lock_reason", descending=[False, True, False], nulls_last=True)
        .group_by("one_id", maintain_order=True)
        .agg(pl.col("is_flagged").any(), *(pl.col(name).first() for name in HOLD if name != "is_flagged"))
    )


def with_holds(people: pl.LazyFrame, holds: pl.LazyFrame | None) -> pl.LazyFrame:
    """One row per customer as given (with the state before), under the declared locks and flags.

    What is declared is all there is: a lock of the state before that no longer stands in the policy is gone. A lock
    that gives another tier takes the place of the state: no validity, no grant.
    """
    if holds is None:
        return people
    moves = (pl.col("lock_level") != pl.max_horizontal("tier_level", 0)).fill_null(value=False)
    cleared = ("tier_valid_until", "tier_grace_until", "tier_granted_by", "tier_window_end")
    return (
        people.join(holds, on="one_id", how="left", maintain_order="left")
        .with_columns(
            *(pl.when(~moves).then(name).alias(name) for name in cleared),
            tier_since=pl.when(moves).then("lock_since").otherwise("tier_since"),
            tier_level=pl.when(moves).then("lock_level").otherwise("tier_level"),
            tier_locked_until="lock_until",
            tier_lock_reason="lock_reason",
            is_fraud=pl.coalesce("is_flagged", "is_fraud"),
        )
        .drop(HOLD)
    )
