"""Which of several values of one attribute stands for a person who has profiles in several places.

The rules are the brand's (policy identity.survivorship); nothing is rewritten, the other values stay in `members`.
"""

from collections.abc import Sequence

import polars as pl

from tasks.policy.identity import Survivorship

ATTRIBUTES = (
    "gender", "birth_month", "age_band", "income_band", "home_ownership", "marital_status", "household_size",
    "kids_count", "province", "city", "member_level", "source_tags",
)  # fmt: skip
"""What a profile says of a person."""
_NEWEST = Survivorship(attribute="*", rule="most_recent")
_UNNAMED = 1_000_000
LINE = ("one_id", "channel", "member_key", "exported_at")
"""Which profile it is, and when it was exported."""


def surviving(profiles: pl.LazyFrame, rules: Sequence[Survivorship]) -> pl.LazyFrame:
    """One row per person and attribute of which some profile says something. Sorted by both.

    `profiles` are versions of members that are known, with `one_id`. By every rule, what is left equal is settled
    by the newest export, then by the rule's order of channels, then by channel, key and value. A rule of the
    attribute itself goes before the rule for `*`; without any, the newest export wins.

    Returns:
        one_id, attribute, value, rule, channel, member_key, exported_at, profiles (how many say it), values (how
        many different ones were said).
    """
    said = (
        profiles.select(*LINE, *ATTRIBUTES)
        .unpivot(ATTRIBUTES, index=LINE, variable_name="attribute", value_name="value")
        .drop_nulls("value")
        .with_columns(
            profiles=pl.col("member_key").n_unique().over("one_id", "attribute", "value"),
            values=pl.col("value").n_unique().over("one_id", "attribute"),
        )
        .join(_standings(rules), on="attribute")
        .join(_ranks(rules), on=["attribute", "channel"], how="left")
        .with_columns(pl.col("rank").fill_null(_UNNAMED))
    )
    order = ["one_id", "attribute", "by_rule", "exported_at", "rank", "channel", "member_key", "value"]
    return (
        said.with_columns(by_rule=_by_rule())
        .sort(order, descending=[name == "exported_at" for name in order])
        .unique(["one_id", "attribute"], keep="first", maintain_order=True)
        .select("one_id", "attribute", "value", "rule", *LINE[1:], pl.col("profiles", "values").cast(pl.Int64))
    )


def _by_rule() -> pl.Expr:
    """What the attribute's rule puts first is least."""
    return (
        pl.when(pl.col("rule") == "most_frequent").then(-pl.col("profiles").cast(pl.Int64))
        .when(pl.col("rule") == "by_channel").then(pl.col("rank"))
        .otherwise(0)
    )  # fmt: skip


def rule_of(attribute: str, rules: Sequence[Survivorship]) -> Survivorship:
    """The rule that decides an attribute: the first that names it, else the first for all others."""
    named = [rule for rule in rules if rule.attribute == attribute]
    others = [rule for rule in rules if rule.attribute == "*"]
    return next(iter([*named, *others]), _NEWEST)


def _standings(rules: Sequence[Survivorship]) -> pl.LazyFrame:
    """One row per attribute: attribute, rule."""
    held = {name: rule_of(name, rules).rule for name in ATTRIBUTES}
    return pl.LazyFrame({"attribute": list(held), "rule": list(held.values())})


def _ranks(rules: Sequence[Survivorship]) -> pl.LazyFrame:
    """One row per attribute and channel that its rule names: attribute, channel, rank."""
    rows = [(name, channel, rank) for name in ATTRIBUTES for rank, channel in enumerate(rule_of(name, rules).channels)]
    schema = pl.Schema({"attribute": pl.String(), "channel": pl.String(), "rank": pl.Int64()})
    return pl.LazyFrame(rows, schema, orient="row")
