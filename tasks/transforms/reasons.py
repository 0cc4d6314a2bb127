"""Why someone gets nothing: the reasons of the walk in their order, and the evidence for each.

The columns read here are those that allocation.py puts side by side for one campaign.
"""

from collections.abc import Mapping

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.variants import Holdout
from tasks.transforms.consent import (
    why_no_consent,
    why_no_profiling,
    why_no_separate,
    why_suppressed,
    why_unreachable,
)
from tasks.transforms.freshness import why_bought_since


def reason_of_their_own() -> pl.Expr:
    """The first reason that concerns the customer alone; null for whoever is eligible."""
    return (
        pl.when(~pl.col("is_met"))
        .then(pl.lit("rule_not_met"))
        .when(pl.col("changed_from").is_not_null() & ~pl.col("is_published"))
        .then(pl.lit("identity_changed"))
        .when(pl.col("recipient_key").is_null())
        .then(pl.lit("no_contact"))
        .when(pl.col("unreachable_at").is_not_null() & ~pl.col("is_published"))
        .then(pl.lit("unreachable"))
        .when(~pl.col("is_granted") | pl.col("withdrawn_at").is_not_null())
        .then(pl.lit("no_consent"))
        .when(pl.col("suppressed_at").is_not_null())
        .then(pl.lit("suppressed"))
        .when(pl.col("lacks_separate"))
        .then(pl.lit("no_separate_consent"))
        .when(pl.col("profiling_no_at").is_not_null())
        .then(pl.lit("no_profiling"))
        .when(pl.col("bought_on").is_not_null() & ~pl.col("is_published"))
        .then(pl.lit("bought_since"))
    )


def outcome(*, is_closed: bool) -> pl.Expr:
    """The first reason of the walk, else planned; for a send that was cancelled, cancelled."""
    return pl.coalesce(
        "reason",
        pl.when(pl.col("other_owner").is_not_null()).then(pl.lit("duplicate_contact")),
        pl.when(pl.col("over_cap").is_not_null()).then(pl.lit("capped")),
        pl.when(pl.col("taken_by").is_not_null()).then(pl.lit("lower_priority")),
        pl.when(pl.col("budget_left").is_not_null()).then(pl.lit("over_budget")),
        pl.when("lacks_code").then(pl.lit("no_coupon")),
        pl.when(pl.col("is_held_globally")).then(pl.lit("global_holdout")),
        pl.when(pl.col("is_held")).then(pl.lit("holdout")),
        pl.when(~pl.col("is_covered")).then(pl.lit("not_covered")),
        pl.lit("cancelled" if is_closed else "planned"),
    )


def evidence_of_their_own() -> pl.Expr:
    """What a reason of their own rests on, in words; null for whoever is eligible."""
    rests_on = {
        "rule_not_met": pl.col("facts"),
        "identity_changed": pl.format("was not meant for it before a merge or split: {}", "changed_from"),
        "no_contact": pl.format("no {} seen on any record", "contact_type"),
        "unreachable": why_unreachable(),
        "no_consent": why_no_consent(),
        "suppressed": why_suppressed(),
        "no_separate_consent": why_no_separate(),
        "no_profiling": why_no_profiling(),
        "bought_since": why_bought_since(),
    }
    return _first(rests_on, "reason")


def evidence(campaign: Campaign, everybody: Holdout | None) -> pl.Expr:
    """What the outcome rests on, in words; null for whoever is planned. `everybody` is the global holdout."""
    rests_on = {
        "duplicate_contact": pl.format("the contact is also that of {}", "other_owner"),
        "capped": pl.col("over_cap"),
        "lower_priority": pl.format("taken by {}", "taken_by"),
        "cancelled": pl.lit("the send was cancelled"),
    }
    if campaign.budget_fen is not None:
        of = f"{{}} fen left of the {campaign.budget_fen} fen that the campaign may cost"
        rests_on["over_budget"] = pl.format(of, "budget_left")
    if campaign.coupon_pool is not None:
        rests_on["no_coupon"] = pl.lit(f"no code is left in pool {campaign.coupon_pool.pool}")
    if everybody is not None:
        rests_on["global_holdout"] = pl.format(f"bucket {{}} of {everybody.experiment}", "global_bucket")
    if campaign.holdout is not None:
        rests_on["holdout"] = pl.format(f"bucket {{}} of {campaign.holdout.experiment}", "bucket")
        of = f"bucket {{}} of {campaign.holdout.experiment}:variants, of which {campaign.split.coverage} % take part"
        rests_on["not_covered"] = pl.format(of, "split_bucket")
    return pl.coalesce("why", _first(rests_on, "outcome"))


def _first(rests_on: Mapping[str, pl.Expr], column: str) -> pl.Expr:
    return pl.coalesce(*(pl.when(pl.col(column) == name).then(text) for name, text in rests_on.items()))
