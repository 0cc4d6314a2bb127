"""Which variant of a campaign a person gets: by ranges of the hash, or by exact shares within strata.

The salt is the experiment's id with `:variants`, so that it is independent of the holdout's draw. Ranges begin where
the full weights put them, whatever the coverage: raising it moves nobody.
"""

from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.variants import TREATED
from tasks.transforms.holdout import BUCKETS, bucket

Counts = Mapping[str, int]


def weights_of(campaign: Campaign) -> dict[str, int]:
    """Variant code to weight, in the order of the policy; without variants all are treated."""
    return {variant.code: variant.weight for variant in campaign.variants} or {TREATED: 1}


def variant_bucket(campaign: Campaign, unit: pl.Expr) -> pl.Expr:
    """The bucket 0..9999 of a unit in the split of a campaign with a holdout's experiment."""
    experiment = campaign.holdout.experiment if campaign.holdout else campaign.code
    return bucket(unit, f"{experiment}:variants")


def ranges(weights: Counts, coverage: Decimal) -> dict[str, tuple[int, int]]:
    """Half-open buckets of each variant: start by the full weights, end by its weight times the coverage in percent."""
    total = sum(weights.values())
    ends = list(accumulate(weights.values()))
    starts = {code: BUCKETS * (end - weights[code]) // total for code, end in zip(weights, ends, strict=True)}
    full = {code: BUCKETS * end // total - starts[code] for code, end in zip(weights, ends, strict=True)}
    return {code: (start, start + int(full[code] * coverage / 100)) for code, start in starts.items()}


def variant_by_hash(bucket_of_unit: pl.Expr, campaign: Campaign, coverage: Decimal) -> pl.Expr:
    """The variant in whose range the bucket lies; null where that share of the people does not cover it."""
    owned = ranges(weights_of(campaign), coverage)
    return pl.coalesce(
        *(
            pl.when((bucket_of_unit >= start) & (bucket_of_unit < end)).then(pl.lit(code))
            for code, (start, end) in owned.items()
        )
    )


def shares(total: int, weights: Counts) -> dict[str, int]:
    """`total` people by weight, exactly: whole numbers that add up, each less than one from its share."""
    ends, whole = list(accumulate(weights.values())), sum(weights.values())
    cut = [(2 * total * end + whole) // (2 * whole) for end in ends]
    return {code: end - start for code, start, end in zip(weights, [0, *cut], cut, strict=False)}


def places(newcomers: int, standing: Counts, weights: Counts) -> list[str]:
    """The variants that so many newcomers of one stratum get, in order, beside those who have one already.

    Nobody who stands is moved, so a variant that has too many already gets none, and the others share the newcomers
    by what they lack.
    """
    wanted = shares(newcomers + sum(standing.get(code, 0) for code in weights), weights)
    lacking = {code: max(wanted[code] - standing.get(code, 0), 0) for code in weights}
    given = shares(newcomers, lacking) if sum(lacking.values()) else shares(newcomers, weights)
    return [code for code, count in given.items() for _ in range(count)]


def with_places(people: pl.DataFrame, campaign: Campaign) -> pl.DataFrame:
    """People of a stratified split, with `variant` for whoever had none: their place within their stratum.

    `people` has one_id, stratum, split_bucket, variant (null: a newcomer). Newcomers sort by the hash, then by id.
    """
    weights = weights_of(campaign)
    stands = people.drop_nulls("variant").group_by("stratum", "variant").len()
    standing: dict[str, dict[str, int]] = {}
    for stratum, variant, count in stands.iter_rows():
        standing.setdefault(stratum, {})[variant] = count
    fresh = people.filter(pl.col("variant").is_null()).sort("stratum", "split_bucket", "one_id")
    counts = fresh.group_by("stratum", maintain_order=True).len()
    drawn = [code for name, count in counts.iter_rows() for code in places(count, standing.get(name, {}), weights)]
    placed = fresh.select("one_id", place=pl.Series(drawn, dtype=pl.String))
    place = pl.coalesce("variant", "place").alias("variant")
    return people.join(placed, on="one_id", how="left", maintain_order="left").with_columns(place).drop("place")
