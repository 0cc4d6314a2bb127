"""Who is left out on purpose, drawn by a keyed hash so that nobody moves when names, sizes or runs change."""

from datetime import date

import polars as pl
from polars_hash import CryptographicHashingNameSpace

from expectations.tables import TABLES
from tasks.policy.variants import HELD_OUT, TREATED, Holdout
from tasks.transforms.lineage import follow

BUCKETS = 10_000
_WORD = 2**32


def bucket(unit: pl.Expr, salt: str) -> pl.Expr:
    """The bucket 0..9999 of a unit: the first 8 bytes of SHA-256(salt 0x1F unit), scaled (algorithms §11).

    `(n × 10000) >> 64` needs 78 bits; halves of 32 bits give the same floor within an Int64.
    The salt is the immutable id of the experiment: renaming a campaign reshuffles nobody.
    """
    digest = CryptographicHashingNameSpace(pl.concat_str(pl.lit(f"{salt}\x1f"), unit)).sha2_256()
    high, low = (digest.str.slice(at, 8).str.to_integer(base=16, dtype=pl.Int64) for at in (0, 8))
    return (high * BUCKETS + low * BUCKETS // _WORD) // _WORD


def variant(bucket_of_unit: pl.Expr, holdout: Holdout) -> pl.Expr:
    """`holdout` for the buckets [0, percent × 100), else `treated`: raising the percentage never frees anyone."""
    held_below = int(holdout.percent * 100)
    return pl.when(bucket_of_unit < held_below).then(pl.lit(HELD_OUT)).otherwise(pl.lit(TREATED))


def standing_variants(assignments: pl.LazyFrame, experiment: str, *, names: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """One row per customer who was ever assigned in the experiment; the first assignment stands.

    `names` are `lineage.aliases`: the customer that a unit has since become. Of several units that
    became one customer a holdout wins, else the first assigned, of one day the first by name.

    Returns:
        one_id, standing_variant.
    """
    is_free = pl.col("variant") != HELD_OUT
    drawn = assignments.filter(pl.col("experiment") == experiment)
    first = pl.col("variant", "assigned_on").sort_by("assigned_on", is_free, "variant").first()
    units = drawn.group_by(one_id="unit").agg(first)
    now = units if names is None else follow(units, names)
    best = pl.col("variant").sort_by(is_free, "assigned_on", "variant").first()
    return now.group_by("one_id").agg(standing_variant=best)


def held_now(assignments: pl.LazyFrame, experiment: str, names: pl.LazyFrame | None) -> pl.LazyFrame:
    """One row per customer who stands as held out of the experiment: one_id, as `names` (lineage.aliases) has them."""
    return standing_variants(assignments, experiment, names=names).filter(pl.col("standing_variant") == HELD_OUT)


def new_assignments(drawn: pl.DataFrame, experiment: str, *, assigned_on: date) -> pl.DataFrame:
    """One row per unit that the experiment had not seen: what is appended to the log, never rewritten.

    `drawn` has one_id, variant, bucket and standing_variant (null: not assigned before).
    """
    fresh = drawn.filter(pl.col("standing_variant").is_null()).sort("one_id")
    return fresh.select(
        pl.lit(experiment).alias("experiment"),
        pl.col("one_id").alias("unit"),
        "variant",
        "bucket",
        pl.lit(assigned_on).alias("assigned_on"),
    ).cast(TABLES["assignments"].schema)
