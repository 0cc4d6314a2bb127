"""Whom a campaign is meant for: the audience condition over the customers of one date, with its evidence.

Consent, caps and contention are not asked here; see allocation.py.
"""

from collections.abc import Iterable
from datetime import date

import polars as pl

from tasks.errors import MissingDataError
from tasks.policy import conditions
from tasks.policy.campaigns import Campaign
from tasks.transforms.traits import with_traits


def newest_as_of(dates: Iterable[date], send_on: date) -> date:
    """The newest date of `customers` before the day of the send.

    Raises:
        MissingDataError: there is none.
    """
    earlier = [day for day in dates if day < send_on]
    if not earlier:
        raise MissingDataError(
            f"no customers are known before {send_on}", expected="a refresh before the day of the send",
            next_step="run `strata refresh --as-of` with an earlier date",
        )  # fmt: skip
    return max(earlier)


def base_of(customers: pl.LazyFrame, traits: pl.LazyFrame, tags: pl.LazyFrame) -> pl.LazyFrame:
    """One row per customer of one date, facts, traits and tags side by side: what conditions read."""
    return with_traits(customers, traits).join(tags, on=["one_id", "as_of"], how="left", validate="1:1")


def select_audience(base: pl.LazyFrame, campaign: Campaign) -> pl.LazyFrame:
    """One row per customer of the base: whether the audience condition holds, and the facts it read.

    A condition that is null (a fact is not known) does not hold. A campaign that persons set off is for whom the base
    says in `trigger_column` what they did, and for nobody where it says nothing.

    Returns:
        one_id, m_score, is_met, facts (such as `m_score=2, days_since_order=12`).
    """
    rule = _by_rule(base, campaign)
    if campaign.trigger is None:
        return rule
    told = pl.lit(None, pl.String)
    if (column := trigger_column(campaign.code)) in base.collect_schema().names():
        told = pl.col(column)
    why = base.select("one_id", _why=told)
    return rule.join(why, on="one_id", how="left", maintain_order="left").select(
        "one_id", "m_score", is_met=pl.col("is_met") & pl.col("_why").is_not_null(), facts=_set_off()
    )


def trigger_column(code: str) -> str:
    """The column of a base that says what set a campaign off for a person; null for whom nothing did."""
    return f"triggered_{code}"


def _set_off() -> pl.Expr:
    return pl.concat_str(pl.col("_why").fill_null("nothing set it off"), "facts", separator=", ")


def _by_rule(base: pl.LazyFrame, campaign: Campaign) -> pl.LazyFrame:
    """What `select_audience` returns, by the audience condition alone."""
    columns = base.collect_schema().names()
    condition = conditions.parse(campaign.audience, columns, where=f"campaign {campaign.code}: audience")
    read = sorted(conditions.names_in(campaign.audience))
    return base.select(
        "one_id", "m_score", is_met=condition.cast(pl.Boolean).fill_null(False), facts=_facts(read)
    )  # fmt: skip


def was_meant(base: pl.LazyFrame, changed: pl.LazyFrame, campaign: Campaign) -> pl.LazyFrame:
    """One row per changed customer (`lineage.predecessors`): did the condition hold for any part at the date before?

    `base` are the customers of that date; under a condition that reads what was not known then, it held for nobody.

    Returns:
        one_id, old_ids, was_met.
    """
    met = pl.LazyFrame(schema={"one_id": pl.String, "is_met": pl.Boolean})
    if conditions.names_in(campaign.audience) <= set(base.collect_schema().names()):
        met = _by_rule(base, campaign).select("one_id", "is_met")
    parts = changed.join(met.rename({"one_id": "old_id"}), on="old_id", how="left")
    return parts.group_by("one_id").agg(
        old_ids=pl.col("old_id").sort(), was_met=pl.col("is_met").fill_null(value=False).any()
    )


def _facts(names: Iterable[str]) -> pl.Expr:
    """Text of the named columns, `-` where a fact is not known."""
    shown = [pl.format(f"{name}={{}}", pl.col(name).cast(pl.String).fill_null("-")) for name in names]
    return pl.concat_str(shown, separator=", ") if shown else pl.lit("no fact")


def message_variables(base: pl.LazyFrame, campaign: Campaign) -> pl.LazyFrame:
    """One row per customer of the base: the template's variables as text, empty where not known.

    Returns:
        one_id and one text column per variable, in order of name.
    """
    columns = base.collect_schema().names()
    texts = {
        name: conditions.parse(text, columns, where=f"campaign {campaign.code}: variable {name}")
        .cast(pl.String)
        .fill_null("")
        for name, text in sorted(campaign.variables.items())
    }
    return base.select("one_id", **texts)
