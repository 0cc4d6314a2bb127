"""What ties one customer's keys together: the records that show them, the pairs that stood on one record, and when."""

import polars as pl

_PAIR = ("key_a", "key_b")


def records_of(sightings: pl.LazyFrame, keys: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """One row per record that shows one of `keys` (key): what it is, when, and how strong its word is. Newest first.

    Returns:
        record, channel, seen_on, evidence_rank, keys (those of the customer, sorted).
    """
    seen = sightings.join(keys, on="key", how="semi")
    return (
        seen.group_by("record", "channel")
        .agg(
            seen_on=pl.col("seen_at").min().dt.convert_time_zone(zone).dt.date(),
            evidence_rank=pl.col("evidence_rank").min(),
            keys=pl.col("key").unique().sort(),
        )
        .sort("seen_on", "record", descending=[True, False])
    )


def ties_between(sightings: pl.LazyFrame, keys: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """One row per two of `keys` (key) that stood on one record, as the resolver counts them. Strongest first.

    Returns:
        key_a, key_b, evidence_rank (1 is strongest), records, distinct_days, first_seen_on, last_seen_on.
    """
    seen = sightings.filter(pl.col("key_role") == "identity").join(keys, on="key", how="semi")
    seen = seen.with_columns(seen_on=pl.col("seen_at").dt.convert_time_zone(zone).dt.date())
    one = seen.select("record", key_a="key", rank_a="evidence_rank", seen_on="seen_on")
    other = seen.select("record", key_b="key", rank_b="evidence_rank")
    return (
        one.join(other, on="record")
        .filter(pl.col("key_a") < pl.col("key_b"))
        .group_by(_PAIR)
        .agg(
            evidence_rank=pl.max_horizontal("rank_a", "rank_b").min(),
            records=pl.col("record").n_unique().cast(pl.Int64),
            distinct_days=pl.col("seen_on").n_unique().cast(pl.Int64),
            first_seen_on=pl.col("seen_on").min(),
            last_seen_on=pl.col("seen_on").max(),
        )
        .sort("evidence_rank", -pl.col("distinct_days"), "first_seen_on", *_PAIR)
    )
