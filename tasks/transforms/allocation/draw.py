"""The draws of the walk: who is held out of everything, who of one campaign, and which variant the others get."""

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.variants import HELD_OUT, TREATED, Holdout
from tasks.transforms.holdout import bucket, standing_variants, variant
from tasks.transforms.variants import variant_bucket, variant_by_hash, weights_of, with_places


@dataclass(frozen=True)
class Draw:
    """One holdout and where everybody stands in it: one_id, bucket, standing_variant, variant."""

    holdout: Holdout
    people: pl.DataFrame


def draw(people: pl.DataFrame, holdout: Holdout, assignments: pl.LazyFrame, names: pl.LazyFrame | None) -> Draw:
    """Hold out by the hash, unless people stand in the log; the first assignment stands.

    `people` has one_id and sent_as (the variant of whoever was sent a message already; null: nobody).
    """
    stands = standing_variants(assignments, holdout.experiment, names=names).collect()
    drawn = people.with_columns(bucket=bucket(pl.col("one_id"), holdout.experiment)).join(
        stands, on="one_id", how="left"
    )
    place = pl.coalesce("standing_variant", "sent_as", variant(pl.col("bucket"), holdout))
    return Draw(holdout, drawn.select("one_id", "bucket", "standing_variant", variant=place))


def with_holdouts(
    people: pl.DataFrame,
    campaign: Campaign,
    everybody: Draw | None,
    assignments: pl.LazyFrame,
    names: pl.LazyFrame | None,
) -> pl.DataFrame:
    """Add the two holdouts of one campaign; `everybody` is the draw of the global one.

    Returns:
        people with bucket, standing_variant, variant (null without a holdout), is_held, and the same of the global
        holdout as global_bucket, global_standing, is_held_globally. Without a holdout of its own the bucket only
        orders people of equal score.
    """
    people = _with_own(people, campaign, assignments, names)
    if everybody is None:
        nothing = {"global_bucket": pl.lit(None, pl.Int64), "global_standing": pl.lit(None, pl.String)}
        return people.with_columns(**nothing, is_held_globally=pl.lit(value=False))
    told = everybody.people.select(
        "one_id",
        global_bucket="bucket",
        global_standing="standing_variant",
        is_held_globally=pl.col("variant") == HELD_OUT,
    )
    return people.join(told, on="one_id", how="left", maintain_order="left")


def _with_own(
    people: pl.DataFrame, campaign: Campaign, assignments: pl.LazyFrame, names: pl.LazyFrame | None
) -> pl.DataFrame:
    if campaign.holdout is None:
        nothing = pl.lit(None, dtype=pl.String)
        ordered = people.with_columns(bucket=bucket(pl.col("one_id"), f"order:{campaign.code}"))
        return ordered.with_columns(standing_variant=nothing, variant=nothing, is_held=pl.lit(value=False))
    sent_as = pl.when("is_published").then(pl.lit(TREATED))
    drawn = draw(people.select("one_id", sent_as=sent_as), campaign.holdout, assignments, names)
    joined = people.join(drawn.people, on="one_id", how="left", maintain_order="left")
    return joined.with_columns(is_held=pl.col("variant") == HELD_OUT)


def with_variants(people: pl.DataFrame, campaign: Campaign) -> pl.DataFrame:
    """Give whoever is not held out a variant; null for whom the split does not cover.

    A standing place wins, if the policy still has that variant. In a stratified split newcomers wait (null, but
    `is_covered`) until it is known who is left: `with_strata` gives them their places.
    """
    if campaign.holdout is None:
        return people.with_columns(is_covered=pl.lit(value=True), split_bucket=pl.lit(None, pl.Int64))
    people = people.with_columns(split_bucket=variant_bucket(campaign, pl.col("one_id")))
    stands = pl.when(pl.col("standing_variant").is_in(list(weights_of(campaign)))).then("standing_variant")
    held = pl.when("is_held").then(pl.lit(HELD_OUT))
    if campaign.split.by and campaign.variants:
        is_low = pl.col("split_bucket") < int(campaign.split.coverage * 100)
        people = people.with_columns(variant=pl.coalesce(held, stands))
        return people.with_columns(is_covered=pl.col("variant").is_not_null() | "is_published" | is_low)
    drawn = variant_by_hash(pl.col("split_bucket"), campaign, campaign.split.coverage)
    was_sent = pl.when("is_published").then(variant_by_hash(pl.col("split_bucket"), campaign, Decimal(100)))
    people = people.with_columns(variant=pl.coalesce(held, stands, was_sent, drawn))
    return people.with_columns(is_covered=pl.col("variant").is_not_null())


def with_strata(people: pl.DataFrame, campaign: Campaign) -> pl.DataFrame:
    """Give the newcomers of a stratified split their places, of those who would be sent to: `is_going`."""
    if not (campaign.split.by and campaign.variants):
        return people
    is_in = pl.col("is_going") & ~pl.col("is_held") & pl.col("is_covered")
    placed = with_places(people.filter(is_in), campaign).select("one_id", place="variant")
    joined = people.join(placed, on="one_id", how="left", maintain_order="left")
    return joined.with_columns(variant=pl.coalesce("place", "variant")).drop("place")
