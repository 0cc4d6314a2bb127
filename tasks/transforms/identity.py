"""Who is who: every identity key to the customer it belongs to. One key, one person; links come later."""

from datetime import date

import polars as pl
import polars_hash as plh

STRONGEST_FIRST = (
    "unionid", "member", "external_userid", "ouid", "omid", "doudian_open_id", "shopify_customer",
    "square_customer", "user_id", "openid", "weimob_wid", "xiaohongshu_user", "jd_pin", "nick", "phone", "email",
)  # fmt: skip
"""Which of several identity keys on one record names the person (algorithms §7.2); a type not listed comes last."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = pl.Series([a + b for a in _ALPHABET for b in _ALPHABET])
"""Base32 (RFC 4648, lower case) of ten bits at a time: two characters."""
_UNIT = "\x1f"


def resolve(sightings: pl.LazyFrame, *, as_of: date, zone: str) -> pl.LazyFrame:
    """One row per identity key first seen on or before `as_of` (end of that day in `zone`).

    `first_seen_at` is the least instant at which the key named a person; a key that only ever
    stands beside a stronger one names nobody, and contact keys never do. Sorted by key.
    """
    keys = (
        sightings.filter(pl.col("key_role") == "identity")
        .pipe(_strongest_of_record)
        .group_by("key")
        .agg(pl.col("key_type", "key_scope", "pseudonym").first(), first_seen_at=pl.col("seen_at").min())
        .filter(pl.col("first_seen_at").dt.convert_time_zone(zone).dt.date() <= as_of)
    )
    name = pl.concat_str("key_type", "key_scope", "pseudonym", separator=_UNIT)
    return (
        keys.with_columns(one_id=one_id_of(name), as_of=pl.lit(as_of))
        .select("key", "one_id", "key_type", "first_seen_at", "as_of")
        .sort("key")
    )


def _strongest_of_record(seen: pl.LazyFrame) -> pl.LazyFrame:
    """One row per sighting of the strongest key on its record; keys of equal strength all stay."""
    ranks = {key_type: rank for rank, key_type in enumerate(STRONGEST_FIRST)}
    rank = pl.col("key_type").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int64)
    ranked = seen.with_columns(_rank=rank)
    best = ranked.group_by("record").agg(_best=pl.col("_rank").min())
    return ranked.join(best, on="record").filter(pl.col("_rank") == pl.col("_best"))


def one_id_of(anchor: pl.Expr) -> pl.Expr:
    """`c_` and the first 16 characters of base32(SHA-256(anchor)), in lower case (algorithms §7.7).

    80 bits: among ten million customers, two share an id with a chance of one in 10¹⁰.
    """
    digest = anchor.pipe(_sha256)
    # Five hex digits are 20 bits, which are four base32 digits: no bit crosses a slice.
    words = [digest.str.slice(start, 5).str.to_integer(base=16, dtype=pl.UInt32) for start in range(0, 20, 5)]
    parts = [pl.lit(_PAIRS).gather(half) for word in words for half in (word // 1024, word % 1024)]
    return pl.concat_str(pl.lit("c_"), *parts)


def _sha256(text: pl.Expr) -> pl.Expr:
    """Hex digest of each text's UTF-8 bytes."""
    digest: pl.Expr = plh.concat_str(text).chash.sha2_256()
    return digest
