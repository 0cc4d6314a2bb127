"""Whose row is it: rows that carry a key and an instant, joined to the customer of the key at that instant."""

from collections.abc import Sequence

import polars as pl

_TILE = ("key", "one_id", "valid_from", "valid_to")
_FROM, _TO = pl.col("valid_from"), pl.col("valid_to")


def with_owner(
    rows: pl.LazyFrame, identities: pl.LazyFrame, *, key: str, at: str, more: Sequence[str] = ()
) -> pl.LazyFrame:
    """One row per row of `rows`, in any order, with `one_id`: the customer of `key` at the instant `at`.

    Null where the key is null, or nobody's at that time. A row without an instant takes the key's
    earliest stretch of time. `identities` are those of one date; `more` of their columns come along.
    """
    tiles = identities.pipe(_tile, more).rename({"key": key, "valid_from": "_from", "valid_to": "_to"})
    since = pl.col("_from").is_null() | (pl.col("_from") <= pl.col(at))
    until = pl.col("_to").is_null() | (pl.col(at) < pl.col("_to"))
    is_first = pl.col(at).is_null() & pl.col("_from").is_null()
    joined = rows.join(tiles, on=key, how="left")
    return joined.filter((since & until).fill_null(value=False) | is_first).drop("_from", "_to")


def _tile(identities: pl.LazyFrame, more: Sequence[str]) -> pl.LazyFrame:
    """One row per key and stretch of time, without gaps: where a key is nobody's, `one_id` is null."""
    owned = identities.select(*_TILE, *more)
    bounded = owned.filter(_FROM.is_not_null() | _TO.is_not_null()).sort("key", "valid_from", nulls_last=False)
    following = bounded.with_columns(
        _next=_FROM.shift(-1).over("key"), _is_first=pl.int_range(pl.len()).over("key") == 0
    )
    is_gap = _TO.is_not_null() & (pl.col("_next").is_null() | (pl.col("_next") > _TO))
    before = following.filter("_is_first", _FROM.is_not_null()).select("key", valid_from=None, valid_to="valid_from")
    after = following.filter(is_gap).select("key", valid_from="valid_to", valid_to="_next")
    return pl.concat([owned, before.pipe(_of_nobody), after.pipe(_of_nobody)], how="diagonal")


def _of_nobody(stretches: pl.LazyFrame) -> pl.LazyFrame:
    instants = [pl.col(name).cast(pl.Datetime("us", "UTC")) for name in ("valid_from", "valid_to")]
    return stretches.select("key", *instants)
